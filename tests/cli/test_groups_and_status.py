"""`group show`, `group list` and `status`, beside a keeper in this process."""

import json

import pytest

from cornicen.apps import build
from cornicen.apps.home import Home

ACME = {"key": "company", "id": "acme", "profile": {"plan": "pro", "tags": ["a", "b"], "note": "x\x1b[2Jy"}}


def test_a_group_is_told_with_its_profile_and_nothing_a_terminal_would_obey(keeper, command):
    asked = keeper(group=lambda **_: {"group": ACME}).asked
    code, out, _ = command("group", "show", "company", "acme")
    told = [line.split() for line in out.splitlines()]
    assert code == 0
    assert asked == [("group", {"key": "company", "id": "acme"})]
    assert out.startswith("company acme\n")
    assert ["plan", "pro"] in told
    assert ["tags", '["a",', '"b"]'] in told
    assert "\x1b" not in out


def test_with_json_a_group_is_the_whole_answer(keeper, command):
    keeper(group=lambda **_: {"group": ACME})
    assert json.loads(command("group", "show", "company", "acme", "--json")[1]) == {"group": ACME}


def test_a_group_without_a_profile_is_not_found(keeper, command):
    missing = {"error": {"code": "not_found", "what": "There is no profile of 'team' 'nil'.", "fix": ""}}
    keeper(group=lambda **_: missing)
    code, out, err = command("group", "show", "team", "nil")
    assert (code, out) == (2, "")
    assert "no profile of 'team' 'nil'" in err


def listing(key, after, limit):
    if not key:
        keys = [{"key": "company", "groups": 1200}, {"key": "team", "groups": 1}]
        return {"count": 2, "keys": keys[:limit]}
    return {"key": key, "count": 3, "ids": [one for one in ("acme", "birch", "zenith") if one > after][:limit]}


def test_without_a_key_the_keys_are_listed_and_counted(keeper, command):
    keeper(groups=listing)
    told = [line.split() for line in command("group", "list")[1].splitlines()]
    assert told == [["Keys", "of", "groups"], ["key", "groups"], ["company", "1,200"], ["team", "1"]]
    assert command("group", "list", "-n", 1)[1].splitlines()[0] == "Keys of groups, 1 of them here"


def test_the_groups_of_a_key_are_listed_as_far_as_asked_and_all_are_counted(keeper, command):
    asked = keeper(groups=listing).asked
    assert command("group", "list", "company")[1].splitlines() == ["company: 3 groups", "acme", "birch", "zenith"]
    out = command("group", "list", "company", "-n", 1, "--after", "acme")[1]
    assert out.splitlines() == ["company: 3 groups, 1 of them here", "birch"]
    assert asked[1] == ("groups", {"key": "company", "after": "acme", "limit": 1})
    found = json.loads(command("group", "list", "company", "--json")[1])
    assert found == {"key": "company", "count": 3, "ids": ["acme", "birch", "zenith"]}


@pytest.mark.parametrize("wrong", [["company", "-n", -1], ["company", "-n", 10_001], ["--after", "acme"]])
def test_a_list_that_cannot_be_is_refused(command, wrong):
    assert command("group", "list", *wrong)[0] == 2


@pytest.fixture
def loading(made, keeper):
    """A keeper whose bulk lane waits for an hour and whose live lane is empty."""
    now = build.clock(Home.find(made["home"])).now()
    keeper(
        status=lambda: {
            "as_of": 1509235200000000,
            "backlog": {"live": 0, "bulk": 2_500_000},
            "oldest": {"bulk": now - 3_600_000_000},
            "counts": {"events": 1200, "profiles": 3},
            "refusals": [{"reason": "time_missing", "field": "time", "count": 31, "message": "no\ntime", "record": "{}"}],
        }
    )


@pytest.mark.usefixtures("loading")
def test_status_tells_what_is_there_what_waits_how_long_and_what_was_refused(command):
    code, out, _ = command("status")
    told = [line.split() for line in out.splitlines()]
    assert code == 0
    assert "1,200 events, 3 profiles" in out
    assert "2017-10-29T00:00:00Z" in out
    assert ["live", "0", "0.0"] in told
    [bulk] = [line for line in told if line[:1] == ["bulk"]]
    assert bulk[1] == "2,500,000"
    assert 3_600 <= float(bulk[-1].replace(",", "")) < 4_000
    assert ["time_missing", "time", "31", "no\\u000atime"] in told


@pytest.mark.usefixtures("loading")
def test_status_as_json_names_instants_and_counts_seconds_by_lane(command):
    found = json.loads(command("status", "--json")[1])
    assert found["as_of"] == "2017-10-29T00:00:00Z"
    assert found["backlog"] == {"live": 0, "bulk": 2_500_000}
    assert set(found["oldest"]) == {"bulk"}
    assert found["behind"]["live"] == 0.0
    assert 3_600 <= found["behind"]["bulk"] < 4_000
