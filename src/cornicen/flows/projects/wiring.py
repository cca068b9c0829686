"""``syncs.yml``: connections to destinations, and which cohort goes where how often."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cornicen.errors import Fault
from cornicen.flows.projects.documents import Document
from cornicen.flows.projects.settings import check, nearest
from cornicen.flows.records import Cadence, Guard
from cornicen.flows.vendors import Manifest

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")

EVERY = {
    "15 minutes": Cadence.QUARTER_HOUR,
    "every 15 minutes": Cadence.QUARTER_HOUR,
    "hourly": Cadence.HOURLY,
    "daily": Cadence.DAILY,
    "once": Cadence.ONCE,
}
"""What ``every`` may say."""

USUAL = Guard()


@dataclass(frozen=True)
class WiredConnection:
    """A connection as the file has it, its settings checked and its secrets resolved."""

    slug: str
    vendor: str
    settings: Mapping[str, object]
    secrets: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class WiredSync:
    """A sync as the file has it.

    Args:
        cohort: Cohort slug.
        to: Connection slug.
        cadence: How often.
        guard: When a run is held.
        path: Where in the document.
    """

    cohort: str
    to: str
    cadence: Cadence
    guard: Guard
    path: str


def _unless_empty(value: object, empty: object) -> object:
    """A key without a value says the same as an empty one."""
    return empty if value is None else value


class Wiring:
    """Reads one ``syncs.yml``.

    Args:
        document: Its text, read.
        folder: Relative ``file:`` references start here.
        manifests: The vendors, by name.
        environment: Where ``env:`` references look.

    Attributes:
        connections: By slug, those without faults; every slug that is written is a key of `written`.
        syncs: In order, those without faults.
        faults: What is wrong.
    """

    def __init__(
        self, document: Document, folder: Path, manifests: Mapping[str, Manifest], environment: Mapping[str, str]
    ) -> None:
        self._document, self._folder, self._manifests, self._environment = document, folder, manifests, environment
        self.faults: list[Fault] = list(document.faults)
        top = self._mapping(_unless_empty(document.value, {}), "", ("connections", "syncs"))
        self.written = self._mapping(_unless_empty(top.get("connections"), {}), "connections", None)
        found = [self._connection(slug, given) for slug, given in self.written.items()]
        self.connections = {connection.slug: connection for connection in found if connection is not None}
        self.syncs: list[WiredSync] = []
        listed = _unless_empty(top.get("syncs"), [])
        if not isinstance(listed, list):
            self.fault("syncs", "must be a list.", "Begin each sync with `- cohort: SLUG`.")
            listed = []
        for number, given in enumerate(listed):
            self._sync(f"syncs[{number}]", given)

    def fault(self, path: str, what: str, fix: str) -> None:
        """Note a fault of the document."""
        self.faults.append(Fault(self._document.at(path), what, fix))

    def _mapping(self, value: object, path: str, known: tuple[str, ...] | None) -> dict[str, object]:
        if not isinstance(value, dict):
            self.fault(path, "must be a mapping.", f"Write {'the keys ' + ', '.join(known) if known else 'a key for each'}.")
            return {}
        for name in value.keys() - set(known or value):
            self.fault(f"{path}.{name}" if path else name, "is no key here.", nearest(name, list(known or ())))
        return value

    def _connection(self, slug: str, given: object) -> WiredConnection | None:
        path, before = f"connections.{slug}", len(self.faults)
        if not SLUG.fullmatch(slug):
            self.fault(path, "is no slug.", "Use lower-case letters, digits and hyphens, 64 at most.")
        if not isinstance(given, dict):
            self.fault(path, "must be a mapping.", "Write `vendor` and the vendor's settings under it.")
            return None
        vendors = [name for name, manifest in self._manifests.items() if manifest.destination is not None]
        vendor = given.get("vendor")
        if not isinstance(vendor, str) or vendor not in vendors:
            what = "is missing." if vendor is None else f"is no destination: {vendor!r}."
            self.fault(f"{path}.vendor", what, nearest(str(vendor or ""), vendors))
            return None
        settings = {name: value for name, value in given.items() if name != "vendor"}
        checked = check(self._manifests[vendor], settings, self._folder, self._environment)
        for fault in checked.faults:
            self.fault(f"{path}.{fault.path}", fault.what, fault.fix)
        return WiredConnection(slug, vendor, checked.settings, checked.secrets) if len(self.faults) == before else None

    def _sync(self, path: str, given: object) -> None:
        before = len(self.faults)
        keys = self._mapping(given, path, ("cohort", "to", "every", "guard"))
        if not keys and len(self.faults) > before:
            return
        cohort, to = (self._slug(f"{path}.{name}", keys.get(name)) for name in ("cohort", "to"))
        cadence = self._cadence(f"{path}.every", keys.get("every", "15 minutes"))
        guard = self._guard(f"{path}.guard", keys.get("guard", {}))
        if any((sync.cohort, sync.to) == (cohort, to) for sync in self.syncs):
            self.fault(path, f"sends {cohort} to {to} a second time.", "Keep one of them.")
        if len(self.faults) == before:
            self.syncs.append(WiredSync(cohort, to, cadence, guard, path))

    def _slug(self, path: str, value: object) -> str:
        if not isinstance(value, str) or not value:
            what = "is missing." if value is None else "must be a slug."
            self.fault(path, what, f"Name the {'connection' if path.endswith('.to') else 'cohort'}.")
            return ""
        return value

    def _cadence(self, path: str, every: object) -> Cadence:
        cadence = EVERY.get(every) if isinstance(every, str) else None
        if cadence is None:
            self.fault(path, f"is no cadence: {every!r}.", "Write 15 minutes, hourly, daily or once.")
        return cadence or Cadence.QUARTER_HOUR

    def _guard(self, path: str, given: object) -> Guard:
        if given == "off" or given is False:
            return Guard(None, None)
        keys = self._mapping(given, path, ("percent", "count"))
        percent, count = keys.get("percent", USUAL.percent), keys.get("count", USUAL.count)
        if isinstance(percent, bool) or not isinstance(percent, int | float) or not 0 <= percent <= 100:
            self.fault(f"{path}.percent", "must be a number from 0 to 100.", "To hold nothing write `guard: off`.")
            return USUAL
        if isinstance(count, bool) or not isinstance(count, int) or count < 0:
            self.fault(f"{path}.count", "must be a whole number, 0 or more.", "To hold nothing write `guard: off`.")
            return USUAL
        return Guard(float(percent), count)
