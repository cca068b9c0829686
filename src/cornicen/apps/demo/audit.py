"""The audit: the simulator read back through its CSV export, against a recomputation by a process that knows nothing of us."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from cornicen.apps.cli import instants
from cornicen.apps.demo.stage import Stage
from cornicen.errors import CornicenError

REASONS = ("no_profile", "no_id", "shared", "unknown", "refused")


def audit(stage: Stage, data: Path, moment: int) -> list[dict[str, Any]]:
    """What the simulator holds, what it should hold, and what we say of it; one entry a cohort.

    Each has ``slug, size, exportable, in_segment, not_exported, differ, missing, surplus, claimed``; all but the last come
    from the recomputation and the export, ``claimed`` is the line that `cornicen sync status` shows.
    """
    folder = stage.home / "exports"
    folder.mkdir(exist_ok=True)
    standings = stage.do("sync", "status")["syncs"]
    names = {one["slug"]: one["name"] for one in stage.do("cohort", "list")["cohorts"]}
    exports = {}
    for one in standings:
        file = folder / f"{one['cohort']}.csv.gz"
        stage.app.export(str(one["segment"].get("name") or names[one["cohort"]]), file)
        exports[one["cohort"]] = file
    found = _recomputed(data, moment, exports)
    claimed = {one["cohort"]: {name: one[name] for name in ("size", *REASONS, "in_segment")} for one in standings}
    return [{**one, "claimed": claimed.get(one["slug"], {})} for one in found["cohorts"]]


def _recomputed(data: Path, moment: int, exports: dict[str, Path]) -> dict[str, Any]:
    script = Path(__file__).with_name("recompute.py")
    given = [part for slug, file in exports.items() for part in ("--export", f"{slug}={file}")]
    command = [sys.executable, "-I", str(script), "--data", str(data), "--as-of", instants.show(moment), *given]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own script
    if done.returncode:
        raise CornicenError("The recomputation failed.", done.stderr.strip().splitlines()[-1] if done.stderr else "")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def disagreements(entry: dict[str, Any]) -> list[str]:
    """Where our own numbers are not those of the recomputation."""
    claimed = entry["claimed"]
    theirs = {"size": entry["size"], **entry["not_exported"], "in_segment": entry.get("in_segment")}
    return [
        f"{name}: we say {claimed.get(name)}, it is {value}" for name, value in theirs.items() if claimed.get(name) != value
    ]
