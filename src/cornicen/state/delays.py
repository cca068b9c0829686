"""How long after its beginning a run's changes were acknowledged, counted on a scale: a few rows, however many changes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

import sqlalchemy as sa

from cornicen.flows.records import RunStatus, Timing
from cornicen.state.prepared import Prepared, PreparedList
from cornicen.state.tables import run, run_delay, tick

RATIO = 1.05
"""Between two steps of the scale: what is read off it is at most so much too long. Its first step is a millisecond."""

MILLISECOND = 1_000


def step_of(delay: int) -> int:
    """The step of a delay in microseconds: 0 up to a millisecond, also where a clock stepped back."""
    return max(0, math.ceil(math.log(delay / MILLISECOND, RATIO))) if delay > MILLISECOND else 0


def seconds_of(step: int) -> float:
    """The longest delay of a step."""
    return float(RATIO**step) * MILLISECOND / 1_000_000


def note(db: sa.Connection, added: Mapping[int, int], removed: Mapping[int, int], now: int) -> None:
    """Count changes of some runs that are acknowledged now.

    Args:
        db: In a writing transaction.
        added: How many, by run.
        removed: Likewise.
        now: Microseconds.
    """
    changes = Counter(added) + Counter(removed)
    if changes:
        began = dict(_BEGAN.rows(db, sorted(changes)))
        rows = [{"i": id_, "s": step_of(now - began[id_])} for id_ in sorted(changes)]
        _MAKE.each(db, rows)
        _COUNT.each(db, [{**row, "n": changes[row["i"]]} for row in rows])


def timing(db: sa.Connection, sync: int) -> Timing | None:
    """The newest run of a sync of which a change was acknowledged; None: there is none."""
    latest = sa.select(sa.func.max(run_delay.c.run)).join(run, run.c.id == run_delay.c.run).where(run.c.sync == sync)
    chosen = sa.select(run.c.id, tick.c.as_of, tick.c.started, tick.c.ended).join(tick, tick.c.id == run.c.tick)
    found = db.execute(chosen.where(run.c.id == latest.scalar_subquery())).first()
    if found is None:
        return None
    earlier = (run.c.sync == sync, run.c.id < found.id, run.c.status != RunStatus.HELD)
    before = db.scalar(sa.select(sa.func.max(tick.c.as_of)).join(run, run.c.tick == tick.c.id).where(*earlier))
    steps = sa.select(run_delay.c.step, run_delay.c.changes).where(run_delay.c.run == found.id).order_by(run_delay.c.step)
    delays = tuple((seconds_of(row.step), row.changes) for row in db.execute(steps))
    return Timing(found.id, found.as_of, found.started, found.ended, before, delays)


def _began(numbers: list[sa.BindParameter[int]]) -> sa.Executable:
    return sa.select(run.c.id, tick.c.started).join(tick, tick.c.id == run.c.tick).where(run.c.id.in_(numbers))


def _make() -> sa.Executable:
    this, step = (sa.bindparam(name, type_=sa.BigInteger()) for name in ("i", "s"))
    there = sa.exists().where(run_delay.c.run == this, run_delay.c.step == step)
    nothing: sa.Select[*tuple[int, ...]] = sa.select(this, step, sa.literal_column("0")).where(~there)
    return sa.insert(run_delay).from_select(["run", "step", "changes"], nothing)


_BEGAN = PreparedList(_began)
_MAKE = Prepared(_make())
_COUNT = Prepared(
    sa.update(run_delay)
    .where(run_delay.c.run == sa.bindparam("i"), run_delay.c.step == sa.bindparam("s"))
    .values(changes=run_delay.c.changes + sa.bindparam("n"))
)
