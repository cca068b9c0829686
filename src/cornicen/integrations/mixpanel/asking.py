"""What a request to Mixpanel's ingestion asks for, in any of the forms its clients use."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from cornicen.flows.vendors import Inbound
from cornicen.integrations.mixpanel import limits
from cornicen.integrations.mixpanel.answers import Shape
from cornicen.wire import body

LANE_HEADER = "cornicen-lane"
"""A header of ours: ``bulk`` puts everything of the request into the bulk lane. `cornicen import` sends it."""


@dataclass(frozen=True)
class Asked:
    """A request, its wrapping undone.

    Args:
        parameters: Of the form and the query; the query wins.
        strict: As asked; None: not said.
        shape: What is wanted where the answer would be ``1``.
        plain: Whether the records came as a JSON or NDJSON body of their own, not in a form or a query.
        lines: Whether that is said to be NDJSON.
        bulk: Whether the sender wants the bulk lane.
        utf8: Whether all records together are UTF-8.
        text: The JSON or NDJSON text, as far as it was reached.
        hindrance: Why no further; None: it was reached.
    """

    parameters: Mapping[str, str]
    strict: bool | None
    shape: Shape
    plain: bool
    lines: bool
    bulk: bool
    utf8: bool
    text: bytes
    hindrance: body.TooLarge | body.Unreadable | None = None

    @cached_property
    def records(self) -> list[bytes] | body.TooLarge | body.Unreadable:
        """Slices in order, not yet interpreted; or why there are none."""
        return self.hindrance or body.records(self.text, limits.RECORDS, lines=self.lines)

    def slice(self, index: int) -> bytes:
        """One of its records; there is one."""
        return self.records[index] if isinstance(self.records, list) else b""


def empty(records: Sequence[object]) -> bool:
    """Whether there is nothing but empty objects, if that: how importers try whether a credential is good."""
    return all(isinstance(record, bytes) and not record.strip(b"{} \t\r\n") for record in records)


def understand(inbound: Inbound) -> Asked:
    """Undo gzip, form and base64. Never raises."""
    fields, text, plain = _unwrapped(inbound)
    parameters = {name: value.decode("utf-8", "replace") for name, value in fields.items() if name != "data"}
    parameters.update(inbound.query)
    lines = "ndjson" in inbound.headers.get("content-type", "").lower()
    reached = text if isinstance(text, bytes) else b""
    return Asked(
        parameters=parameters,
        strict=flag(parameters.get("strict")),
        shape=_shape(parameters),
        plain=plain,
        lines=plain and lines,
        bulk=inbound.headers.get(LANE_HEADER, "").strip().lower() == "bulk",
        utf8=_utf8(reached),
        text=reached,
        hindrance=None if isinstance(text, bytes) else text,
    )


_is_identifier = re.compile(rf"[A-Za-z_$][A-Za-z0-9_$]{{0,{limits.CALLBACK - 1}}}").fullmatch


def _shape(parameters: Mapping[str, str]) -> Shape:
    callback = parameters.get("callback", "").strip()
    return Shape(
        verbose=parameters.get("verbose", "").strip().lower() in {"1", "2", "true"},
        callback=callback if _is_identifier(callback) else "",
        image=bool(flag(parameters.get("img"))),
    )


def _unwrapped(inbound: Inbound) -> tuple[Mapping[str, bytes], bytes | body.TooLarge | body.Unreadable, bool]:
    """Form fields, the JSON text, and whether that was the body itself."""
    unpacked = body.unpacked(inbound.body, inbound.headers.get("content-encoding", ""), limits.BODY)
    if not isinstance(unpacked, bytes):
        return {}, unpacked, True
    if _is_form(unpacked, inbound.headers.get("content-type", "")):
        fields = body.form(unpacked)
        return fields, body.unwrapped(fields.get("data", b"")), False
    if not unpacked.strip() and "data" in inbound.query:
        return {}, body.unwrapped(inbound.query["data"].encode("utf-8", "replace")), False
    return {}, unpacked, inbound.method != "GET"


def _is_form(text: bytes, content_type: str) -> bool:
    """Whether it is a form. JSON that curl labels as a form is none; a form that a beacon labels as plain text is one."""
    start = text.lstrip(b"\xef\xbb\xbf \t\r\n")[:5]
    if start[:1] in {b"[", b"{"}:
        return False
    kind = content_type.partition(";")[0].strip().lower()
    return start == b"data=" or (kind in {"application/x-www-form-urlencoded", "text/plain"} and b"=" in text)


def flag(value: str | None) -> bool | None:
    """Whether a parameter says yes; None: neither yes nor no."""
    return {"1": True, "true": True, "0": False, "false": False}.get((value or "").strip().lower())


def _utf8(text: bytes) -> bool:
    if text.isascii():
        return True
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
