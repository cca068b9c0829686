import base64
import json

import pytest

from cornicen.flows.vendors import Fate, Inbound
from cornicen.integrations.mixpanel import MANIFEST

NOW = 1_795_539_600_000_000
SECONDS = NOW // 1_000_000
ROUTES = {route.path: route for route in MANIFEST.routes}


def basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


class Answer:
    """What one request leads to."""

    def __init__(self, parsed, fate):
        said = parsed.answer(fate)
        self.status, self.body, self.kind, self.headers = said.status, said.body, said.content_type, said.headers
        self.parts, self.nobodys = parsed.parts, parsed.nobodys
        self.records = [record for part in parsed.parts for record in part.records]

    @property
    def json(self):
        return json.loads(self.body)

    def lane(self, name):
        return [record for part in self.parts if part.lane == name for record in part.records]


@pytest.fixture
def ask():
    """Ask a route: ``ask(path, body, query, headers)``; by default with the project's token and as a door that keeps it."""

    def ask(path, body=b"", query=None, headers=None, *, method="POST", fate=Fate.KEPT, address="192.0.2.7", under=None):
        packed = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"authorization": basic("T:"), "content-type": "application/json", **(headers or {})}
        named = {name: value for name, value in given.items() if value is not None}
        parsed = ROUTES[path].parse(Inbound(method, path, query or {}, named, packed, NOW, address))
        return Answer(parsed.under[under]() if under in parsed.under else parsed, fate)

    return ask


@pytest.fixture
def event():
    """A good event, some of its properties replaced; None takes one away."""

    def event(name="purchase", **properties):
        every = {"token": "T", "time": SECONDS, "distinct_id": "u1", "$insert_id": "a1", **properties}
        return {"event": name, "properties": {key: value for key, value in every.items() if value is not None}}

    return event
