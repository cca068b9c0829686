"""Profile changes of a batch, in the loader's order: explicit ones, those that travel with events, and what links end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import pyarrow as pa

from cornicen.events.shapes import Operation, ProfileChange, Refusal
from cornicen.identity.people import Rule
from cornicen.warehouse.aliases import refuse_alias
from cornicen.warehouse.arrivals import Arrivals, Origin, operations_text, record_text
from cornicen.warehouse.catalogue import Catalogue
from cornicen.warehouse.database import Database
from cornicen.warehouse.groups import change_groups
from cornicen.warehouse.keys import WITHIN
from cornicen.warehouse.profiles import ENDED, Unfit
from cornicen.warehouse.resolving import Whose
from cornicen.warehouse.versions import Versions


@dataclass(frozen=True)
class Changed:
    """What became of a batch's profile changes.

    Args:
        applied: Explicit changes that were applied.
        repeated: Explicit changes that had been applied before.
    """

    applied: int
    repeated: int


class _Step(NamedTuple):
    """One change to apply.

    Args:
        load: Its sequence number.
        person: Whose profile.
        operations: What to do.
        change: The record, of an explicit change.
        origin: Where it came from.
        time: When, as the sender says.
    """

    load: int
    person: int
    operations: tuple[Operation, ...]
    change: ProfileChange | None
    origin: Origin
    time: int


class Changing:
    """Applies profile changes.

    Args:
        database: Open, with its schema.
        catalogue: Which properties have typed columns.
        rule: The project's identity rule.
    """

    def __init__(self, database: Database, catalogue: Catalogue, rule: Rule) -> None:
        self._database, self._catalogue, self._rule = database, catalogue, rule

    def write(self, arrivals: Arrivals, whose: Whose, dropped: frozenset[int]) -> Changed:
        """Apply a batch's changes, groups and mappings among them; what cannot be applied becomes a refusal.

        Args:
            arrivals: The batch; refusals are added to it.
            whose: Who it is about.
            dropped: Events that came to nothing; so does what travels with them.
        """
        repeated = self._repeated(arrivals)
        steps = list(self._steps(arrivals, whose, dropped | repeated))
        applied = self._apply(steps, arrivals, whose) if steps or whose.ended else 0
        change_groups(self._database, arrivals)
        return Changed(applied, len(repeated))

    def _repeated(self, arrivals: Arrivals) -> frozenset[int]:
        """Changes whose insert id was there already, under the same device: within seven days, or ever if no time was sent."""
        keyed = [one for one in arrivals.changes if one.change.insert_id]
        if not keyed:
            return frozenset()
        devices = [one.whom[1] or one.whom[0] for one in keyed]
        times = [one.change.time or one.origin.arrived for one in keyed]
        timed = all(one.change.time for one in keyed)
        asked = {"insert_id": pa.array([one.change.insert_id for one in keyed]), "device": pa.array(devices)}
        with self._database.lent(asked=pa.table(asked)):
            rows = self._database.rows(
                "SELECT c.device, c.insert_id, c.time FROM changes c SEMI JOIN asked a "
                "ON a.insert_id = c.insert_id AND a.device = c.device WHERE c.time BETWEEN $low AND $high",
                {"low": min(times) - WITHIN if timed else -(2**63), "high": max(times) + WITHIN if timed else 2**63 - 1},
            )
        kept: dict[tuple[str, str], list[int]] = {}
        for device, insert_id, time in rows:
            kept.setdefault((device, insert_id), []).append(time)
        found = set()
        for one, device, time in zip(keyed, devices, times, strict=True):
            there = kept.setdefault((device, one.change.insert_id), [])
            if any(not one.change.time or abs(time - other) < WITHIN for other in there):
                found.add(one.load)
            else:
                there.append(time)
        return frozenset(found)

    def _steps(self, arrivals: Arrivals, whose: Whose, dropped: frozenset[int]) -> Iterator[_Step]:
        """Everything to apply, by sequence number."""
        explicit = [
            _Step(one.load, person, one.change.operations, one.change, one.origin, one.change.time or one.origin.arrived)
            for one, person in zip(arrivals.changes, whose.changed, strict=True)
            if one.load not in dropped
        ]
        travelling = [
            _Step(one.load, person, one.operations, None, one.origin, one.time)
            for one in arrivals.travelling
            if one.load not in dropped and (person := whose.person_at(one.index, one.load))
        ]
        return iter(sorted([*explicit, *travelling], key=lambda step: step.load) if travelling else explicit)

    def _apply(self, steps: Sequence[_Step], arrivals: Arrivals, whose: Whose) -> int:
        """Apply all of it; how many explicit changes were applied, in part at least."""
        ended = list(whose.ended)
        persons = {step.person for step in steps}.union(*((person, into) for _, person, into in ended))
        versions = Versions(self._database, self._catalogue, persons)
        aliases: dict[int, list[tuple[str, str, str]]] = {}
        for load, name, value, reason in whose.refused:
            aliases.setdefault(load, []).append((name, value, reason))
        kept, next_end, applied = [], 0, 0
        for step in steps:
            while next_end < len(ended) and ended[next_end][0] <= step.load:
                self._end(versions, *ended[next_end])
                next_end += 1
            before = [versions.value(step.person, name) for name, *_ in aliases.get(step.load, ())]
            changed, faults = versions.apply(step.load, step.person, step.operations)
            applied += step.change is not None and (changed or not faults)
            _refuse(arrivals, step, faults)
            for (name, value, reason), was in zip(aliases.get(step.load, ()), before, strict=True):
                if versions.value(step.person, name) != was:
                    refuse_alias(arrivals.refusals, step.load, name, value, reason, step.origin)
            if changed or (step.change is not None and step.change.insert_id):
                kept.append(step)
        for end in ended[next_end:]:
            self._end(versions, *end)
        versions.write()
        self._log(kept, arrivals)
        return applied

    def _end(self, versions: Versions, load: int, person: int, into: int) -> None:
        if self._rule.carries:
            versions.carry(load, person, into)
        else:
            versions.apply(load, person, ENDED)

    def _log(self, steps: Sequence[_Step], arrivals: Arrivals) -> None:
        """Keep which operation set what, when."""
        if not steps:
            return
        whom = {one.load: one.whom for one in arrivals.changes}
        rows = [
            (
                step.load,
                step.person,
                step.time,
                step.origin.arrived,
                step.origin.source,
                (whom[step.load][1] or whom[step.load][0]) if step.change is not None else None,
                (step.change.insert_id or None) if step.change is not None else None,
                _text(step.operations),
            )
            for step in steps
        ]
        names = ("load", "person", "time", "arrived", "source", "device", "insert_id", "operations")
        kinds = (pa.int64(), pa.int32(), pa.int64(), pa.int64(), pa.string(), pa.string(), pa.string(), pa.string())
        columns = {
            name: pa.array(column, kind) for name, kind, column in zip(names, kinds, zip(*rows, strict=True), strict=True)
        }
        with self._database.lent(logged=pa.table(columns)):
            self._database.rows(f"INSERT INTO changes ({', '.join(names)}) SELECT {', '.join(names)} FROM logged")


def _text(operations: tuple[Operation, ...]) -> str:
    return msgspec.json.encode([(one.verb, msgspec.Raw(one.operand)) for one in operations]).decode()


def _refuse(arrivals: Arrivals, step: _Step, faults: Sequence[Unfit]) -> None:
    for unfit in faults:
        record = record_text(step.change) if step.change is not None else operations_text(step.operations)
        arrivals.refusals.add(step.load, Refusal(unfit.reason, unfit.field, unfit.message, record), step.origin)
