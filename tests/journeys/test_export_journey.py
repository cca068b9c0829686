"""What came in by both vendors' doors goes out whole, and comes in elsewhere as the same; groups and lost requests are seen."""

import contextlib
import json
import urllib.request

import pytest

from cornicen.apps.demo.hand import do, started

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]

SECONDS = 1_509_235_200
EVENTS = [
    {"time": SECONDS, "distinct_id": "ann", "$insert_id": "k1", "n": 1.10, "big": 12345678901234567890123},
    {"time": SECONDS, "distinct_id": "ann", "$insert_id": "k1", "n": 1.20},
    {"time": SECONDS * 1000 + 123, "distinct_id": "ann", "$insert_id": "k1", "n": 2},
    {"time": SECONDS + 0.000001, "$device_id": "d-1", "$insert_id": "k2"},
    {"time": SECONDS + 1, "$device_id": "d-1", "$user_id": "bob", "$insert_id": 5, "text": "x\ny"},
    {"time": SECONDS + 86_400, "distinct_id": "", "$insert_id": "k4"},
    {"time": SECONDS + 2, "distinct_id": "carl", "note": "without a key"},
    {"time": SECONDS + 2, "distinct_id": "carl", "note": "without a key"},
]
AMPLITUDE = [
    {"event_type": "play", "user_id": "dora-1", "device_id": "d-222", "insert_id": "a1", "time": SECONDS * 1000 + 1},
    {"event_type": "play", "device_id": "d-333", "time": SECONDS * 1000, "event_properties": {"time": "noon", "n": 0.10}},
    {"event_type": "play", "user_id": "dora-1", "insert_id": "a1", "device_id": "d-222", "time": SECONDS * 1000 + 2},
]


class Home:
    """A served home."""

    def __init__(self, path, stack):
        self.path = path
        self.token = do("init", str(path))["project"]["token"]
        self.address = stack.enter_context(started("up", "--home", str(path), "--port", "0")).ready()["address"]

    def send(self, path, document):
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        request = urllib.request.Request(f"{self.address}{path}", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read()

    def take(self, file):
        return do("import", str(file), "--format", "mixpanel-export", "--home", str(self.path), "--restart")

    def export(self, file, *only):
        do("events", "export", "--out", str(file), *only, "--home", str(self.path))
        return sorted(file.read_text().splitlines())

    def status(self):
        return do("status", "--home", str(self.path))

    def settle(self):
        """Return once all that was sent is loaded."""
        while any(self.status()["backlog"].values()):
            pass


@pytest.fixture(scope="module")
def homes(tmp_path_factory):
    """Two homes: what is sent to the one is exported and imported into the other."""
    with contextlib.ExitStack() as stack:
        yield [Home(tmp_path_factory.mktemp(name) / "home", stack) for name in ("here", "there")]


@pytest.fixture(scope="module")
def exported(homes, tmp_path_factory):
    """The file of all events of the first home, and its lines."""
    here, folder = homes[0], tmp_path_factory.mktemp("files")
    lines = [json.dumps({"event": "buy", "properties": one}) for one in EVENTS]
    (folder / "in.ndjson").write_text("\n".join(lines))
    assert here.take(folder / "in.ndjson")["rejected"] == 0
    here.send("/batch", {"api_key": here.token, "events": AMPLITUDE})
    here.settle()
    return folder / "out.ndjson", here.export(folder / "out.ndjson")


def test_every_event_is_exported_once_and_comes_in_elsewhere_as_the_same(homes, exported, tmp_path):
    here, there = homes
    file, lines = exported
    assert len(lines) == here.status()["counts"]["events"] == len(EVENTS) - 1 + len(AMPLITUDE) - 1
    assert there.take(file)["taken"] == len(lines)
    assert there.export(tmp_path / "again.ndjson") == lines
    counts = there.status()["counts"]
    assert (counts["events"], counts["repeated"], counts["replaced"]) == (len(lines), 0, 0)
    assert counts["persons"] == here.status()["counts"]["persons"]
    there.take(file)
    assert there.export(tmp_path / "thrice.ndjson") == lines
    assert there.status()["counts"]["repeated"] == len(lines)


def test_days_and_a_name_choose_what_is_exported(homes, exported, tmp_path):
    here, lines = homes[0], exported[1]
    later = [one for one in lines if json.loads(one)["properties"]["time"] == SECONDS + 86_400]
    assert here.export(tmp_path / "later.ndjson", "--from", "2017-10-30") == later != []
    assert here.export(tmp_path / "earlier.ndjson", "--to", "2017-10-29") == sorted(set(lines) - set(later))
    played = here.export(tmp_path / "played.ndjson", "--event", "play")
    assert [json.loads(one)["properties"]["distinct_id"] for one in played] == ["$device:d-333", "dora-1"]


def test_groups_that_were_told_are_shown(homes):
    here = homes[0]
    told = {"$token": here.token, "$group_key": "company", "$group_id": "acme", "$set": {"plan": "pro"}}
    here.send("/groups", [told])
    here.settle()
    assert do("group", "list", "--home", str(here.path)) == {"count": 1, "keys": [{"key": "company", "groups": 1}]}
    assert do("group", "list", "company", "--home", str(here.path)) == {"key": "company", "count": 1, "ids": ["acme"]}
    found = do("group", "show", "company", "acme", "--home", str(here.path))["group"]
    assert found == {"key": "company", "id": "acme", "profile": {"plan": "pro"}}


def test_a_body_that_cannot_be_read_is_seen_on_the_status_page(homes):
    here = homes[0]
    here.send("/track", b"[{broken")
    with urllib.request.urlopen(f"{here.address}/?as=json", timeout=60) as answer:
        found = json.load(answer)
    assert [(one["source"], one["credential"], one["requests"]) for one in found["strangers"]["routes"]] == [
        ("mixpanel:/track", "unreadable body", 1)
    ]
    assert found["projects"][0]["keeper"]["behind"] == {"live": 0.0, "bulk": 0.0}
