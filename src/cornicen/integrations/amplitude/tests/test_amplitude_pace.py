"""How an answer looks when somebody sends too fast; with the door's own paces."""

import json

import pytest

from cornicen.flows.events.pace import OVER, Paced
from cornicen.integrations.amplitude import limits


@pytest.fixture
def paces():
    return Paced()


def many(event, number, **fields):
    return [event(**fields)] * number


def test_who_is_too_fast_is_named_with_its_events(send, event, paces):
    fast = many(event, 30 * OVER + 15, device_id="d-77aa", user_id=None)
    found = send(event(device_id="d-other"), *fast[:2], event(device_id="d-77aa"), *fast[3:]).pace(paces)
    assert found.status == 429
    assert json.loads(found.body) == {
        "code": 429,
        "error": "Too many requests for some devices and users",
        "eps_threshold": 30,
        "throttled_devices": {"d-77aa": 31},
        "throttled_users": {},
        "exceeded_daily_quota_users": {},
        "exceeded_daily_quota_devices": {},
        "throttled_events": list(range(1, 30 * OVER + 16)),
    }


def test_a_device_at_forty_a_second_is_stopped_and_one_at_thirty_is_not(send, event, paces):
    def sent(rate, device):
        pace = send(*many(event, rate, device_id=device, user_id=None)).pace
        return [type(pace)(pace.records, pace.route, pace.limit, second * 1_000_000)(paces) for second in range(200)]

    assert any(sent(40, "device-1"))
    assert not any(sent(30, "device-2"))


def test_a_user_is_too_fast_on_whatever_devices(send, event, paces):
    found = send(*[event(device_id=f"device-{number}") for number in range(30 * OVER + 1)]).pace(paces)
    said = json.loads(found.body)
    assert (said["throttled_devices"], said["throttled_users"]) == ({}, {"u-1001": 31})
    assert len(said["throttled_events"]) == 30 * OVER + 1


def test_others_of_the_request_are_not_counted(send, event, paces):
    slow = many(event, 30 * OVER, device_id="slow-device", user_id=None)
    fast = many(event, 30 * OVER + 1, device_id="fast-device", user_id=None)
    assert send(*slow, *fast).pace(paces).status == 429
    assert send(*slow).pace(paces) is None


def test_batch_is_looser_and_counted_apart(send, event, paces):
    events = many(event, 2000)
    assert send(*events, path="/batch").pace(paces) is None
    assert send(event()).pace(paces) is None
    assert send(event(), path="/batch").pace.limit == limits.BATCH_PACE


def test_identifies_count_and_group_identifies_are_nobodys(send, event, paces):
    group = {"event_type": "$groupidentify", "groups": {"company": "acme"}}
    assert send(*[group] * 2000).pace(paces) is None
    assert send(*many(event, 30 * OVER + 1, event_type="$identify")).pace(paces).status == 429
