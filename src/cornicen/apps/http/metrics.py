"""What Prometheus reads at ``/metrics``: the same things that the status page shows, as numbers."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from cornicen.apps.http.capture import not_allowed
from cornicen.apps.http.exposition import CONTENT_TYPE, Family, written
from cornicen.apps.http.page import READ
from cornicen.apps.http.status import View, asked
from cornicen.delivery.owed import owed
from cornicen.flows.ports import State
from cornicen.flows.records import Project, RunStatus, Sync
from cornicen.flows.syncs.freshness import freshness
from cornicen.flows.syncs.health import Health, condition


class Metrics:
    """``/metrics`` as an ASGI application.

    Args:
        view: What it looks at.
    """

    def __init__(self, view: View) -> None:
        self._view = view

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in READ:
            await not_allowed(scope, receive, send, READ)
            return
        text = written(await families(self._view))
        response = Response(text, headers={"content-type": CONTENT_TYPE, "cache-control": "no-store"})
        await response(scope, receive, send)


async def families(view: View) -> list[Family]:
    """Everything that is told, of all projects; what a keeper knows is missing where it does not answer."""
    projects = await asyncio.to_thread(view.state.projects.all)
    said = await asyncio.gather(*(asked(view, project.id) for project in projects))
    told = _Told()
    for project, keeper in zip(projects, said, strict=True):
        told.keeper(project, keeper)
    await asyncio.to_thread(_decided, told, view.state, projects, view.clock.now())
    names = {project.id: project.name for project in projects}
    for door, taken in sorted((await asyncio.to_thread(view.taken.counted)).items()):
        for project_id, sources in taken.items():
            for source, records in sources.items():
                told.accepted.add(records, project=names.get(project_id, project_id), source=source, door=door)
    return told.all()


class _Told:
    """The families, filled project by project."""

    def __init__(self) -> None:
        self._all: list[Family] = []
        self.accepted = self._counter("records_accepted_total", "Records that a door has put safely on disk since it started.")
        self.answers = self._gauge("keeper_up", "Whether the project's keeper answers.")
        self.loaded = self._counter("events_loaded_total", "Events loaded, those that replaced an earlier one among them.")
        self.repeated = self._counter("events_repeated_total", "Events that came again and were there already.")
        self.counts = self._gauge("warehouse_rows", "Events, persons and profiles that are kept.")
        self.backlog = self._gauge("backlog_bytes", "Bytes that wait to be loaded, by lane.")
        self.behind = self._gauge("backlog_seconds", "How long ago the oldest record that is not loaded came, by lane.")
        self.refused = self._gauge("refused_records", "Refused records that are kept, by reason.")
        self.syncs = self._gauge("syncs", "Syncs by how they do.")
        self.runs = self._gauge("runs", "Runs by status, all there ever were.")
        self.requests = self._counter("requests_total", "Requests sent to destinations.")
        self.recipients = self._gauge("sync_recipients", "Recipients of a sync by state; one may be in several.")
        self.age = self._gauge("sync_as_of_age_seconds", "How long ago the instant is that a sync's segment is about.")
        self.fresh = self._gauge("sync_freshness_seconds", "Event accepted to change acknowledged, at most; of the newest run.")
        self.stage = self._gauge("sync_stage_seconds", "What a stage took of it: tick and loader at most, delivery at p95.")

    def _gauge(self, name: str, help_: str) -> Family:
        return self._made(name, "gauge", help_)

    def _counter(self, name: str, help_: str) -> Family:
        return self._made(name, "counter", help_)

    def _made(self, name: str, kind: str, help_: str) -> Family:
        self._all.append(Family(f"cornicen_{name}", kind, help_))
        return self._all[-1]

    def all(self) -> list[Family]:
        """In the order they are shown."""
        return self._all

    def keeper(self, project: Project, said: Mapping[str, Any]) -> None:
        """What a project's keeper said."""
        self.answers.add(bool(said["answers"]), project=project.name)
        if not said["answers"]:
            return
        for lane, size in said["backlog"].items():
            self.backlog.add(size, project=project.name, lane=lane)
            self.behind.add(said["behind"][lane], project=project.name, lane=lane)
        for kind in ("events", "persons", "profiles"):
            self.counts.add(said["counts"].get(kind, 0), project=project.name, kind=kind)
        self.repeated.add(said["counts"].get("repeated", 0), project=project.name)
        self.loaded.add(said.get("loaded", 0), project=project.name)
        reasons = Counter[str]()
        for refusal in said["refusals"]:
            reasons[refusal["reason"]] += refusal["count"]
        for reason, count in reasons.items():
            self.refused.add(count, project=project.name, reason=reason)

    def sync(self, state: State, project: Project, connection: str, sync: Sync, now: int) -> None:
        """Where one sync stands."""
        labels = {"project": project.name, "cohort": sync.cohort, "connection": connection, "sync": sync.id}
        facts = state.ledger.facts(sync.id, now)
        counted = {
            "in_segment": facts.acknowledged,
            "owed": owed(facts.desired, facts.acknowledged, facts.uncertain, facts.refused),
            "uncertain": facts.uncertain,
            "unknown": facts.unknown & facts.desired,
            "refused": facts.declined & facts.desired,
        }
        for name, recipients in counted.items():
            self.recipients.add(len(recipients), **labels, state=name)
        if sync.last_as_of is not None:
            self.age.add(max(0, now - sync.last_as_of) / 1_000_000, **labels)
        if found := freshness(state.runs.timing(sync.id)):
            for name, seconds in found.total.items():
                self.fresh.add(seconds, **labels, quantile=f"0.{name[1:]}".rstrip("0"))
            for stage, seconds in (("tick", found.tick), ("loader", found.loader), ("delivery", found.delivery["p95"])):
                self.stage.add(seconds, **labels, stage=stage)


def _decided(told: _Told, state: State, projects: Iterable[Project], now: int) -> None:
    """What the state knows, of all projects."""
    for project in projects:
        slugs = {connection.id: connection.slug for connection in state.connections.all(project.id)}
        syncs = state.syncs.all(project.id)
        healths = Counter(condition(sync, now).health for sync in syncs)
        for health in Health:
            told.syncs.add(healths[health], project=project.name, health=health.value)
        runs, requests = state.runs.totals(project.id)
        for status in RunStatus:
            told.runs.add(runs.get(status, 0), project=project.name, status=status.value)
        told.requests.add(requests, project=project.name)
        for sync in syncs:
            told.sync(state, project, slugs.get(sync.connection, sync.connection), sync, now)
