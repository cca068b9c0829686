"""Kinds of identifiers at OneSignal, with the simulator as judge of every request."""

import json
from collections import Counter
from urllib.parse import urlsplit

import pytest
from test_onesignal_on_simulator import SimulatedApp

from cornicen.delivery.shapes import Change, Need, Parcel, Verdict
from cornicen.errors import BadSetting
from cornicen.flows.ports import Form
from cornicen.flows.records import Place
from cornicen.integrations.onesignal import MANIFEST
from cornicen.integrations.onesignal.recipients import Kind, form, kind_of
from cornicen.testing.delivering import CONNECTION
from cornicen.testing.faults import Fault
from cornicen.wire.http import NoAnswer, Reply

APP = "65c10914-0000-4000-8000-00000000abcd"
SUBSCRIPTION, USER = "0a8b9c00-1111-4222-8333-444455556666", "99998888-7777-4666-8555-444433332222"


def out(**settings):
    return MANIFEST.destination({"app_id": APP, **settings}, {"api_key": "k"})


def parcel(identifier, **changes):
    return Parcel(tuple(Change(sync, 1, identifier, want=want, entered=5 * want) for sync, want in changes.items()))


def delivering(knobs=(), **settings):
    """A connection with these settings to a simulated app."""
    stage = SimulatedApp(**dict(knobs))
    stage.destination = MANIFEST.destination({"app_id": stage.app.id, **settings}, {"api_key": "app-key"})
    return stage.connected(), stage


def subscriptions(stage):
    """The subscriptions' ids, in the order in which their users came."""
    return [one["id"] for user in stage.held()["users"] for one in user["subscriptions"]]


def paths(sent):
    """The kinds of requests that were sent, without the app and the ids."""
    found = [(method, urlsplit(url).path.split("/")[3:]) for method, url in (one.split() for one in sent)]
    return Counter(f"{method} {'/'.join(parts[:3] if parts[1:2] == ['by'] else parts[:1])}" for method, parts in found)


def test_each_kind_is_kept_so_that_a_changed_setting_still_finds_whom_it_knew():
    assert form({}) == form({"recipient": "auto"}) == Form()
    assert form({"recipient": "onesignal_id"}) == Form("onesignal_id/", uuid=True)
    assert kind_of(f"subscription_id/{SUBSCRIPTION}") == (Kind.SUBSCRIPTION, SUBSCRIPTION)
    assert kind_of("onesignal_id/me") == (Kind.EXTERNAL, "onesignal_id/me")
    for setting in Kind:
        url = out(recipient=setting.value).deliver(parcel(f"onesignal_id/{USER}", a=False)).url
        assert url.endswith(f"/users/by/onesignal_id/{USER}")


@pytest.mark.parametrize(
    ("setting", "identifier", "need"),
    [
        ("external_id", USER, Need.NEVER),
        ("auto", "ada", Need.NEVER),
        ("auto", USER.upper(), Need.UNKNOWN),
        ("auto", f"onesignal_id/{USER}", Need.NEVER),
        ("onesignal_id", f"onesignal_id/{USER}", Need.NEVER),
        ("subscription_id", f"subscription_id/{SUBSCRIPTION}", Need.FIRST),
        ("external_id", f"subscription_id/{SUBSCRIPTION}", Need.FIRST),
    ],
)
def test_a_users_id_is_asked_for_only_where_the_identifier_does_not_say_it(setting, identifier, need):
    assert out(recipient=setting).need(identifier) is need


def test_settings_that_are_none_are_refused():
    for wrong in ({"recipient": "email"}, {"create_missing": "yes"}):
        with pytest.raises(BadSetting, match=next(iter(wrong))):
            out(**wrong)


@pytest.mark.parametrize(
    ("result", "verdict", "user"),
    [
        (Reply(200, {}, json.dumps({"identity": {"onesignal_id": USER.upper()}}).encode()), Verdict.ACCEPTED, USER),
        (Reply(404, {}, b'{"errors":[{"code":"subscription-0"}]}'), Verdict.ACCEPTED, ""),
        (Reply(200, {}, b'{"identity":{"external_id":"x"}}'), Verdict.UNKNOWN, ""),
        (Reply(200, {}, b"{}"), Verdict.UNKNOWN, ""),
        (Reply(400, {}, b'{"errors":["Invalid UUID"]}'), Verdict.REFUSED, ""),
        (Reply(429, {}, b""), Verdict.UNTOUCHED, ""),
        (Reply(403, {}, b""), Verdict.DENIED, ""),
        (NoAnswer("timed out"), Verdict.UNKNOWN, ""),
    ],
    ids=["found", "nobody", "no id", "empty", "refused", "busy", "denied", "lost"],
)
def test_what_an_answer_about_a_subscription_means(result, verdict, user):
    sought = out().sought(result)
    assert (sought.answer.verdict, sought.user) == (verdict, user)


def test_users_are_made_only_by_external_id_and_only_to_go_in():
    made = out(create_missing=True)
    assert json.loads(made.create(parcel("ada", a=True, b=False)).body) == {
        "identity": {"external_id": "ada"},
        "properties": {"tags": {"cornicen_a": "5", "cornicen_b": ""}},
    }
    assert made.create(parcel("ada", a=False)) is None
    assert made.create(parcel(f"onesignal_id/{USER}", a=True)) is None
    assert out().create(parcel("ada", a=True)) is None


def test_onesignals_own_ids_take_one_request_each():
    run, stage = delivering(recipient="onesignal_id")
    stage.know(["ada", "bob"])
    users = {user["external_id"]: user["onesignal_id"] for user in stage.held()["users"]}
    sync = run.sync()
    run.want({sync: [f"onesignal_id/{users['ada']}", f"onesignal_id/{USER}"]})
    assert paths(run.settle()) == {"POST segments": 1, "PATCH users/by/onesignal_id": 2}
    assert stage.members(sync) == {"ada"}
    assert len(run.facts(sync).unknown) == 1


def test_a_subscriptions_user_is_asked_for_once_and_within_the_view_limit():
    run, stage = delivering(recipient="subscription_id")
    stage.know([f"u{n}" for n in range(5)])
    ids = [f"subscription_id/{one}" for one in subscriptions(stage)]
    sync = run.sync()
    run.want({sync: [*ids, f"subscription_id/{SUBSCRIPTION}"]})
    began = run.clock.now()
    sent = run.settle()
    assert paths(sent) == {"POST segments": 1, "GET subscriptions": 6, "PATCH users/by/onesignal_id": 5}
    assert stage.members(sync) == {f"u{n}" for n in range(5)}
    assert run.clock.now() - began >= 5_000_000
    assert 429 not in stage.statuses
    assert len(run.state.places.found(CONNECTION)) == 5
    run.pass_time(5)
    run.want({sync: ids[:3]})
    assert paths(run.settle()) == {"PATCH users/by/onesignal_id": 2}
    assert len(stage.members(sync)) == 3


def test_a_question_whose_answer_is_lost_leaves_nobody_uncertain():
    run, stage = delivering(recipient="subscription_id")
    stage.know(["u"])
    [subscription] = subscriptions(stage)
    sync = run.sync()
    run.want({sync: [f"subscription_id/{subscription}"]})
    run.deliver(Fault.NONE, Fault.LOST)
    assert not run.facts(sync).uncertain
    run.settle()
    assert stage.members(sync) == {"u"}


def test_a_user_who_is_not_there_any_more_is_asked_for_again():
    run, stage = delivering(recipient="subscription_id")
    stage.know(["u"])
    [subscription] = subscriptions(stage)
    identifier, sync = f"subscription_id/{subscription}", run.sync()
    run.state.places.put(CONNECTION, identifier, Place(USER, run.clock.now()))
    run.want({sync: [identifier]})
    assert paths(run.settle()) == {"POST segments": 1, "GET subscriptions": 1, "PATCH users/by/onesignal_id": 2}
    assert stage.members(sync) == {"u"}


def test_auto_asks_for_a_subscription_only_after_a_404_on_a_uuid_and_only_once():
    run, stage = delivering(recipient="auto")
    stage.know(["ada", USER])
    [one, _] = subscriptions(stage)
    sync = run.sync()
    run.want({sync: ["ada", USER, "nobody", one, SUBSCRIPTION]})
    assert paths(run.settle()) == {"POST segments": 1, "PATCH users/by/external_id": 5, "GET subscriptions": 2}
    assert run.state.places.found(CONNECTION)
    run.pass_time(3600)
    assert paths(run.deliver()) == {"PATCH users/by/onesignal_id": 1, "PATCH users/by/external_id": 2}
    assert run.facts(sync).acknowledged == run.facts(sync).desired - run.facts(sync).unknown
    assert len(run.facts(sync).unknown) == 2
    assert 429 not in stage.statuses


def test_whom_the_app_does_not_know_is_made_once_where_that_is_wanted():
    run, stage = delivering(create_missing=True)
    stage.know(["ada"])
    sync = run.sync()
    run.want({sync: ["ada", "new"]})
    assert paths(run.settle()) == {"POST segments": 1, "PATCH users/by/external_id": 2, "POST users": 1}
    assert stage.members(sync) == {"ada", "new"}
    assert not run.facts(sync).unknown
    run.pass_time(61)
    run.want({sync: ["ada"]})
    assert paths(run.settle()) == {"PATCH users/by/external_id": 1}
    assert stage.members(sync) == {"ada"}


def test_a_404_within_a_minute_of_the_making_is_no_refusal():
    run, stage = delivering({"create_visibility_ms": 30_000}, create_missing=True)
    sync, other = run.sync(1), run.sync(2)
    run.want({sync: ["new"], other: []})
    run.settle()
    run.pass_time(2)
    run.want({sync: [], other: ["new"]})
    run.deliver()
    assert not run.facts(sync).refused
    assert run.facts(sync).acknowledged
    sent = run.settle()
    assert "POST users" not in paths(sent)
    assert (stage.members(sync), stage.members(other)) == (set(), {"new"})
    assert not run.facts(other).unknown
