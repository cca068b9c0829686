import json
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cornicen.delivery.shapes import Change, Container, Parcel, Verdict
from cornicen.errors import TierRefused, Unreachable, WrongKey
from cornicen.integrations.onesignal import MANIFEST
from cornicen.integrations.onesignal.members_out import segment_id, segment_name, tag_key
from cornicen.wire.http import NoAnswer, NotSent, Reply

APP, KEY, SYNC = "65c10914-0000-4000-8000-00000000abcd", "os_v2_app_secret", "0123456789abcdef0123456789abcdef"
OUT = MANIFEST.destination({"app_id": APP}, {"api_key": KEY})
ADA = Parcel((Change(SYNC, 7, "ada", want=True, entered=1_700_000_000), Change("b" * 32, 7, "ada", want=False)))
BIG = Container(SYNC, "Big spenders", "Kept by Cornicen")


def says(status, document, **headers):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Reply(status, headers, body)


def test_all_changes_of_a_recipient_are_one_patch_that_names_only_our_keys():
    request = OUT.deliver(ADA)
    assert (request.method, request.url) == ("PATCH", f"https://api.onesignal.com/apps/{APP}/users/by/external_id/ada")
    assert json.loads(request.body) == {"properties": {"tags": {f"cornicen_{SYNC}": "1700000000", f"cornicen_{'b' * 32}": ""}}}
    assert request.headers["Authorization"] == f"Key {KEY}"
    assert request.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("identifier", "path"),
    [
        ("a/b", "a%2Fb"),
        ("a b?c#d&e=%", "a%20b%3Fc%23d%26e%3D%25"),
        ("ü", "%C3%BC"),
        ("..", "%2E%2E"),
        (".", "%2E"),
        ("a.b", "a.b"),
    ],
)
def test_an_identifier_is_one_path_segment_whatever_it_holds(identifier, path):
    assert OUT.deliver(Parcel((Change(SYNC, 1, identifier, want=True, entered=1),))).url.endswith(f"/external_id/{path}")


def test_a_tag_key_comes_from_the_sync_alone_and_no_other_id_makes_one():
    assert tag_key(SYNC) == f"cornicen_{SYNC}"
    for wrong in ("", "A" * 32, "a b", "a" * 56, "ü"):
        with pytest.raises(ValueError, match="sync id"):
            tag_key(wrong)


@given(st.text("0123456789abcdef", min_size=32, max_size=32))
def test_a_segment_id_is_a_uuid_of_version_four_and_always_the_same(sync):
    made = uuid.UUID(segment_id(APP, sync))
    assert (made.version, made.variant) == (4, uuid.RFC_4122)
    assert str(made) == segment_id(APP, sync)
    assert segment_id(APP, sync) != segment_id(str(uuid.UUID(int=1)), sync)


@given(st.text(max_size=300), st.booleans())
def test_a_segment_name_fits_whatever_the_cohort_is_called(name, renamed):
    made = segment_name(Container(SYNC, name, renamed=renamed))
    assert 0 < len(made) <= 128
    assert made.isprintable()
    assert made.endswith(" (01234567)") or not renamed


def test_a_segment_is_created_under_our_id_and_renamed_in_place():
    created = OUT.ensure(BIG)
    assert (created.method, created.url) == ("POST", f"https://api.onesignal.com/apps/{APP}/segments")
    assert json.loads(created.body) == {
        "name": "Big spenders",
        "description": "Kept by Cornicen",
        "filters": [{"field": "tag", "key": f"cornicen_{SYNC}", "relation": "exists"}],
        "id": segment_id(APP, SYNC),
    }
    renamed = OUT.ensure(Container(SYNC, "Bigger", exists=True))
    assert (renamed.method, renamed.url) == ("PATCH", f"{created.url}/{segment_id(APP, SYNC)}")
    assert set(json.loads(renamed.body)) == {"name", "description"}
    assert OUT.retire(Container(SYNC, "x", stored="given/1")).url == f"{created.url}/given%2F1"


TAG_LIMIT = "The tags for this user exceed the limit for this organization's plan."


@pytest.mark.parametrize(
    ("result", "verdict", "reason"),
    [
        (says(202, {"properties": {"tags": {}}}), Verdict.ACCEPTED, ""),
        (says(200, {}), Verdict.ACCEPTED, ""),
        (says(202, b""), Verdict.UNKNOWN, ""),
        (says(202, b"<html>"), Verdict.UNKNOWN, ""),
        (says(202, [1]), Verdict.UNKNOWN, ""),
        (says(202, {"errors": ["half of it"]}), Verdict.UNKNOWN, ""),
        (says(202, {"success": False}), Verdict.UNKNOWN, ""),
        (says(404, {"errors": [{"code": "user-0", "title": "User not found"}]}), Verdict.REFUSED, "unknown_recipient"),
        (says(404, b""), Verdict.REFUSED, "unknown_recipient"),
        (says(410, b""), Verdict.REFUSED, "unknown_recipient"),
        (says(404, {"errors": [f"Couldn't find app with id = {APP}"]}), Verdict.DENIED, "wrong_key"),
        (says(404, {"errors": "Couldn't find app with id = a"}), Verdict.DENIED, "wrong_key"),
        (says(409, {"errors": [{"code": "entitlements-tag-limit", "title": TAG_LIMIT}]}), Verdict.REFUSED, "tag_limit"),
        (says(400, {"errors": ["App is limited to a maximum of 2 tags on a given player"]}), Verdict.REFUSED, "tag_limit"),
        (says(409, {"errors": [{"code": "Subscription Limit Exceeded"}]}), Verdict.REFUSED, "subscription_limit_exceeded"),
        (says(409, {"errors": ["some conflict"]}), Verdict.REFUSED, "conflict"),
        (says(400, {"errors": ["Please limit your tag updates to 100 per request"]}), Verdict.REFUSED, "invalid"),
        (says(414, b"<html>too long</html>"), Verdict.REFUSED, "invalid"),
        (
            says(401, {"errors": [{"code": "auth-1", "title": "This operation requires 'Authorization'"}]}),
            Verdict.DENIED,
            "wrong_key",
        ),
        (says(400, {"errors": ["Please include a case-sensitive header of Authorization"]}), Verdict.DENIED, "wrong_key"),
        (says(403, {"errors": ["Access denied.  Please include an 'Authorization: ...' header"]}), Verdict.DENIED, "wrong_key"),
        (says(403, {"errors": ["You do not have permission to view this app."]}), Verdict.DENIED, "wrong_key"),
        (says(403, b""), Verdict.DENIED, "wrong_key"),
        (
            says(403, {"errors": ["This API is not available for applications on your plan."]}),
            Verdict.DENIED,
            "tier_refused",
        ),
        (says(302, b"", location="https://elsewhere"), Verdict.DENIED, "destination_refused"),
        (says(429, {"errors": ["API rate limit exceeded"], "limit": "App ID"}), Verdict.UNTOUCHED, ""),
        (says(500, {"status": 500, "error": "Internal"}), Verdict.UNKNOWN, ""),
        (says(503, b""), Verdict.UNKNOWN, ""),
        (says(408, b""), Verdict.UNKNOWN, ""),
        (NoAnswer("timed out"), Verdict.UNKNOWN, ""),
        (NotSent("connection refused"), Verdict.UNTOUCHED, ""),
    ],
)
def test_an_answer_about_a_recipient_means(result, verdict, reason):
    answer = OUT.answered(ADA, result)
    assert (answer.verdict, answer.reason) == (verdict, reason)
    assert (answer.error is not None) == (verdict is Verdict.DENIED)


@pytest.mark.parametrize(
    ("container", "result", "verdict", "again", "changed"),
    [
        (BIG, says(201, {"success": True, "id": segment_id(APP, SYNC)}), Verdict.ACCEPTED, False, {"exists": True}),
        (BIG, says(201, {"success": True, "id": "other"}), Verdict.ACCEPTED, False, {"exists": True, "stored": "other"}),
        (
            BIG,
            says(409, {"success": False, "errors": ["Segment with the given id already exists."]}),
            Verdict.ACCEPTED,
            False,
            {"exists": True},
        ),
        (BIG, says(409, {"errors": [{"code": "some-limit", "title": "limit"}]}), Verdict.REFUSED, False, {}),
        (BIG, says(400, {"errors": ["Segment name is already taken."]}), Verdict.REFUSED, True, {"renamed": True}),
        (BIG, says(400, {"errors": ["id is not permitted"]}), Verdict.REFUSED, True, {"own_id": False}),
        (Container(SYNC, "Big", own_id=False), says(400, {"errors": ["no"]}), Verdict.REFUSED, False, {}),
        (
            Container(SYNC, "Big", renamed=True),
            says(400, {"errors": ["Segment name is already taken."]}),
            Verdict.REFUSED,
            False,
            {"renamed": True},
        ),
        (BIG, says(422, {"errors": ["You have reached the maximum number of segments"]}), Verdict.REFUSED, False, {}),
        (BIG, says(404, {"errors": ["no"]}), Verdict.DENIED, False, {}),
        (BIG, says(403, {"errors": ["not available for applications on your plan."]}), Verdict.DENIED, False, {}),
        (BIG, says(201, b""), Verdict.UNKNOWN, False, {}),
        (
            Container(SYNC, "Big", exists=True, stored="s"),
            says(404, {"errors": ["segment not found"]}),
            Verdict.REFUSED,
            True,
            {"exists": False, "stored": ""},
        ),
    ],
)
def test_an_answer_about_a_segment_means(container, result, verdict, again, changed):
    meant = OUT.ensured(container, result)
    assert (meant.verdict, meant.again) == (verdict, again)
    assert {name: getattr(meant.container, name) for name in changed} == changed
    if not changed:
        assert meant.container == container


def test_a_tier_without_segments_is_told_in_the_native_integrations_words_and_in_onesignals():
    error = OUT.ensured(BIG, says(403, {"errors": ["This API is not available for applications on your plan."]})).error
    assert isinstance(error, TierRefused)
    assert error.what == "App may not submit cohort updates from Mixpanel"
    assert error.words == "This API is not available for applications on your plan."
    assert error.fix


def test_a_segment_that_is_not_there_is_retired():
    assert OUT.retired(BIG, says(404, {"success": False})).verdict is Verdict.ACCEPTED
    assert OUT.retired(BIG, says(200, {"success": True})).verdict is Verdict.ACCEPTED
    assert OUT.retired(BIG, says(400, {"errors": ["no"]})).verdict is Verdict.REFUSED
    assert OUT.retired(BIG, says(404, {"errors": ["Couldn't find app with id = a"]})).verdict is Verdict.DENIED


def test_the_wait_of_an_answer_is_its_retry_after():
    assert OUT.answered(ADA, says(429, {}, **{"retry-after": "30"})).wait == 30
    assert OUT.answered(ADA, says(503, b"", **{"retry-after": "5"})).wait == 5
    assert OUT.answered(ADA, says(429, {})).wait is None


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"errors": ["one", "two"]}, "one; two"),
        ({"errors": "bare"}, "bare"),
        ({"errors": [{"code": "request-1", "title": "Invalid UUID", "meta": {"onesignal_id": "1"}}]}, "Invalid UUID"),
        ({"errors": [{"code": "Conflict"}]}, "Conflict"),
        ({"errors": {"invalid_aliases": {"external_id": ["u1"]}}}, '{"invalid_aliases": {"external_id": ["u1"]}}'),
        ({"status": 404, "error": "Not Found"}, "Not Found"),
        ({"errors": []}, "status 400 without a text"),
        (b"", "status 400 without a text"),
        (b"\x00Bad\r\nGateway\x1b[31m", "Bad  Gateway [31m"),
        (b"\xff\xfe", "��"),
        ({"errors": [f"your key {KEY} is bad"]}, "your key [key] is bad"),
        ({"errors": ["x" * 10_000]}, "x" * 500),
        (b"[" * 100_000, "[" * 500),
    ],
)
def test_its_words_are_read_from_every_shape_of_error_and_never_hold_the_key(document, words):
    assert OUT.answered(ADA, says(400, document)).words == words


@pytest.mark.parametrize(
    ("result", "error"),
    [
        (says(401, b""), WrongKey),
        (says(403, {"errors": ["You do not have permission to view this app."]}), WrongKey),
        (says(404, {"errors": ["Couldn't find app"]}), WrongKey),
        (says(404, b"not here"), WrongKey),
        (says(429, b""), Unreachable),
        (says(500, b""), Unreachable),
        (says(200, b"<html>"), Unreachable),
        (NotSent("connection refused"), Unreachable),
        (NoAnswer("timed out"), Unreachable),
    ],
)
def test_a_probe_that_fails_says_what_to_do(result, error):
    with pytest.raises(error) as raised:
        OUT.probed(result)
    assert raised.value.what
    assert raised.value.fix
    assert KEY not in str(raised.value)


def test_the_key_is_in_no_text_of_ours():
    assert KEY not in repr(OUT.account)
