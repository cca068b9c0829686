"""``python -m bench NAME``: run one suite; exit 1 if a figure with a goal does not hold."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import bench
from bench.report import report


def main() -> int:
    """Run the suite that is named."""
    suites = sorted(
        found.name for found in pkgutil.iter_modules(bench.__path__) if found.name not in {"__main__", "report", "sending"}
    )
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in suites:
        print(f"There is no suite {name!r}; there are: {', '.join(suites)}.", file=sys.stderr)
        return 2
    return report(name, list(importlib.import_module(f"bench.{name}").figures()))


if __name__ == "__main__":
    sys.exit(main())
