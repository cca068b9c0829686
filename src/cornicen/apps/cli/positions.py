"""How far each import of a home has come, so that one that was interrupted goes on and a finished one is not begun again.

A position only saves work. That nothing is lost rests on the door's answer, after which alone a position moves; that nothing
is counted twice rests on the records' keys. So a position that is missing or cannot be read is no harm.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from cornicen.apps.cli.formats import Place

FIRST = 65_536
"""Bytes at a file's beginning that its identity is made of."""


class Tally(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What became of a file's records so far.

    Args:
        file: Its path; for people.
        part: With ``line``, the `Place` up to which everything is safe at the door, or was rejected.
        line: As said.
        taken: Records safe at the door.
        rejected: Not taken.
        reasons: How many for each reason.
        rejects: Where the rejected ones were written; empty: there were none.
        rejects_size: How long that file was then, in bytes.
        finished: When the last record was safe, in microseconds since 1970; None: it is not.
    """

    file: str
    part: int = 0
    line: int = 0
    taken: int = 0
    rejected: int = 0
    reasons: dict[str, int] = {}
    rejects: str = ""
    rejects_size: int = 0
    finished: int | None = None

    @property
    def place(self) -> Place:
        """Up to where."""
        return Place(self.part, self.line)


class Positions:
    """The tallies of a home's imports, one file each.

    Args:
        folder: Made when it must be.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def found(self, identity: str) -> Tally | None:
        """How far an import came; None: it never began, or nobody knows."""
        try:
            return msgspec.json.decode(self._path(identity).read_bytes(), type=Tally)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def keep(self, identity: str, tally: Tally) -> None:
        """Keep how far it is; a crash leaves this or the one before. Twice: the same."""
        self._folder.mkdir(exist_ok=True)
        beside = self._path(identity).with_suffix(".new")
        beside.write_bytes(msgspec.json.encode(tally))
        beside.replace(self._path(identity))

    def forget(self, identity: str) -> None:
        """Begin anew. Twice: does nothing."""
        self._path(identity).unlink(missing_ok=True)

    def _path(self, identity: str) -> Path:
        return self._folder / f"{identity}.json"


def identity_of(path: Path, *said: object) -> str:
    """What makes an import the same as an earlier one: where the file is, its size, its time, how it begins, how it is read.

    Args:
        path: A file, or a folder with all that is in it.
        said: Whatever else makes a difference: format, project, options.

    Raises:
        OSError: It cannot be read.
    """
    files = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
    seen = [(str(one.resolve()), one.stat().st_size, one.stat().st_mtime_ns) for one in files]
    with (files or [path])[0].open("rb") as first:
        begins = first.read(FIRST)
    return hashlib.sha256(repr((seen, said)).encode() + begins).hexdigest()[:32]
