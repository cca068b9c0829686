import asyncio
import shutil

import pytest
from cryptography.fernet import Fernet

from cornicen.events.shapes import Event, Ids
from cornicen.flows.events.pace import Paced
from cornicen.flows.events.receive import Receiver
from cornicen.flows.events.strangers import Strangers
from cornicen.flows.records import Project
from cornicen.flows.vendors import Credential, Fate, Outbound, Parsed, Part
from cornicen.state.opening import open_state
from cornicen.testing.clock import HurriedClock
from cornicen.testing.spools import MemorySpool

KEY = Fernet.generate_key()
TOKEN = Credential("token", "T")
ACCOUNT = Credential("account", "sa", "sec", "1")


def events(*names):
    return tuple(Event(name, Ids(distinct="u"), 1, b"{}") for name in names)


class House:
    def __init__(self, database):
        self.state = open_state(database, KEY)
        self.clock = HurriedClock()
        self.spools = {"1": MemorySpool(self.clock, room=10), "2": MemorySpool(self.clock, room=10)}
        self.receiver = Receiver(self.state.projects, self.spools.__getitem__, self.clock, lambda _: Paced(), Strangers())

    def receive(self, *parts):
        answer = asyncio.run(self.receiver.receive(Parsed(parts, lambda fate: Outbound(200, fate.encode())), "vendor:/x"))
        return Fate(answer.body.decode())

    def kept(self, project, lane="live"):
        return [record.name for record in self.spools[project].lanes[lane]]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A state database, made once: making one takes longer than a test."""
    path = tmp_path_factory.mktemp("made") / "state.db"
    state = open_state(path, KEY)
    state.projects.add(Project("1", "shop", "T"))
    state.projects.add(Project("2", "other", "T2"))
    state.projects.add_account("1", "sa", "sec")
    state.close()
    return path


@pytest.fixture
def house(tmp_path, made):
    house = House(shutil.copy(made, tmp_path))
    yield house
    house.state.close()


def test_each_part_goes_to_its_project_and_lane_in_order(house):
    parts = (
        Part(TOKEN, "live", events("a", "b")),
        Part(TOKEN, "bulk", events("c")),
        Part(Credential("token", "T2"), "live", events("d")),
    )
    assert house.receive(*parts) is Fate.KEPT
    assert (house.kept("1"), house.kept("1", "bulk"), house.kept("2")) == (["a", "b"], ["c"], ["d"])
    assert set(house.spools["1"].sources) == {"vendor:/x"}


@pytest.mark.parametrize(
    "credential",
    [
        Credential("token", "nobody"),
        Credential("token", ""),
        Credential("token", "T", project="2"),
        Credential("account", "sa", "wrong", "1"),
        Credential("account", "sa", "", "1"),
        Credential("account", "sa", "sec", "2"),
        Credential("account", "sa", "sec", "other"),
        Credential("account", "T", "", ""),
        Credential("secret", "T"),
    ],
)
def test_one_wrong_credential_keeps_everything_out(house, credential):
    assert house.receive(Part(TOKEN, "live", events("a")), Part(credential, "live", events("b"))) is Fate.DENIED
    assert house.receive(Part(credential, "live", ())) is Fate.DENIED
    assert house.kept("1") == house.kept("2") == []


@pytest.mark.parametrize("named", ["", "1", "shop"])
def test_a_project_is_named_by_id_or_name_or_not_at_all(house, named):
    for credential in (Credential("token", "T", project=named), Credential("account", "sa", "sec", named)):
        assert house.receive(Part(credential, "live", ())) is Fate.KEPT


def test_nothing_is_appended_where_there_is_nothing(house):
    assert house.receive(Part(TOKEN, "live", ())) is Fate.KEPT
    assert house.spools["1"].sources == []


def test_a_full_spool_is_told(house):
    assert house.receive(Part(TOKEN, "live", events(*"abcdefghij"))) is Fate.KEPT
    assert house.receive(Part(TOKEN, "live", events("k"))) is Fate.FULL
    assert house.kept("1") == [*"abcdefghij"]


def test_a_fault_of_the_spool_is_not_taken_for_an_answer(house):
    house.spools.pop("1")
    with pytest.raises(KeyError):
        house.receive(Part(TOKEN, "live", events("a")))


class Revocable:
    """Projects of which one can be closed; counts how often it is asked."""

    def __init__(self, projects):
        self._projects, self.closed, self.asked = projects, False, 0

    def by_token(self, token):
        self.asked += 1
        return None if self.closed else self._projects.by_token(token)

    def by_account(self, username, secret):
        self.asked += 1
        return None if self.closed else self._projects.by_account(username, secret)


@pytest.mark.parametrize("credential", [TOKEN, ACCOUNT])
def test_a_revoked_credential_stops_within_ten_seconds(house, credential):
    projects = Revocable(house.state.projects)
    house.receiver = Receiver(projects, house.spools.__getitem__, house.clock, lambda _: Paced(), Strangers())
    assert [house.receive(Part(credential, "live", ())) for _ in range(5)] == [Fate.KEPT] * 5
    assert projects.asked == 1
    projects.closed = True
    house.clock.advance(10)
    assert house.receive(Part(credential, "live", ())) is Fate.DENIED


def test_a_clock_that_stepped_back_is_no_reason_to_believe(house):
    projects = Revocable(house.state.projects)
    house.receiver = Receiver(projects, house.spools.__getitem__, house.clock, lambda _: Paced(), Strangers())
    assert house.receive(Part(TOKEN, "live", ())) is Fate.KEPT
    projects.closed = True
    house.clock.advance(-3600)
    assert house.receive(Part(TOKEN, "live", ())) is Fate.DENIED


def test_an_account_made_just_now_is_good_at_once(house):
    late = Part(Credential("account", "new", "s3cret", "1"), "live", ())
    assert house.receive(late) is Fate.DENIED
    house.state.projects.add_account("1", "new", "s3cret")
    assert house.receive(late) is Fate.KEPT


def test_a_wrong_secret_is_not_good_because_the_right_one_was(house):
    assert house.receive(Part(ACCOUNT, "live", ())) is Fate.KEPT
    assert house.receive(Part(Credential("account", "sa", "guess", "1"), "live", ())) is Fate.DENIED


def test_guesses_are_not_remembered(house):
    guesses = [Part(Credential("token", f"nobody{number}"), "live", ()) for number in range(50)]
    assert house.receive(*guesses) is Fate.DENIED
    assert house.receiver._known == {}


def test_a_request_that_is_too_fast_keeps_nothing_and_gets_the_vendors_answer(house):
    slow = Outbound(429, b"slow down")
    parsed = Parsed((Part(TOKEN, "live", events("a")),), lambda _: Outbound(200, b""), pace=lambda _: slow)
    assert asyncio.run(house.receiver.receive(parsed, "vendor:/x")) is slow
    assert house.kept("1") == []


def test_parts_that_stand_for_themselves_are_kept_without_the_unknown_ones(house):
    stranger = Part(Credential("token", "nobody"), "live", events("x"))
    parts = (stranger, Part(TOKEN, "live", events("a")), Part(Credential("token", "T2"), "live", events("b")))

    def told(*parts):
        parsed = Parsed(parts, lambda fate: Outbound(200, fate.encode()), apart=True)
        return Fate(asyncio.run(house.receiver.receive(parsed, "vendor:/x")).body.decode())

    assert told(*parts) is Fate.KEPT
    assert (house.kept("1"), house.kept("2")) == (["a"], ["b"])
    assert told(stranger) is Fate.DENIED
    assert [stranger.requests for stranger in house.receiver.strangers.counted()] == [2]


def test_a_request_that_nobody_can_tell_whose_it_is_is_a_strangers_and_is_answered_as_it_says(house):
    parsed = Parsed((), lambda fate: Outbound(200, fate.encode()), nobodys="unreadable body")
    assert asyncio.run(house.receiver.receive(parsed, "vendor:/x")).body == b"kept"
    [stranger] = house.receiver.strangers.counted()
    assert (stranger.source, stranger.credential, stranger.requests) == ("vendor:/x", "unreadable body", 1)


def test_a_request_is_understood_under_the_rule_of_its_project(house):
    house.state.projects.add(Project("3", "old", "T3", identity="original"))
    house.spools["3"] = MemorySpool(house.clock, room=10)
    for token, answer, kept in (("T", b"simply", ["a", "b"]), ("T3", b"original", ["c"])):
        credential = Credential("token", token)
        strictly = Parsed((Part(credential, "live", events("c")),), lambda _: Outbound(200, b"original"))
        parts = (Part(credential, "live", events("a")), Part(credential, "live", events("b")))
        parsed = Parsed(parts, lambda _: Outbound(200, b"simply"), under={"original": lambda told=strictly: told})
        assert asyncio.run(house.receiver.receive(parsed, "vendor:/x")).body == answer
        assert house.kept("1" if token == "T" else "3") == kept


@pytest.mark.parametrize(("word", "project"), [("T", "1"), ("sec", "1"), ("T2", "2")])
def test_one_word_is_a_token_or_a_secret(house, word, project):
    assert house.receive(Part(Credential("token_or_secret", word), "live", events("a"))) is Fate.KEPT
    assert house.kept(project) == ["a"]
    for wrong in (Credential("token_or_secret", "guess"), Credential("token_or_secret", word, project="9")):
        assert house.receive(Part(wrong, "live", events("b"))) is Fate.DENIED


def test_the_secret_of_an_account_stands_for_its_project(house):
    good, other = Credential("secret", "", "sec"), Credential("secret", "T2", "sec")
    assert house.receive(Part(good, "live", events("a"))) is Fate.KEPT
    assert house.receive(Part(other, "live", events("b"))) is Fate.DENIED
    assert house.kept("1") == ["a"]
