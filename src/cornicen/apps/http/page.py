"""The status page at ``/``: one server-rendered document, no script; ``/?as=json`` is the same as data."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from cornicen import __version__
from cornicen.apps.http.capture import not_allowed
from cornicen.apps.http.status import View, look

READ = ("GET", "HEAD")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def _instant(moment: int) -> str:
    """``2026-11-24 17:00:05`` in UTC."""
    return (_EPOCH + timedelta(microseconds=moment)).strftime("%Y-%m-%d %H:%M:%S")


def _iso(moment: int) -> str:
    return (_EPOCH + timedelta(microseconds=moment)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _size(count: int) -> str:
    """Bytes for people."""
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            return f"{count:,} bytes" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    raise AssertionError


def _long(seconds: float) -> str:
    """A time span for people, in its largest unit."""
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length:,.0f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 1 else "under 1 s"


def _prose(text: str) -> Markup:
    """A sentence of ours, escaped; what stands in backticks becomes code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped before


_pages = Environment(
    loader=PackageLoader("cornicen.apps.http"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_pages.filters.update(instant=_instant, iso=_iso, count=lambda number: f"{number:,}", size=_size, long=_long, prose=_prose)


class Page:
    """The status page as an ASGI application.

    Args:
        view: What it shows.
    """

    def __init__(self, view: View) -> None:
        self._view = view

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in READ:
            await not_allowed(scope, receive, send, READ)
            return
        found = await look(self._view)
        wants = parse_qs(scope["query_string"].decode("latin-1")).get("as", ["html"])[0]
        if wants == "json":
            response: Response = JSONResponse(found, headers=_HEADERS)
        else:
            page = await asyncio.to_thread(render, found)
            response = Response(page, media_type="text/html", headers=_HEADERS)
        await response(scope, receive, send)


def render(found: dict[str, Any]) -> str:
    """The page.

    Args:
        found: As `cornicen.apps.http.status.look` gives it. Whatever stands in it is escaped.
    """
    return _pages.get_template("status.html").render(found)


async def health(scope: Scope, receive: Receive, send: Send) -> None:
    """200 as long as the door takes requests."""
    if scope["method"] not in READ:
        await not_allowed(scope, receive, send, READ)
        return
    await JSONResponse({"status": "ok", "version": __version__})(scope, receive, send)
