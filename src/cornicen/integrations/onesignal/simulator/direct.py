"""Asking a simulator without a socket: what tests use that do not care about connections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from cornicen.integrations.onesignal.simulator.api.call import Asked
from cornicen.integrations.onesignal.simulator.simulator import Simulator
from cornicen.integrations.onesignal.simulator.state.app import App


@dataclass(frozen=True)
class Reply:
    """What came back.

    Args:
        status: The HTTP status; 0: nothing came back.
        body: As sent; only its beginning, if the connection then closed.
        headers: Names in lower case.
    """

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def json(self) -> Any:  # noqa: ANN401  (whatever JSON says)
        """The body, decoded."""
        return msgspec.json.decode(self.body)


class Direct:
    """A caller with a key.

    Args:
        simulator: Whom to ask.
        app: For whose paths.
    """

    def __init__(self, simulator: Simulator, app: App) -> None:
        self.simulator = simulator
        self.app = app

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Reply:
        """Ask for a path below ``/apps/{app}``, or for an absolute one.

        Args:
            method: In capitals.
            path: ``segments?limit=1``, or ``/players/csv_export``.
            body: Sent as it is if bytes, as JSON otherwise; None: none.
            headers: More of them, ``_`` for ``-``. ``authorization=""`` sends none.
        """
        path, _, query = (path if path.startswith("/") else f"/apps/{self.app.id}/{path}".rstrip("/")).partition("?")
        sent = body if isinstance(body, bytes) else b"" if body is None else msgspec.json.encode(body)
        given = {"authorization": f"Key {self.app.api_key}", "content-type": "application/json"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        _, _, outcome = self.simulator.respond(Asked(method, path, query, given, sent, "127.0.0.1"))
        if outcome.answer is None:
            return Reply(0, b"", {})
        answer, kept = outcome.answer, outcome.answer.body[: outcome.cut]
        return Reply(answer.status, kept, {name.decode(): value.decode() for name, value in answer.headers})

    def tag(self, external_id: str, **tags: object) -> Reply:
        """Write tags of one user."""
        return self.ask("PATCH", f"users/by/external_id/{external_id}", {"properties": {"tags": tags}})
