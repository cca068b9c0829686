import asyncio
import json
from base64 import b64encode
from html.parser import HTMLParser

import pytest

from cornicen.apps.http import status
from cornicen.apps.http.page import render
from cornicen.apps.http.status import View
from cornicen.errors import Damaged
from cornicen.flows.events.strangers import Strangers
from cornicen.flows.records import Cohort, Project, Standing, SyncStatus

NOW = 1_795_539_600_000_000
VOID = {"meta", "link", "br"}
WELL = {
    "as_of": NOW,
    "backlog": {"live": 0, "bulk": 1500},
    "oldest": {"bulk": NOW - 5_000_000},
    "counts": {"events": 155_848, "profiles": 801, "persons": 2469},
    "refusals": [
        {
            "reason": "time_missing",
            "field": "properties.time",
            "count": 31,
            "message": "no <i>time</i>",
            "record": "<script>x</script>",
        }
    ],
}
EMPTY = {**WELL, "counts": {"events": 0, "profiles": 0}, "refusals": [], "backlog": {"live": 0, "bulk": 0}, "oldest": {}}


class Reader(HTMLParser):
    """The page's elements; complains where they are not closed in order."""

    def __init__(self):
        super().__init__()
        self.open, self.elements, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text.append(" ".join(data.split()))


def read(page):
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def words(page):
    return " ".join(word for word in read(page).text if word)


@pytest.fixture
def used(door):
    """A door whose project has one delivered sync: five wanted, one unknown, one refused, one still on the way."""
    door.keepers["1"] = WELL
    door.connect(base_url="https://user:pass@push.example/v1", rate=500)
    sync = door.sync()
    door.run(sync, ["a", "b", "c", "d", "e"], refuse={"a"}, unknown={"b"}, leave=1, size=12, no_profile=4, no_id=2, shared=1)
    return door


def test_the_line_adds_up_on_the_page_and_as_data(used):
    [project] = used.ask("GET", "/?as=json").json["projects"]
    [sync] = project["syncs"]
    standing = sync["standing"]
    assert standing["adds_up"] is True
    counts = [standing[name] for name in ("size", "no_profile", "no_id", "shared", "unknown", "refused", "on_the_way")]
    assert counts == [12, 4, 2, 1, 1, 1, 1]
    assert (standing["leaving"], standing["in_segment"]) == (0, 2)
    cells = "12 - 4 - 2 - 1 - 1 - 1 - 1 + 0 = 2"
    assert cells in words(used.ask("GET", "/").text).replace("\N{MINUS SIGN}", "-")


def test_a_line_that_does_not_add_up_is_not_hidden():
    assert status._standing(Standing(10, 1, 1, 1, 1, 1, 1, 1, 5))["adds_up"] is True
    assert status._standing(Standing(10, 1, 1, 1, 1, 1, 1, 1, 4))["adds_up"] is False


def test_the_page_shows_everything_that_the_data_has(used):
    page, data = words(used.ask("GET", "/").text), used.ask("GET", "/?as=json").json
    [project] = data["projects"]
    tick = project["ticks"][0]
    assert (tick["events"], tick["seconds"]) == (7, None)
    for shown in (
        *("shop", "155,848", "2,469", "801", "1.5 kB", "Europe/Vilnius", "2026-11-24"),
        *("Lapsed <b>", "active", "every 15 minutes", "delivering"),
        *("time_missing", "31", "no <i>time</i>", "<script>x</script>"),
        *("push", "OneSignal", "app-1", "not known to OneSignal"),
        *(step["command"] for step in project["next"]),
        data["version"],
    ):
        assert shown in page, shown


def test_nothing_secret_is_shown(used):
    for path in ("/", "/?as=json"):
        body = used.ask("GET", path).text
        assert "https://push.example/v1" in body
        for secret in ("os-secret-key", "user:pass", "shop-token", "account-secret"):
            assert secret not in body


def test_what_others_wrote_is_text_and_the_page_runs_no_script(used):
    page = used.ask("GET", "/").text
    reader = read(page)
    assert {tag for tag, _ in reader.elements}.isdisjoint({"script", "b", "i", "iframe", "img", "form"})
    assert not [name for _, attributes in reader.elements for name in attributes if name.startswith("on")]
    assert "default-src 'none'" in used.ask("GET", "/").headers["content-security-policy"]
    assert [attributes["href"] for tag, attributes in reader.elements if tag in {"a", "link"}] == ["data:,", "?as=json"]


def test_tables_are_tables_to_those_who_cannot_see_them(used):
    elements = read(used.ask("GET", "/").text).elements
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for tag, attributes in elements:
        if tag == "th":
            assert attributes.get("scope") in {"col", "row"}
        if tag == "table" and "stack" in attributes.get("class", ""):
            assert attributes["role"] == "table"
        if "aria-labelledby" in attributes:
            assert attributes["aria-labelledby"] in ids
    assert ("html", {"lang": "en"}) in elements
    assert [tag for tag, _ in elements].count("h1") == 1


STOPPED = {"status": SyncStatus.STOPPED, "what": "OneSignal refuses <the> key.", "words": "No <access>", "fix": "Set it."}
STOPPED_SAYS = ["OneSignal refuses <the> key.", "OneSignal says: “No <access>”", "Set it.", "cornicen sync resume lapsed"]
NO_SEGMENT = {"container": {"exists": False, "words": "You have reached the limit"}}


@pytest.mark.parametrize(
    ("change", "badge", "told"),
    [
        (STOPPED, "stopped", STOPPED_SAYS),
        ({"status": SyncStatus.PAUSED}, "paused", []),
        (NO_SEGMENT, "active", ["cannot have the segment", "reached the limit"]),
        ({"held": True}, "held", ["cornicen sync plan lapsed", "cornicen sync release lapsed"]),
        ({"last_as_of": NOW - 3_600_000_000}, "late", ["as of 60 minutes ago", "cornicen status"]),
    ],
)
def test_what_stands_still_says_why_and_what_to_do(used, change, badge, told):
    used.state.syncs.change(f"{1:032x}", **change)
    [sync] = used.ask("GET", "/?as=json").json["projects"][0]["syncs"]
    assert (sync["status"], sync["health"]) == (badge, {"stopped": "failing", "active": "fine"}.get(badge, badge))
    page = words(used.ask("GET", "/").text)
    for sentence in (badge, *told):
        assert sentence in page


def test_a_keeper_that_does_not_answer_is_said_and_the_rest_is_shown(used):
    for error, sentence in (
        (None, "Start it with cornicen up"),
        (Damaged("A page is torn.", "Restore it."), "A page is torn."),
    ):
        used.keepers.pop("1", None)
        if error is not None:
            used.keepers["1"] = error
        page = words(used.ask("GET", "/").text)
        assert "does not answer" in page
        assert sentence in page
        assert "= 2" in page
        keeper = used.ask("GET", "/?as=json").json["projects"][0]["keeper"]
        assert (keeper["answers"], set(keeper)) == (False, {"answers", "code", "what", "fix"})


@pytest.mark.parametrize(
    ("late", "behind", "told"),
    [
        ({}, {"live": 0.0, "bulk": 0.0}, "live not at all, bulk not at all"),
        ({"live": 0.5}, {"live": 0.5, "bulk": 0.0}, "live under 1 s, bulk not at all"),
        ({"bulk": 8000}, {"live": 0.0, "bulk": 8000.0}, "live not at all, bulk 2 hours"),
        ({"live": 100, "bulk": -1}, {"live": 100.0, "bulk": 0.0}, "live 100 s, bulk not at all"),
    ],
)
def test_the_page_says_how_far_behind_the_loader_is_in_each_lane(door, late, behind, told):
    oldest = {lane: door.clock.now() - int(seconds * 1_000_000) for lane, seconds in late.items()}
    door.keepers["1"] = {**WELL, "backlog": {"live": 10, "bulk": 2_500_000}, "oldest": oldest}
    keeper = door.ask("GET", "/?as=json").json["projects"][0]["keeper"]
    assert (keeper["behind"], keeper["backlog"]) == (behind, {"live": 10, "bulk": 2_500_000})
    page = words(door.ask("GET", "/").text)
    assert "live 10 bytes, bulk 2.5 MB" in page
    assert f"How far behind {told}" in page


def test_the_page_says_where_senders_send_to(door):
    door.keepers["1"] = EMPTY
    assert door.ask("GET", "/?as=json").json["address"] == "https://events.example.com"
    assert words(door.ask("GET", "/").text).count("https://events.example.com") == 2


def test_an_unknown_token_is_counted_where_the_operator_looks(door):
    assert "of no project" not in words(door.ask("GET", "/").text)
    for user in ("stranger-<i>", "stranger-<i>", "<i>"):
        door.ask("POST", "/import?strict=1", "[]", {"authorization": "Basic " + b64encode(f"{user}:".encode()).decode()})
    strangers = door.ask("GET", "/?as=json").json["strangers"]
    assert strangers["requests"] == 3
    assert strangers["since"] <= min(one["last"] for one in strangers["routes"]) <= door.clock.now()
    counted = [(one["source"], one["credential"], one["requests"]) for one in strangers["routes"]]
    assert sorted((one[1].split()[-1], one[2]) for one in counted) == [("<i>…", 1), ("stra…", 2)]
    page = words(door.ask("GET", "/").text)
    for shown in ("Requests of no project 3 since", "mixpanel:/import", " stra…", " <i>…"):
        assert shown in page
    assert "stranger" not in page


@pytest.mark.parametrize("path", ["/track", "/engage", "/groups"])
def test_a_request_that_nobody_can_tell_whose_it_is_is_counted_where_the_operator_looks(door, path):
    json_ = {"content-type": "application/json"}
    for query in ("", "", "?strict=1"):
        assert door.ask("POST", path + query, "{broken", json_).status in {200, 400}
    door.ask("POST", path, '[{"event":"seen","properties":{}}]', json_)
    strangers = door.ask("GET", "/?as=json").json["strangers"]
    counted = {(one["source"], one["credential"]): one["requests"] for one in strangers["routes"]}
    assert counted == {(f"mixpanel:{path}", "unreadable body"): 3, (f"mixpanel:{path}", "no token"): 1}
    page = words(door.ask("GET", "/").text)
    for shown in ("Requests of no project 4 since", f"mixpanel:{path} unreadable body 3", f"mixpanel:{path} no token 1"):
        assert shown in page
    assert door.kept() == []


def test_a_keeper_that_hangs_does_not_hang_the_page(house, monkeypatch):
    monkeypatch.setattr(status, "PATIENCE", 0.0)

    async def hang(_project):
        await asyncio.Event().wait()

    found = asyncio.run(status.look(View(house.state, hang, [], house.clock, Strangers(), NOW)))
    assert found["projects"][0]["keeper"]["code"] == "unavailable"


def commands(door):
    return [step["command"] for step in door.ask("GET", "/?as=json").json["projects"][0]["next"]]


def test_each_empty_state_says_how_to_go_on(door):
    assert any("cornicen up" in command for command in commands(door))
    door.keepers["1"] = EMPTY
    assert commands(door) == [
        "cornicen import FILE --format mixpanel-export",
        "cornicen apply",
        "cornicen connect onesignal --help",
    ]
    page = words(door.ask("GET", "/").text)
    for sentence in (
        "No events yet",
        "No cohorts yet",
        "No connection yet",
        "Nothing is synced yet",
        "everything that came was taken",
    ):
        assert sentence in page
    door.keepers["1"] = WELL
    door.state.cohorts.put(Cohort("1", "staff", "Staff", {}))
    assert commands(door) == ["cornicen connect onesignal --help"]
    door.connect()
    assert commands(door) == ["cornicen apply"]
    assert "Cohorts without a segment: Staff (staff)." in words(door.ask("GET", "/").text)
    sync = door.sync()
    assert commands(door) == ["cornicen sync plan", "cornicen sync run"]
    assert "not evaluated yet" in words(door.ask("GET", "/").text)
    door.run(sync, ["a"], size=1)
    assert commands(door)[1] == "cornicen cohort preview lapsed"


def test_every_project_has_its_place(used):
    used.state.projects.add(Project("2", "a second <shop>", "T2"))
    data = used.ask("GET", "/?as=json").json
    assert sorted(project["name"] for project in data["projects"]) == ["a second <shop>", "shop"]
    assert "a second <shop>" in words(used.ask("GET", "/").text)


def test_no_project_at_all_is_a_page_too():
    empty = {
        "version": "1",
        "now": NOW,
        "address": "",
        "projects": [],
        "strangers": {"since": NOW, "requests": 0, "routes": []},
    }
    assert "cornicen init DIR" in words(render(empty))


def test_the_data_is_json_of_plain_values(used):
    reply = used.ask("GET", "/?as=json")
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["cache-control"] == "no-store"
    assert json.loads(json.dumps(reply.json)) == reply.json
