"""One figure a line as JSON, then a table with the machine's facts, kept under ``bench/results/``."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    Args:
        name: What was measured.
        value: In ``unit``.
        unit: E.g. ``ms``.
        against: What it is compared with, measured in the same run; "" for an absolute figure.
        ratio: value / that, or the other way round where more is better; None for an absolute figure.
        goal: E.g. ``<= 1.5``; "" none.
        holds: Whether the goal holds; None: there is none.
    """

    name: str
    value: float
    unit: str
    against: str = ""
    ratio: float | None = None
    goal: str = ""
    holds: bool | None = None


def timed(work: Callable[[], object], repeats: int = 7) -> float:
    """The median of some runs after one warm-up, in milliseconds."""
    work()
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        taken.append((time.perf_counter() - start) * 1e3)
    return statistics.median(taken)


def paired(ours: Callable[[], object], theirs: Callable[[], object], repeats: int = 9) -> tuple[float, float, float]:
    """Two things measured in turn: medians in milliseconds, and the median of the ratios pair by pair."""
    ours()
    theirs()
    mine, other, ratios = [], [], []
    for _ in range(repeats):
        start = time.perf_counter()
        ours()
        middle = time.perf_counter()
        theirs()
        end = time.perf_counter()
        mine.append((middle - start) * 1e3)
        other.append((end - middle) * 1e3)
        ratios.append((middle - start) / (end - middle))
    return statistics.median(mine), statistics.median(other), statistics.median(ratios)


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    facts = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":", 1)[1].strip() for line in facts if line.startswith("model name")), platform.processor())
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "memory_gib": round(pages / 2**30, 1),
        "load": [round(one, 2) for one in os.getloadavg()],
        "system": platform.platform(),
        "python": platform.python_version(),
        "duckdb": version("duckdb"),
        "cornicen": version("cornicen"),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def report(suite: str, figures: list[Figure]) -> int:
    """Print and keep the figures; the exit code: 1 if a goal does not hold."""
    facts = machine()
    for figure in figures:
        print(json.dumps(asdict(figure)))
    print()
    for name, value in facts.items():
        print(f"{name:12} {value}")
    print()
    width = max(len(figure.name) for figure in figures)
    for figure in figures:
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f} of {figure.against}"
        verdict = {True: f"holds ({figure.goal})", False: f"DOES NOT HOLD ({figure.goal})", None: ""}[figure.holds]
        print(f"{figure.name:{width}}  {figure.value:>12,.2f} {figure.unit:8} {ratio:48} {verdict}")
    RESULTS.mkdir(exist_ok=True)
    kept = RESULTS / f"{suite}.json"
    kept.write_text(json.dumps({"machine": facts, "figures": [asdict(figure) for figure in figures]}, indent=1) + "\n")
    print(f"\nkept as {kept.relative_to(Path.cwd())}" if kept.is_relative_to(Path.cwd()) else f"\nkept as {kept}")
    return int(any(figure.holds is False for figure in figures))
