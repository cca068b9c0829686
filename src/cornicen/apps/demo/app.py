"""The simulated OneSignal app, as its owner uses it: the users it begins with, and the CSV export it is read back by."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from cornicen.apps.demo.scenario import FOREIGN_TAGS, is_refused, is_unknown, recipient
from cornicen.errors import Unavailable

PATIENCE = 30.0
BETWEEN_LOOKS = 0.05


@dataclass(frozen=True)
class App:
    """One app at a simulator.

    Args:
        address: The simulator's origin.
        id: The app's.
        key: Its API key.
    """

    address: str
    id: str
    key: str

    def populate(self, households: Iterable[int]) -> int:
        """Make the users that OneSignal knows, each with one subscription; how many there are.

        Twice: changes nothing.
        """
        known = sorted({recipient(one) for one in households if not is_unknown(one)})
        full = {recipient(one) for one in households if is_refused(one)}
        tags = {f"others_{number}": "1" for number in range(FOREIGN_TAGS)}
        users = [
            {
                "external_id": name,
                "tags": tags if name in full else {},
                "subscriptions": [{"type": "AndroidPush", "token": f"device-of-{name}"}],
            }
            for name in known
        ]
        self._ask("POST", "/_simulator/seed", {"app_id": self.id, "users": users})
        return len(known)

    def export(self, segment: str, file: Path) -> None:
        """Read a segment back: ask for its CSV export, wait until it is written, and keep it.

        Raises:
            Unavailable: No file came.
        """
        wanted = {"segment_name": segment, "extra_fields": ["external_user_id"]}
        _, asked = self._ask("POST", f"/players/csv_export?app_id={self.id}", wanted)
        path = urlsplit(json.loads(asked)["csv_file_url"]).path
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            status, content = self._ask("GET", path)
            if status == 200:
                file.write_bytes(content)
                return
            time.sleep(BETWEEN_LOOKS)
        raise Unavailable("The export was not written in time.")

    def _ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> tuple[int, bytes]:
        headers = {"authorization": f"Key {self.key}", "content-type": "application/json"}
        line = HTTPConnection(urlsplit(self.address).netloc, timeout=PATIENCE)
        try:
            line.request(method, path, None if body is None else json.dumps(body), headers)
            answer = line.getresponse()
            status, content = answer.status, answer.read()
        finally:
            line.close()
        if status not in {200, 403, 404}:  # an export that is not written yet answers one of these
            raise Unavailable(f"The simulated OneSignal answers {status} to {path}: {content[:200]!r}.")
        return status, content
