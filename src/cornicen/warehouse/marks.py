"""The low mark: how a reader knows of records that a door has stamped and that are not in its file yet.

Each door shows one number, its mark: 0, or an instant no later than the stamp of any record that it has taken and that is
not yet safe in its file. The door, for every record, under one lock:

1. if the mark is 0, shows ``now()`` there (`Mark.publish`);
2. *then* takes the record's stamp, ``max(now(), mark, the stamp before)``;
3. puts the record into the queue of its writer.

The writer writes and syncs everything queued, and *then*, under the same lock, moves the mark up to the stamp of the oldest
record that is still queued, or to 0 where there is none (`Mark.settle`).

A reader reads the clock, then who lives and their marks, then the files, and answers with the instant just before the
earliest of the three: its ``now``, the marks that are not 0, and the stamps of the live frames not yet loaded.

*Why every live record that is not loaded has a stamp after the answer.* Let ``s`` be its stamp, and look at the moment ``b`` at
which the reader read its door's mark.

- ``b`` lies before the record's step 1. Its stamp was read from the clock after that, the reader's ``now`` before ``b``:
  so ``s >= now``, and the answer is before ``now``.
- ``b`` lies between its step 1 and the writer's first move after its sync. After step 1 the mark is not 0, and step 2 makes
  ``s`` no smaller. Until its own sync the writer can only have moved the mark to the stamp of the oldest queued record, and
  that is this one or an earlier one; stamps never decrease. So the mark read is not 0 and at most ``s``.
- ``b`` lies after that move. Then the record was safe in its file before ``b``, and the reader reads files after marks: it
  meets the record there, or the record is loaded.

A door whose process is dead shows nothing: what it had not synced was never acknowledged, and what it had written lies in
its files. Whether it lives is read before its mark; a door that starts later takes its stamps later.

The proof uses that the clock does not run backwards between processes of one machine. Where it is set back, an answer may
be as early as the clock says, and a record may be stamped before an answer that was given already.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path

BYTES = 8


class Mark:
    """One door's mark, shared with readers through eight bytes of a file.

    A view of machine integers stores and loads them whole, so that no reader sees half of one.

    Args:
        path: Made where it does not exist.
    """

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if os.fstat(descriptor).st_size < BYTES:
                os.ftruncate(descriptor, BYTES)
            self._map = mmap.mmap(descriptor, BYTES)
        finally:
            os.close(descriptor)
        self._cell = memoryview(self._map).cast("q")

    @property
    def value(self) -> int:
        """The mark; 0: nothing is under way."""
        return self._cell[0]

    def publish(self, now: int) -> None:
        """Show that a stamp is about to be taken. Twice: the first, earlier one stays."""
        if not self._cell[0]:
            self._cell[0] = max(now, 1)

    def settle(self, oldest: int | None) -> None:
        """Show what is still under way: the stamp of the oldest record that is not safe, or nothing. Twice: the same."""
        self._cell[0] = oldest or 0

    def close(self) -> None:
        """Give the mapping back; the file stays."""
        self._cell.release()
        self._map.close()


def read(path: Path) -> int:
    """A door's mark as it is now; 0 where it has none."""
    if not path.exists():
        return 0
    mark = Mark(path)
    try:
        return mark.value
    finally:
        mark.close()
