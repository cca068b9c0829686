"""What ties a reader to a JSON Schema, so that what editors offer is what parsing takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from cornicen.cohorts.parts.place import Place

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True)
class Part(Generic[T_co]):
    """The value of one key.

    Args:
        read: Reads what was written; None after it has noted a fault.
        schema: JSON Schema (2020-12) of what `read` takes. It may refer to ``#/$defs/…`` of `cornicen.cohorts.schema`.
    """

    read: Callable[[object, Place], T_co | None]
    schema: Mapping[str, object]
