import json
from urllib.parse import urlencode

import pytest

from cornicen.events.shapes import GroupChange, Ids, Operation, ProfileChange, Refusal, UserMapping
from cornicen.flows.vendors import Credential, Fate

FORM = {"content-type": "application/x-www-form-urlencoded"}
ITEM = {"user_id": "u-1001", "user_properties": {"plan": "pro"}}
GROUP = {"group_type": "company", "group_value": "acme", "group_properties": {"seats": 5}}
MAP = {"user_id": "a", "global_user_id": "g"}
ROUTES = [("/identify", "identification", ITEM), ("/groupidentify", "identification", GROUP), ("/usermap", "mapping", MAP)]
CHANGE = ProfileChange(Ids(user="u-1001"), (Operation("set", b'{"plan": "pro"}'),))


@pytest.fixture
def post(ask):
    """Post a form: its values are JSON unless they are texts; with the key K."""

    def post(path, fate=Fate.KEPT, **fields):
        given = {"api_key": "K", **fields}
        written = {
            name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items() if value is not None
        }
        return ask(path, urlencode(written).encode(), headers=FORM, fate=fate)

    return post


def multipart(**fields):
    parts = [f'--XX\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()]
    return "".join([*parts, "--XX--\r\n"]).encode()


@pytest.mark.parametrize("sent", [[ITEM], ITEM])
def test_a_form_with_an_identification_is_a_success(post, sent):
    found = post("/identify", identification=sent)
    assert (found.status, found.text, found.kind) == (200, "success", "text/plain; charset=utf-8")
    assert found.records == [CHANGE]
    assert found.parts[0].credential == Credential("token", "K")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_query_is_as_good_as_a_form(ask, method):
    for path, field, item in ROUTES:
        if method == "POST" or path != "/usermap":
            found = ask(path, b"", {"api_key": "K", field: json.dumps(item)}, method=method)
            assert (found.status, found.text, len(found.records)) == (200, "success", 1)


def test_a_form_in_parts_is_as_good(ask):
    body = multipart(api_key="K", identification=json.dumps([ITEM]))
    found = ask("/identify", body, headers={"content-type": "multipart/form-data; boundary=XX"})
    assert (found.text, found.records) == ("success", [CHANGE])


@pytest.mark.parametrize("bad", [None, "", "{bad", "[1]", "5", "null", '["x"]', "[{}", "x"])
def test_a_missing_or_broken_identification_is_told(post, bad):
    for path in ("/identify", "/groupidentify"):
        found = post(path, identification=bad)
        assert (found.status, found.parts) == (400, ())
        assert "missing_event" in found.text


@pytest.mark.parametrize(("path", "field", "item"), ROUTES)
def test_an_unknown_key_is_told(post, path, field, item):
    for key in ("nope", "", None):
        found = post(path, fate=Fate.DENIED, api_key=key, **{field: [item]})
        assert (found.status, found.text) == (400, "invalid_api_key")


@pytest.mark.parametrize(("path", "field", "item"), ROUTES)
@pytest.mark.parametrize("fate", [Fate.FULL, Fate.UNAVAILABLE])
def test_what_could_not_be_kept_is_to_be_sent_again(post, path, field, item, fate):
    found = post(path, fate=fate, **{field: [item]})
    assert found.status == 503
    assert int(found.headers["retry-after"]) >= 1


@pytest.mark.parametrize(("path", "field", "item"), ROUTES)
def test_a_body_above_the_limit_is_too_large(ask, path, field, item):
    packed = f"{field}={json.dumps(item)}&x={'x' * 1_100_000}".encode()
    assert ask(path, packed, headers=FORM).status == 413


@pytest.mark.parametrize(
    ("item", "says"),
    [
        ({"user_properties": {"a": 1}}, "user_id is missing; device_id is missing"),
        ({"user_id": 5}, "user_id"),
        ({"user_id": "ab"}, "user_id is shorter"),
        ({"user_id": "unknown"}, "user_id"),
        ({**ITEM, "user_properties": "x"}, "user_properties"),
        ({**ITEM, "user_properties": {"$set": {}, "a": 1}}, "user_properties"),
    ],
)
def test_one_bad_item_is_named_and_none_is_taken(post, item, says):
    found = post("/identify", identification=[ITEM, item])
    assert (found.status, [type(record) for record in found.records]) == (400, [Refusal])
    assert found.text.startswith(f"invalid_event: item 1: {says}")
    assert json.loads(found.records[0].record) == item


def test_a_short_id_is_good_where_the_sender_says_so_and_left_out_beside_a_good_one(post):
    short = {"user_id": "ab", "user_properties": {"a": 1}}
    assert post("/identify", identification=short, options={"min_id_length": 1}).records[0].ids == Ids(user="ab")
    assert post("/identify", identification={**short, "device_id": "device-1"}).records[0].ids == Ids(device="device-1")


def test_built_in_fields_and_groups_are_written_before_the_properties(post):
    sent = {**ITEM, "platform": "iOS", "paying": "true", "start_version": "1.2", "groups": {"company": "acme"}}
    [change] = post("/identify", identification=sent).records
    assert [json.loads(one.operand) for one in change.operations] == [
        {"$platform": "iOS", "$paying": "true", "$start_version": "1.2"},
        {"company": "acme"},
        {"plan": "pro"},
    ]


def test_a_group_is_identified(post):
    found = post("/groupidentify", identification=[GROUP, {**GROUP, "group_value": 42}])
    assert (found.status, found.text) == (200, "success")
    written = (Operation("set", b'{"seats": 5}'),)
    assert found.records == [GroupChange("company", "acme", written), GroupChange("company", "42", written)]


def test_a_group_has_at_most_so_many_items_and_properties(post):
    assert post("/groupidentify", identification=[GROUP] * 1024).text == "success"
    found = post("/groupidentify", identification=[GROUP] * 1025)
    assert (found.status, found.parts) == (400, ())
    assert "1024" in found.text
    for number, status in ((1024, 200), (1025, 400)):
        crowded = {**GROUP, "group_properties": {f"p{n}": n for n in range(number)}}
        assert post("/groupidentify", identification=crowded).status == status


@pytest.mark.parametrize(
    "fields",
    [{"group_type": None}, {"group_type": ""}, {"group_value": []}, {"group_properties": {"$remove": {"a": 1}}}],
)
def test_what_is_no_group_is_named(post, fields):
    found = post("/groupidentify", identification=[GROUP, {**GROUP, **fields}])
    assert found.status == 400
    assert found.text.startswith(f"invalid_event: item 1: {next(iter(fields))}")


def test_a_user_is_mapped_and_unmapped(post):
    found = post("/usermap", mapping=[MAP, {"user_id": "b", "unmap": True}])
    assert (found.status, found.text) == (200, "success")
    assert found.records == [UserMapping("a", "g"), UserMapping("b", "")]


@pytest.mark.parametrize(
    ("item", "says"),
    [
        ({"global_user_id": "g"}, "user_id is missing"),
        ({"user_id": "a"}, "global_user_id is missing"),
        ({"user_id": "a", "unmap": False}, "global_user_id is missing"),
        ({"user_id": "a", "global_user_id": 5}, "global_user_id"),
        ({"user_id": "a", "global_user_id": "g", "unmap": True}, "unmap"),
        ({"user_id": "", "unmap": True}, "user_id"),
    ],
)
def test_one_bad_mapping_is_named_and_none_is_taken(post, item, says):
    found = post("/usermap", mapping=[MAP, item])
    assert (found.status, [type(record) for record in found.records]) == (400, [Refusal])
    assert found.text.startswith(f"invalid_mapping: item 1: {says}")


def test_two_thousand_users_are_mapped_at_once_and_one_more_is_not(post):
    assert len(post("/usermap", mapping=[MAP] * 2000).records) == 2000
    found = post("/usermap", mapping=[MAP] * 2001)
    assert (found.status, found.parts) == (400, ())


@pytest.mark.parametrize("bad", [None, "{bad", "[5]"])
def test_a_missing_or_broken_mapping_is_told(post, bad):
    found = post("/usermap", mapping=bad)
    assert (found.status, found.text) == (400, "missing_mapping")
