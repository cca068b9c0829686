import json

import pytest

from cornicen.flows.vendors import Fate, Inbound
from cornicen.integrations.amplitude import MANIFEST

NOW = 1_795_539_600_000_000
MILLISECONDS = NOW // 1000
ROUTES = {route.path: route for route in MANIFEST.routes}
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


class Answer:
    """What one request leads to."""

    def __init__(self, parsed, fate):
        said = parsed.answer(fate)
        self.status, self.body, self.kind, self.headers = said.status, said.body, said.content_type, said.headers
        self.parts, self.pace, self.nobodys = parsed.parts, parsed.pace, parsed.nobodys
        self.records = [record for part in parsed.parts for record in part.records]

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def text(self):
        return self.body.decode()

    @property
    def properties(self):
        """Of the only event."""
        [event] = self.records
        return json.loads(event.properties)

    def lane(self, name):
        return [record for part in self.parts if part.lane == name for record in part.records]


@pytest.fixture
def ask():
    """Ask a route: ``ask(path, body, query, headers)``, as a door that keeps what comes."""

    def ask(path, body=b"", query=None, headers=None, *, method="POST", fate=Fate.KEPT, address="192.0.2.7"):
        packed = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {"content-type": JSON, **(headers or {})}
        return Answer(ROUTES[path].parse(Inbound(method, path, query or {}, named, packed, NOW, address)), fate)

    return ask


@pytest.fixture
def send(ask):
    """Send events with the key K: ``send(event, …, path="/batch", options={…})``."""

    def send(*events, path="/2/httpapi", fate=Fate.KEPT, headers=None, **envelope):
        return ask(path, {"api_key": "K", "events": list(events), **envelope}, headers=headers, fate=fate)

    return send


@pytest.fixture
def event():
    """A good event, some of its fields replaced; None takes one away."""

    def event(**fields):
        every = {"event_type": "paid", "user_id": "u-1001", **fields}
        return {name: value for name, value in every.items() if value is not None}

    return event
