"""Arrow columns as bitmaps."""

from __future__ import annotations

from array import array
from typing import Any

import pyarrow as pa
from pyroaring import BitMap


def bitmap(numbers: pa.ChunkedArray[Any]) -> BitMap:
    """Numbers as a bitmap; through a plain array, which is several times faster than element by element."""
    found = array("I")
    for chunk in numbers.chunks:
        plain = chunk.cast(pa.uint32())
        values = memoryview(plain.buffers()[1] or b"").cast("B")[plain.offset * 4 : (plain.offset + len(plain)) * 4]
        found.frombytes(values)
    return BitMap(found)
