"""A receiver written after Mixpanel's cohort webhook, as strict as any seen in the wild: it shares no code with the sender.

It stages a full set by session and swaps it in when all its pages are there; takes a page of a session only once; knows no
cohort that was not opened by a full set; refuses more than 1,000 members; asks for Basic auth. As a process it prints its
address, and answers ``GET /state`` and ``POST /script``.
"""

import asyncio
import json
import sys
import threading
from base64 import b64encode
from contextlib import asynccontextmanager

from aiohttp import web

from cornicen.wire.client import HttpSender

USER = "user:pass/ü"
MOST = 1000


class Receiver:
    """What it holds, and what it will do to the next requests.

    Attributes:
        cohorts: People by cohort id; what everything is judged by.
        names: Of the cohorts.
        calls: The bodies of all requests that were read, in order.
        script: Of the next requests, in order: a status, ``"late"`` (acts, and answers only after `slow` seconds), ``"after"``
            (acts, then 500), or a pair of status and body; None: as it should be.
        known: Whom it takes; None: everybody.
    """

    def __init__(self, slow=0.0):
        self.cohorts, self.names, self.calls, self.script, self.known = {}, {}, [], [], None
        self.slow, self._pages, self._staged = slow, set(), {}

    def app(self):
        app = web.Application(client_max_size=1 << 22)
        app.router.add_post("/hook", self.hook)
        app.router.add_get("/state", self.state)
        app.router.add_post("/script", self.told)
        return app

    async def state(self, _request):
        cohorts = {name: sorted(self.cohorts[cohort]) for cohort, name in self.names.items() if cohort in self.cohorts}
        return web.json_response({"cohorts": cohorts, "calls": len(self.calls), "left": len(self.script)})

    async def told(self, request):
        self.script = await request.json()
        return web.json_response({})

    async def hook(self, request):
        if request.headers.get("Authorization") != "Basic " + b64encode(USER.encode()).decode():
            return self.fails(None, 401, "Unauthorized.")
        body = await request.json()
        self.calls.append(body)
        fate = self.script.pop(0) if self.script else None
        if isinstance(fate, list | tuple):
            return web.Response(status=fate[0], text=fate[1])
        if isinstance(fate, int):
            return self.fails(body["action"], fate, "As the script has it.")
        answer = self.take(body["action"], body["parameters"])
        if fate == "late":
            await asyncio.sleep(self.slow)
        return self.fails(body["action"], 500, "Broken after all.") if fate == "after" else answer

    def take(self, action, said):
        cohort, session = said["mixpanel_cohort_id"], said["mixpanel_session_id"]
        page, pages = int(said["page_info"]["page_count"]), int(said["page_info"]["total_pages"])
        members = [member["mixpanel_distinct_id"] for member in said["members"]]
        if len(members) > MOST:
            return self.fails(action, 400, f"More than {MOST} members.")
        if action != "members" and cohort not in self.cohorts:
            return self.fails(action, 404, "No such cohort.")
        skipped = {} if self.known is None else {one: "unknown_recipient" for one in members if one not in self.known}
        self.names[cohort] = said["mixpanel_cohort_name"]
        if (cohort, session, page) not in self._pages:
            self._pages.add((cohort, session, page))
            self.apply(action, cohort, session, pages, set(members) - set(skipped))
        return web.json_response({"action": action, "status": "success"} | ({"skipped": skipped} if skipped else {}))

    def apply(self, action, cohort, session, pages, members):
        match action:
            case "members":
                staged = self._staged.setdefault((cohort, session), [])
                staged.append(members)
                if len(staged) == pages:
                    self.cohorts[cohort] = set().union(*staged)
            case "add_members":
                self.cohorts[cohort] |= members
            case "remove_members":
                self.cohorts[cohort] -= members

    @staticmethod
    def fails(action, status, message):
        document = {"action": action, "status": "failure", "error": {"message": message, "code": status}}
        return web.json_response(document, status=status)


class Running:
    """A receiver in a thread of its own; a context manager, and the `Stage` of the destination contract."""

    def __init__(self, make, **settings):
        self.receiver, self._make, self._settings = Receiver(), make, settings
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="receiver", daemon=True)

    def __enter__(self):
        self._thread.start()
        self._runner = asyncio.run_coroutine_threadsafe(serve(self.receiver, 0), self._loop).result()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/hook"
        name, _, password = USER.partition(":")
        self.destination = self._make({"url": self.url, **self._settings}, {"username": name, "password": password})
        return self

    def __exit__(self, *_error):
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @asynccontextmanager
    async def sender(self):
        async with HttpSender(connections=10) as sender:
            yield sender

    def know(self, identifiers):
        self.receiver.known = (self.receiver.known or set()) | set(identifiers)

    def members(self, sync):
        return set(self.receiver.cohorts.get(sync, ()))

    def contained(self, sync):
        """The protocol knows no end of a cohort: one that holds nobody is as good as gone."""
        return bool(self.receiver.cohorts.get(sync))


async def serve(receiver, port):
    runner = web.AppRunner(receiver.app(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner


async def main(slow):
    runner = await serve(Receiver(slow), 0)
    print(json.dumps({"address": f"http://127.0.0.1:{runner.addresses[0][1]}"}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # until whoever started it is gone
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1])))
