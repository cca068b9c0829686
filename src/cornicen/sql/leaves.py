"""Set algebra over bitmaps, for engines whose answers come as bitmaps: SQL is asked about the leaves of queries alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pyroaring import BitMap

from cornicen.cohorts.query import All, Any, Known, Not, Query
from cornicen.sql.canonical import settled


def members(queries: Sequence[Query], as_of: int, ask: Callable[[Query], BitMap]) -> list[BitMap]:
    """Answer queries from their leaves.

    Args:
        queries: In any number; equal parts, within and among them, are asked and combined once.
        as_of: Microseconds since 1970 UTC.
        ask: Answers a `Did`, `Profile`, `Given` or `Known`, restricted or not. It is called at most once for each distinct one,
            and for `Known` only where a query cannot be answered without.

    Returns:
        One bitmap a query, in order, none shared with another.
    """
    answers: dict[Query, BitMap] = {}

    def answer(query: Query) -> BitMap:
        if query not in answers:
            match query:
                case All(parts=parts):
                    answers[query] = _all(parts, answer)
                case Any(parts=parts):
                    answers[query] = BitMap.union(*map(answer, parts))
                case Not(part=part):
                    answers[query] = answer(Known()) - answer(part)
                case _:
                    answers[query] = ask(query)
        return answers[query]

    return [answer(settled(query, as_of)).copy() for query in queries]


def _all(parts: Sequence[Query], answer: Callable[[Query], BitMap]) -> BitMap:
    """What is in all parts: the negated ones are taken away from the others, which are within the known persons already."""
    without = [part.part for part in parts if isinstance(part, Not)]
    within = [part for part in parts if not isinstance(part, Not)] or [Known()]
    found = BitMap.intersection(*map(answer, within))
    return found - BitMap.union(*map(answer, without)) if without else found
