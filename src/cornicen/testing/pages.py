"""A destination of the other shape: pages of one cohort, as a webhook takes them. It exists to hold the seam to its promise.

Its server answers on the loopback: ``PUT`` and ``DELETE /cohorts/{sync}`` make, name and remove a cohort; ``POST
/cohorts/{sync}/add`` and ``/remove`` take a page of members and say whom they refuse; ``GET /`` says who answers.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace

from aiohttp import web

from cornicen.delivery.shapes import Answer, Container, Ensured, Grouping, Parcel, Shape, Verdict
from cornicen.errors import Unreachable, WrongKey
from cornicen.flows.ports import Sender
from cornicen.wire.client import HttpSender
from cornicen.wire.http import NotSent, Reply, Request, Result
from cornicen.wire.retry_after import retry_after

PAGE = 3
"""Members a request, so that a test needs few."""


class PageDestination:
    """Its `members_out`.

    Args:
        address: Of the server.
    """

    def __init__(self, address: str) -> None:
        self.shape = Shape(Grouping.PAGE, PAGE)
        self.rate = 500.0
        self.connections = 4
        self.longest_answer = 30.0
        self._address = address

    def probe(self) -> Request:
        """Who answers."""
        return self._request("GET", "/")

    def probed(self, result: Result) -> str:
        """The server's name. Raises: WrongKey, Unreachable."""
        if isinstance(result, Reply) and result.status == 401:
            raise WrongKey("The page server refuses the key.", "Give another.")
        document = _document(result)
        if document is None:
            raise Unreachable("The page server does not answer.", "Try again in a minute.")
        return str(document.get("name", ""))

    def ensure(self, container: Container) -> Request:
        """Make or rename the cohort. Twice: the same cohort."""
        return self._request("PUT", f"/cohorts/{container.sync}", {"name": container.name})

    def ensured(self, container: Container, result: Result) -> Ensured:
        """What the answer to `ensure` means."""
        return self._meant(replace(container, exists=True), container, result)

    def retire(self, container: Container) -> Request:
        """Remove the cohort. Twice: it is gone."""
        return self._request("DELETE", f"/cohorts/{container.sync}")

    def retired(self, container: Container, result: Result) -> Ensured:
        """What the answer to `retire` means."""
        return self._meant(replace(container, exists=False), container, result)

    def deliver(self, parcel: Parcel) -> Request:
        """One page. Twice: the same members."""
        verb = "add" if parcel.changes[0].want else "remove"
        members = [change.identifier for change in parcel.changes]
        return self._request("POST", f"/cohorts/{parcel.changes[0].sync}/{verb}", {"members": members})

    def answered(self, parcel: Parcel, result: Result) -> Answer:
        """What its answer means, member for member."""
        verdict = _verdict(result)
        words = "" if isinstance(result, Reply) else result.why
        wait = retry_after(result.headers) if isinstance(result, Reply) else None
        if verdict is not Verdict.ACCEPTED:
            error = WrongKey("The page server refuses the key.", "Give another.") if verdict is Verdict.DENIED else None
            return Answer(verdict, "invalid" if verdict is Verdict.REFUSED else "", words, wait, error=error)
        refused = (_document(result) or {}).get("refused")
        reasons = refused if isinstance(refused, dict) else {}
        others = {
            change.recipient: Answer(Verdict.REFUSED, str(reasons[change.identifier]))
            for change in parcel.changes
            if change.identifier in reasons
        }
        return Answer(Verdict.ACCEPTED, others=others)

    def _meant(self, after: Container, before: Container, result: Result) -> Ensured:
        verdict = _verdict(result)
        words = "" if isinstance(result, Reply) else result.why
        wait = retry_after(result.headers) if isinstance(result, Reply) else None
        return Ensured(after if verdict is Verdict.ACCEPTED else before, verdict, words, wait)

    def _request(self, method: str, path: str, body: object = None) -> Request:
        encoded = None if body is None else json.dumps(body).encode()
        return Request(method, self._address + path, {"Content-Type": "application/json"}, encoded)


def _document(result: Result) -> dict[str, object] | None:
    try:
        body = json.loads(result.body) if isinstance(result, Reply) else None
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _verdict(result: Result) -> Verdict:
    if not isinstance(result, Reply):
        return Verdict.UNTOUCHED if isinstance(result, NotSent) else Verdict.UNKNOWN
    if result.status == 200 and _document(result) is not None:
        return Verdict.ACCEPTED
    if result.status in {401, 403}:
        return Verdict.DENIED
    if result.status == 429:
        return Verdict.UNTOUCHED
    return Verdict.REFUSED if 400 <= result.status < 500 else Verdict.UNKNOWN


class PageServer:
    """The server, in a thread of its own; a context manager. It is the `Stage` of the contract too."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._cohorts: dict[str, set[str]] = {}
        self._kept: dict[str, set[str]] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="page server", daemon=True)
        self.address = ""

    def __enter__(self) -> PageServer:
        self._thread.start()
        self._runner: web.AppRunner = self._call(self._start)
        self.destination = PageDestination(self.address)
        return self

    def __exit__(self, *_error: object) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @asynccontextmanager
    async def sender(self) -> AsyncIterator[Sender]:
        """Over the network."""
        async with HttpSender(connections=10) as sender:
            yield sender

    def know(self, identifiers: Iterable[str]) -> None:
        """From now on the server knows these."""
        self._known |= set(identifiers)

    def members(self, sync: str) -> set[str]:
        """Whom it holds in the cohort, or would if the cohort were made again."""
        return set(self._kept.get(sync, ()))

    def contained(self, sync: str) -> bool:
        """Whether the cohort is there."""
        return sync in self._cohorts

    def _call(self, work: Callable[[], object]) -> web.AppRunner:
        return asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()

    async def _start(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_get("/", self._hello)
        app.router.add_put("/cohorts/{sync}", self._make)
        app.router.add_delete("/cohorts/{sync}", self._remove)
        app.router.add_post("/cohorts/{sync}/{verb:add|remove}", self._page)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    async def _hello(self, _request: web.Request) -> web.Response:
        return web.json_response({"name": "Page server"})

    async def _make(self, request: web.Request) -> web.Response:
        sync = request.match_info["sync"]
        self._cohorts[sync] = self._kept.setdefault(sync, set())
        return web.json_response({})

    async def _remove(self, request: web.Request) -> web.Response:
        self._cohorts.pop(request.match_info["sync"], None)
        return web.json_response({})

    async def _page(self, request: web.Request) -> web.Response:
        cohort = self._cohorts.get(request.match_info["sync"])
        members = (await request.json())["members"]
        if cohort is None:
            return web.json_response({"error": "no such cohort"}, status=404)
        if len(members) > PAGE:
            return web.json_response({"error": f"more than {PAGE} members"}, status=413)
        refused = {member: "unknown_recipient" for member in members if member not in self._known}
        taken = set(members) - set(refused)
        cohort.update(taken) if request.match_info["verb"] == "add" else cohort.difference_update(taken)
        return web.json_response({"refused": refused})
