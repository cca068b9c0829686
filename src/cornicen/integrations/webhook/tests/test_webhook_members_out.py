import json

import pytest

from cornicen.delivery.shapes import Change, Container, Grouping, Parcel, Verdict
from cornicen.errors import BadSetting, DestinationRefused, Unreachable, WrongKey
from cornicen.integrations.webhook import destination, limits
from cornicen.wire.http import NoAnswer, NotSent, Reply

URL = "https://hooks.example.com/cohorts"
SYNC = "a" * 32
COHORT = Container(SYNC, "Power users")
OPEN = Container(SYNC, "Power users", exists=True)
SECRETS = {"username": "hook", "password": "s3cret"}


def out(**settings):
    return destination({"url": URL, **settings}, SECRETS)


def page(*identifiers, want=True, sent=1, first=0, name="Power users"):
    changes = (Change(SYNC, number, one, want, 1 if want else 0) for number, one in enumerate(identifiers, first))
    return Parcel(tuple(changes), sent, name)


def body(request):
    return json.loads(request.body)


def said(action="add_members", http=200, **rest):
    document = {"action": action, "status": "success" if http < 300 else "failure", **rest}
    return Reply(http, {}, json.dumps(document).encode())


def test_a_page_is_the_protocols_request_to_the_letter():
    request = out(project_id="1234").deliver(page("13793", "a b/ü"))
    assert (request.method, request.url) == ("POST", URL)
    assert request.headers["Authorization"] == "Basic aG9vazpzM2NyZXQ="
    assert request.headers["Content-Type"] == "application/json"
    document = body(request)
    session = document["parameters"].pop("mixpanel_session_id")
    assert session.isalnum()
    assert document == {
        "action": "add_members",
        "parameters": {
            "mixpanel_project_id": "1234",
            "mixpanel_cohort_name": "Power users",
            "mixpanel_cohort_id": SYNC,
            "mixpanel_cohort_description": f"Kept by Cornicen: sync {SYNC}",
            "page_info": {"total_pages": 1, "page_count": 1},
            "members": [{"mixpanel_distinct_id": "13793"}, {"mixpanel_distinct_id": "a b/ü"}],
        },
    }


@pytest.mark.parametrize(
    ("request_of", "action", "people"),
    [
        (lambda to: to.ensure(COHORT), "members", 0),
        (lambda to: to.ensure(OPEN), "add_members", 0),
        (lambda to: to.retire(OPEN), "members", 0),
        (lambda to: to.probe(), "remove_members", 0),
        (lambda to: to.deliver(page("a", "b")), "add_members", 2),
        (lambda to: to.deliver(page("a", want=False)), "remove_members", 1),
    ],
)
def test_each_request_says_its_action(request_of, action, people):
    document = body(request_of(out()))
    assert document["action"] == action
    assert len(document["parameters"]["members"]) == people


@pytest.mark.parametrize(
    ("identifier", "member"),
    [  # H13
        ("distinct_id", {}),
        ("$user_id", {}),
        ("$onesignal_user_id", {"$onesignal_user_id": "13793"}),
        ("$email", {"email": "13793"}),
        ("$phone", {"phone_number": "13793"}),
    ],
)
def test_a_member_carries_the_property_that_was_chosen(identifier, member):
    document = body(out(identifier=identifier).deliver(page("13793")))
    assert document["parameters"]["members"] == [{"mixpanel_distinct_id": "13793", **member}]


def test_only_a_repeat_carries_the_session_of_another_request():
    parcels = [page("a", "b"), page("a"), page("a", "b", want=False), page("a", "b", sent=2)]
    requests = [out().ensure(COHORT), out().ensure(OPEN), out().retire(OPEN), *map(out().deliver, parcels)]
    sessions = [body(one)["parameters"]["mixpanel_session_id"] for one in requests]
    assert len(set(sessions)) == len(sessions)
    assert body(out().deliver(parcels[0])) == body(out().deliver(page("a", "b")))


def test_a_page_holds_as_many_as_the_protocol_allows_and_no_more():
    assert (out().shape.grouping, out().shape.limit) == (Grouping.PAGE, 1000)
    with pytest.raises(BadSetting, match="page_size"):
        out(page_size=1001)


FAILURE = {"status": "failure", "error": {"message": "quota reached"}}
ANSWERS = [
    ("as it should be", said(), Verdict.ACCEPTED),
    ("H5 400", said(http=400), Verdict.DENIED),
    ("H5 401", said(http=401), Verdict.DENIED),
    ("H5 403", said(http=403), Verdict.DENIED),
    ("H5 404", said(http=404), Verdict.DENIED),
    ("another 4xx is as 400", said(http=413), Verdict.DENIED),
    ("H6 no code", said(**FAILURE), Verdict.DENIED),
    ("H6 code 429", said(http=200, **{**FAILURE, "error": {"message": "quota reached", "code": 429}}), Verdict.UNTOUCHED),
    ("H6 code 500", said(**{**FAILURE, "error": {"message": "x", "code": "500"}}), Verdict.UNKNOWN),
    ("H6 code 403", said(**{**FAILURE, "error": {"message": "x", "code": 403}}), Verdict.DENIED),
    ("H6 a code of its own", said(**{**FAILURE, "error": {"message": "x", "code": 7}}), Verdict.UNKNOWN),
    ("H9 another action", said("members"), Verdict.UNKNOWN),
    ("H9 HTML", Reply(200, {}, b"<html>ok</html>"), Verdict.UNKNOWN),
    ("H9 empty", Reply(200, {}, b""), Verdict.UNKNOWN),
    ("H9 a list", Reply(200, {}, b"[]"), Verdict.UNKNOWN),
    (
        "H9 cut short at the client's bound",
        Reply(200, {}, b'{"action":"add_members","x":"' + b"y" * (1 << 20)),
        Verdict.UNKNOWN,
    ),
    ("H9 redirect", Reply(302, {"location": "https://elsewhere.example.com"}, b""), Verdict.DENIED),
    ("H4 503", Reply(503, {}, b""), Verdict.UNKNOWN),
    ("429", Reply(429, {}, b""), Verdict.UNTOUCHED),
    ("408", Reply(408, {}, b""), Verdict.UNKNOWN),
    ("no connection", NotSent("refused"), Verdict.UNTOUCHED),
    ("time-out", NoAnswer("timed out"), Verdict.UNKNOWN),
]


@pytest.mark.parametrize(("result", "verdict"), [one[1:] for one in ANSWERS], ids=[one[0] for one in ANSWERS])
def test_what_an_answer_means(result, verdict):
    answer = out().answered(page("a"), result)
    assert answer.verdict is verdict
    assert (answer.error is not None) is (verdict is Verdict.DENIED)
    assert out().ensured(OPEN, result).verdict is verdict
    assert out().ensured(OPEN, result).container.exists


@pytest.mark.parametrize(
    ("result", "kind", "words"),
    [
        (said(http=401, error={"message": "Who are you?", "code": 401}), WrongKey, "Who are you?"),
        (said(http=404, error={"message": "No such cohort.", "code": 404}), DestinationRefused, "No such cohort."),
        (said(**FAILURE), DestinationRefused, "quota reached"),
        (Reply(400, {}, b"bad\x00 hook:s3cret s3cret " + b"x" * 9000), DestinationRefused, "bad  [secret] [secret] xxx"),
        (Reply(302, {}, b""), DestinationRefused, "status 302 without a text"),
    ],
)
def test_a_refusal_is_told_in_the_receivers_own_words(result, kind, words):  # H5 H6 H9
    error = out().answered(page("a"), result).error
    assert type(error) is kind
    assert error.words.startswith(words)
    assert len(error.words) <= limits.LONGEST_WORDS
    assert "s3cret" not in f"{error.what} {error.fix} {error.words}"
    assert "cornicen sync resume NAME" in error.fix


def test_statuses_that_heal_by_themselves_are_named_by_whoever_knows():
    assert out(retried="404 409").answered(page("a"), said(http=404)).verdict is Verdict.UNKNOWN
    assert out(retried="404, 409").answered(page("a"), said(http=409)).verdict is Verdict.UNKNOWN
    assert out(retried="404").answered(page("a"), said(http=403)).verdict is Verdict.DENIED
    for wrong in ("500", "4xx", "404;409"):
        with pytest.raises(BadSetting, match="retried"):
            out(retried=wrong)


def test_a_receiver_may_name_whom_it_does_not_know():
    answer = out().answered(page("a", "b"), said(skipped={"b": "unknown_recipient", "c": "x"}))
    assert answer.verdict is Verdict.ACCEPTED
    assert {number: (one.verdict, one.reason) for number, one in answer.others.items()} == {
        1: (Verdict.REFUSED, "unknown_recipient")
    }


@pytest.mark.parametrize("status", [400, 404])
def test_a_receiver_that_does_not_know_the_test_cohort_is_connected(status):
    assert out().probed(said("remove_members")) == "hooks.example.com"
    assert out().probed(said("remove_members", status, error={"message": "No such cohort."})) == "hooks.example.com"


@pytest.mark.parametrize(
    ("result", "kind"),
    [
        (said("remove_members", 401), WrongKey),
        (Reply(403, {}, b"no"), WrongKey),
        (Reply(404, {}, b"<html>nothing here</html>"), Unreachable),
        (Reply(302, {}, b'{"status":"failure"}'), Unreachable),
        (Reply(200, {}, b"OK"), Unreachable),
        (Reply(503, {}, b""), Unreachable),
        (NotSent("refused"), Unreachable),
        (NoAnswer("timed out"), Unreachable),
    ],
)
def test_what_does_not_speak_the_protocol_is_not_connected(result, kind):
    with pytest.raises(kind):
        out().probed(result)


@pytest.mark.parametrize(
    ("settings", "secrets", "named"),
    [
        ({"url": "ftp://x"}, {}, "url"),
        ({"url": "http://hooks.example.com/"}, {}, "url"),
        ({"url": "https://u:p@hooks.example.com/"}, {}, "url"),
        ({"url": URL, "timeout": 61}, {}, "timeout"),
        ({"url": URL, "rate": 0}, {}, "rate"),
        ({"url": URL, "identifier": " "}, {}, "identifier"),
        ({"url": URL}, {"username": "a:b"}, "username"),
    ],
)
def test_a_setting_out_of_its_bounds_is_named(settings, secrets, named):
    with pytest.raises(BadSetting, match=f"`{named}`"):
        destination(settings, secrets)


def test_nobody_is_named_where_no_credentials_are_given():
    assert "Authorization" not in destination({"url": "http://127.0.0.1:9/hook"}, {}).probe().headers
