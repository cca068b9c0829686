"""What a request to Mixpanel's ingestion asks for, in any of the forms its clients use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cornicen.flows.vendors import Inbound
from cornicen.integrations.mixpanel import limits
from cornicen.wire import body

LANE_HEADER = "cornicen-lane"
"""A header of ours: ``bulk`` puts everything of the request into the bulk lane. `cornicen import` sends it."""


@dataclass(frozen=True)
class Asked:
    """A request, its wrapping undone.

    Args:
        parameters: Of the form and the query; the query wins.
        records: Slices in order, not yet interpreted; or why there are none.
        strict: As asked; None: not said.
        verbose: Whether JSON is wanted where the answer would be ``1``.
        plain: Whether the records came as a JSON or NDJSON body of their own, not in a form or a query.
        bulk: Whether the sender wants the bulk lane.
        utf8: Whether all records together are UTF-8.
        text: The JSON or NDJSON text, as far as it was reached.
    """

    parameters: Mapping[str, str]
    records: list[bytes] | body.TooLarge | body.Unreadable
    strict: bool | None
    verbose: bool
    plain: bool
    bulk: bool
    utf8: bool
    text: bytes

    @property
    def empty(self) -> bool:
        """Whether there is nothing in it but empty objects, if that: how importers try whether a credential is good."""
        return isinstance(self.records, list) and all(not record.strip(b"{} \t\r\n") for record in self.records)


def understand(inbound: Inbound) -> Asked:
    """Undo gzip, form and base64, and slice the records. Never raises."""
    fields, text, plain = _unwrapped(inbound)
    parameters = {name: value.decode("utf-8", "replace") for name, value in fields.items() if name != "data"}
    parameters.update(inbound.query)
    lines = "ndjson" in inbound.headers.get("content-type", "").lower()
    sliced = body.records(text, limits.RECORDS, lines=plain and lines) if isinstance(text, bytes) else text
    reached = text if isinstance(text, bytes) else b""
    return Asked(
        parameters=parameters,
        records=sliced,
        strict=_flag(parameters.get("strict")),
        verbose=parameters.get("verbose", "").strip().lower() in {"1", "2", "true"},
        plain=plain,
        bulk=inbound.headers.get(LANE_HEADER, "").strip().lower() == "bulk",
        utf8=_utf8(reached),
        text=reached,
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


def _flag(value: str | None) -> bool | None:
    return {"1": True, "true": True, "0": False, "false": False}.get((value or "").strip().lower())


def _utf8(text: bytes) -> bool:
    if text.isascii():
        return True
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
