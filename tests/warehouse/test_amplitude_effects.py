"""What Amplitude's requests come to once they are loaded; the numbers are those of docs/conformance/amplitude.md."""

import json
from urllib.parse import urlencode

import pytest
from plain_warehouse import drain, fill

from cornicen.errors import NotFound
from cornicen.flows.vendors import Fate, Inbound
from cornicen.integrations.amplitude import MANIFEST
from cornicen.warehouse.warehouse import DuckDBWarehouse

NOW = 1_795_539_600_000_000
MILLISECONDS = NOW // 1000
DAY = 86_400_000
ROUTES = {route.path: route for route in MANIFEST.routes}


class House:
    """A project under Amplitude's rule, loaded after every request."""

    def __init__(self, folder):
        self.folder, self.warehouse = folder, DuckDBWarehouse(folder, threads=1, identity="amplitude")

    def ask(self, path, body, kind="application/json"):
        parsed = ROUTES[path].parse(Inbound("POST", path, {}, {"content-type": kind}, body, NOW))
        assert parsed.answer(Fate.KEPT).status == 200
        for part in parsed.parts:
            fill(self.folder, [part.records], part.lane)
        drain(self.warehouse)

    def send(self, *events):
        every = [{"event_type": "seen", "time": MILLISECONDS, **event} for event in events]
        self.ask("/2/httpapi", json.dumps({"api_key": "K", "options": {"min_id_length": 1}, "events": every}).encode())

    def identify(self, **properties):
        self.send({"event_type": "$identify", "user_id": "u-1001", "user_properties": properties})

    @property
    def profile(self):
        return self.warehouse.portrait("u-1001")["profile"]


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.warehouse.close()


def test_a_key_is_a_devices_for_seven_days_and_the_first_stays(house):  # 26
    first = {"device_id": "d-1", "insert_id": "i-1", "time": MILLISECONDS - 8 * DAY, "event_properties": {"n": 1}}
    again = {**first, "event_properties": {"n": 2}}
    house.send(first)
    house.send(again, {**again, "device_id": "d-2"}, {**again, "time": MILLISECONDS - DAY + 1})
    assert [one["properties"]["n"] for one in house.warehouse.portrait("d-1")["events"]] == [2, 1]
    assert house.warehouse.portrait("d-2")["counts"] == {"events": 1}


def test_an_identify_changes_the_profile_and_counts_as_no_event(house):  # 36
    house.identify(**{"$set": {"plan": "pro"}, "$add": {"visits": 1}, "$append": {"seen": "a"}})
    found = house.warehouse.portrait("u-1001")
    assert (found["profile"], found["counts"], found["events"]) == (
        {"plan": "pro", "visits": 1, "seen": ["a"]},
        {"events": 0},
        [],
    )


def test_what_is_set_once_stays(house):  # 37
    house.identify(**{"$setOnce": {"first": "a"}})
    house.identify(**{"$setOnce": {"first": "b"}})
    assert house.profile == {"first": "a"}


def test_numbers_add_up_from_nothing(house):  # 38
    house.identify(**{"$add": {"n": 3}})
    house.identify(**{"$add": {"n": 4}})
    assert house.profile == {"n": 7}


def test_lists_grow_and_shrink(house):  # 39
    for operation, value, expected in (
        ("$append", "a", ["a"]),
        ("$append", "a", ["a", "a"]),
        ("$postInsert", "a", ["a", "a"]),
        ("$preInsert", ["b", "a"], ["b", "a", "a"]),
        ("$remove", "a", ["b"]),
        ("$prepend", ["c", "d"], ["c", "d", "b"]),
    ):
        house.identify(**{operation: {"l": value}})
        assert house.profile == {"l": expected}


def test_properties_are_removed_one_by_one_and_all_at_once(house):  # 40
    house.identify(**{"$set": {"a": 1, "b": 2, "c": 3}})
    house.identify(**{"$unset": {"a": "-"}})
    assert house.profile == {"b": 2, "c": 3}
    house.identify(**{"$clearAll": "-"})
    assert house.profile == {}


def test_unsetting_comes_before_setting(house):  # 41
    house.identify(x=0)
    house.identify(**{"$set": {"x": 1}, "$unset": {"x": "-"}})
    assert house.profile == {"x": 1}


def test_a_form_changes_the_profile(house):  # 43
    item = {"user_id": "u-1001", "user_properties": {"plan": "pro"}, "country": "Lithuania"}
    form = urlencode({"api_key": "K", "identification": json.dumps(item)}).encode()
    house.ask("/identify", form, "application/x-www-form-urlencoded")
    assert house.profile == {"plan": "pro", "$country": "Lithuania"}


def test_properties_that_are_not_to_be_synced_stay_on_their_event(house):  # 48
    house.send({"user_id": "u-1001", "user_properties": {"plan": "pro"}})
    house.send({"user_id": "u-1001", "user_properties": {"plan": "free"}, "$skip_user_properties_sync": True})
    found = house.warehouse.portrait("u-1001")
    assert found["profile"] == {"plan": "pro"}
    assert [one["properties"]["$user_properties"] for one in found["events"]] == [{"plan": "free"}, {"plan": "pro"}]


def test_a_repeated_event_changes_no_profile(house):
    one = {"user_id": "u-1001", "insert_id": "i-1"}
    house.send({**one, "user_properties": {"plan": "pro"}})
    house.send({**one, "user_properties": {"plan": "free"}})
    assert house.profile == {"plan": "pro"}


@pytest.mark.parametrize(
    ("sequence", "people"),
    [
        (["p-", "q-", "q-", "p-"], ["03", "12"]),  # 49
        (["g-", "gAnn"], ["01"]),  # 50
        (["kBob", "lBob"], ["01"]),  # 51
        (["rCid", "r-", "rDee", "r-"], ["01", "23"]),  # 52
        (["yEve", "z-", "zEve", "z-"], ["0123"]),  # 53
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
def test_whose_events_are_whose(house, sequence, people, at_once):
    events = [
        {"device_id": one[0], "insert_id": str(place)} | ({} if one[1:] == "-" else {"user_id": one[1:]})
        for place, one in enumerate(sequence)
    ]
    for some in [events] if at_once else [[event] for event in events]:
        house.send(*some)
    found = set()
    for one in sequence:
        for name in {one[0], one[1:]} - {"-"}:
            found.add("".join(sorted(event["properties"]["$insert_id"] for event in house.warehouse.portrait(name)["events"])))
    assert sorted(found) == people


def test_user_ids_of_another_case_are_other_people(house):  # 54
    house.send({"user_id": "User-1"}, {"user_id": "user-1"})
    assert house.warehouse.portrait("User-1")["counts"] == {"events": 1}


def test_a_mapping_merges_nobody(house):  # 47
    house.send({"user_id": "a"})
    form = urlencode({"api_key": "K", "mapping": json.dumps({"user_id": "a", "global_user_id": "g"})}).encode()
    house.ask("/usermap", form, "application/x-www-form-urlencoded")
    assert house.warehouse.portrait("a")["counts"] == {"events": 1}
    with pytest.raises(NotFound):
        house.warehouse.portrait("g")
