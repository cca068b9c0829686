"""Identity events, and ids, as far as the door decides; the names in comments are those of the conformance checklist."""

import json
from urllib.parse import urlencode

import pytest

from cornicen.events.shapes import Event, Ids, Link, Refusal

NOW = 1_795_539_600_000_000
UUID = "6f2a1c1e-4b7d-4c52-9d3a-0b8f6f1f7a11"
LOOSE = {"strict": "0", "verbose": "1"}
ROUTES = ["/track", "/import"]


def said(name, **properties):
    return {"event": name, "properties": {"token": "T", **properties}}


@pytest.mark.parametrize(
    ("properties", "ids"),
    [
        ({"$device_id": "D1"}, Ids(device="D1")),  # D1
        ({"$device_id": "D1", "$user_id": "U1"}, Ids(user="U1", device="D1")),  # D2, D3, D4, D7
        ({"distinct_id": "$device:D9"}, Ids(distinct="$device:D9")),  # D5
        ({"distinct_id": "U9"}, Ids(distinct="U9")),
        ({"distinct_id": "other", "$user_id": "U1"}, Ids(user="U1", distinct="other")),  # D6
    ],
)
@pytest.mark.parametrize("path", ROUTES)
def test_all_ids_travel_as_sent(ask, path, properties, ids):
    [found] = ask(path, [said("e", **properties)], LOOSE).records
    assert (found.ids, found.link) == (ids, None)


@pytest.mark.parametrize(
    ("properties", "ids", "link"),
    [
        ({"$identified_id": "u1", "$anon_id": UUID}, Ids(distinct="u1"), Link("identify", "u1", UUID)),  # D10, D13
        ({"$identified_id": "u1", "$anon_id": UUID, "distinct_id": "u1"}, Ids(distinct="u1"), Link("identify", "u1", UUID)),
        (  # D14
            {"distinct_id": "u1", "$anon_distinct_id": f"$device:{UUID}", "$device_id": UUID, "$user_id": "u1"},
            Ids("u1", UUID, "u1"),
            Link("identify", "u1", UUID),
        ),
        ({"$user_id": "u1", "$anon_distinct_id": UUID}, Ids("u1", "", "u1"), Link("identify", "u1", UUID)),
        ({"$identified_id": 5, "$anon_id": "no-uuid"}, Ids(distinct="5"), Link("identify", "5", "no-uuid")),  # D11, D12
        ({"$identified_id": "u1"}, Ids(distinct="u1"), None),
        ({"$identified_id": "u1", "$anon_id": "null"}, Ids(distinct="u1"), None),
        ({"$identified_id": "u1", "$anon_distinct_id": "$device:"}, Ids(distinct="u1"), None),
        ({"$identified_id": "u1", "$anon_id": ["x"]}, Ids(distinct="u1"), None),
    ],
)
@pytest.mark.parametrize("path", ROUTES)
def test_identify_links_the_identified_to_the_anonymous(ask, path, properties, ids, link):
    found = ask(path, [said("$identify", **properties)], LOOSE)
    assert (found.status, found.json["status"]) == (200, 1)
    [kept] = found.records
    assert (type(kept), kept.name, kept.ids, kept.link, kept.time) == (Event, "$identify", ids, link, NOW)


@pytest.mark.parametrize("path", ROUTES)
def test_an_alias_links_a_distinct_id_to_its_other_name(ask, path):  # D9, D12
    [found] = ask(path, [said("$create_alias", distinct_id="u1", alias="a@example.com")], LOOSE).records
    assert (found.ids, found.link) == (Ids(distinct="u1"), Link("alias", "u1", "a@example.com"))
    [none] = ask(path, [said("$create_alias", distinct_id="u1")], LOOSE).records
    assert (type(none), none.link) == (Event, None)


@pytest.mark.parametrize("event", ["$identify", "$create_alias"])
@pytest.mark.parametrize("path", ROUTES)
def test_an_identity_event_that_names_nobody_is_told(ask, path, event):
    for properties in ({}, {"alias": "a", "$anon_id": UUID}, {"distinct_id": "$device:", "$device_id": "$device:"}):
        found = ask(path, [said(event, **properties)], LOOSE)
        assert found.json == {"error": "distinct_id, missing or empty", "status": 0}
        assert [type(record) for record in found.records] == [Refusal]


def test_a_merge_links_only_where_its_sender_is_trusted(ask):  # D15
    merge = said("$merge", **{"$distinct_ids": ["a", "b"]})
    [trusted] = ask("/import", [merge], LOOSE).records
    assert (trusted.ids, trusted.link) == (Ids(), Link("merge", "a", "b"))
    [anybodys] = ask("/track", [merge], LOOSE).records
    assert (type(anybodys), anybodys.link) == (Event, None)


@pytest.mark.parametrize(
    "names", [["a"], ["a", "b", "c"], ["a", "null"], ["a", "$device:"], ["a", None], [["a"], "b"], "ab", None, {}]
)
def test_a_merge_that_is_not_of_two_links_nothing_and_fails_when_strict(ask, names):  # D15
    merge = said("$merge", **{"$distinct_ids": names})
    [kept] = ask("/import", [merge], LOOSE).records
    assert (type(kept), kept.link) == (Event, None)
    found = ask("/import", [merge], {"strict": "1"})
    assert (found.status, found.json["failed_records"][0]["field"]) == (400, "properties.$distinct_ids")


@pytest.mark.parametrize("query", [LOOSE, {"strict": "1"}, {}])
def test_an_identity_event_needs_no_time_and_no_insert_id(ask, query):
    batch = [
        said("$merge", **{"$distinct_ids": ["a", "b"]}),
        said("$identify", **{"$identified_id": "u1", "$anon_id": UUID}),
        said("$create_alias", distinct_id="u1", alias="a"),
    ]
    found = ask("/import", batch, query)
    assert found.status == 200
    assert [(record.link.kind, record.time, record.insert_id) for record in found.records] == [
        ("merge", NOW, ""),
        ("identify", NOW, ""),
        ("alias", NOW, ""),
    ]


def test_the_python_clients_merge_is_taken(ask):
    merge = {"event": "$merge", "properties": {"$distinct_ids": ["a", "b"], "token": "T"}}
    body = urlencode({"data": json.dumps(merge), "verbose": 1, "ip": 0, "api_key": "T"}).encode()
    found = ask("/import", body, {}, {"content-type": "application/x-www-form-urlencoded", "authorization": None})
    assert (found.json["status"], found.records[0].link) == (1, Link("merge", "a", "b"))


def test_a_partners_id_travels_as_a_property_like_any_other(ask):  # C19, C20, D17
    [found] = ask("/engage", [{"$token": "T", "$distinct_id": "u1", "$set": {"$onesignal_user_id": "os-1"}}]).records
    assert json.loads(found.operations[0].operand) == {"$onesignal_user_id": "os-1"}
