"""Pages with the vendors' browser clients, served from an origin of their own, and a visitor who has one open."""

from __future__ import annotations

import http.server
import threading
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
NODE = HERE / "node"


class _Pages(http.server.SimpleHTTPRequestHandler):
    """Our pages, and the clients' own files under ``/sdk/``."""

    def translate_path(self, path: str) -> str:
        folder = NODE / "node_modules" if path.startswith("/sdk/") else HERE / "pages"
        return str(folder / path.partition("?")[0].removeprefix("/sdk/").lstrip("/"))

    def log_message(self, *_said: object) -> None:
        """Nobody reads it."""


@contextmanager
def serving():
    """Serve them; their origin."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Pages)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Shop:
    """A page that a visitor has open, and what its console complained of.

    Args:
        page: The browser's.
        url: Of our page.
    """

    def __init__(self, page, url: str) -> None:
        self.page, self.url, self.complaints, self.sent = page, url, [], []
        page.on("console", lambda said: said.type == "error" and self.complaints.append(said.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.sent.append(request))  # noqa: PLW0108 - the driver marks what it is given
        self.come_back()

    def do(self, script: str, *arguments: object):
        """Call a function of the page and wait for what it promises."""
        return self.page.evaluate(f"given => {script}(...given)", list(arguments))

    def leave(self) -> None:
        """Go away: what the client still has to say it says on the way out."""
        self.page.goto("about:blank")

    def come_back(self) -> None:
        """Open the page, with whatever the client left behind in this browser."""
        self.page.goto(self.url)

    def astray(self, door: str) -> list[str]:
        """Requests that went neither to the page's origin nor to the door."""
        home = self.url.rpartition("/")[0]
        return [one.url for one in self.sent if not one.url.startswith((home, door, "data:", "about:"))]
