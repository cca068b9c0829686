from __future__ import annotations

import pytest

from cornicen.integrations.onesignal.simulator import Clock, Direct, Knobs, Simulator
from cornicen.integrations.onesignal.simulator.traffic.faults import Faults, Kind, Plan, Rule

NOW = 1_700_000_000.0


@pytest.fixture
def vendor():
    simulator = Simulator(Clock(NOW), Knobs(rps_per_user=0, view_rps=0))
    made = Direct(simulator, simulator.add_app())
    for name in ("u1", "u2"):
        made.ask("POST", "users", {"identity": {"external_id": name}})
    return made


def plan(vendor, *rules, seed=0):
    vendor.simulator.faults = Faults(Plan(rules=list(rules), seed=seed))


def tags(vendor, name="u1"):
    return vendor.app.by_alias["external_id", name].tags


def rule(kind, **more):
    return Rule(kind=kind, route="update_user", **more)


@pytest.mark.parametrize(
    ("fault", "answered", "applied"),
    [
        (rule(Kind.STATUS, status=429), 429, False),
        (rule(Kind.STATUS, status=500), 500, False),
        (rule(Kind.STATUS, status=503), 503, False),
        (rule(Kind.TIMEOUT_BEFORE), 0, False),
        (rule(Kind.TIMEOUT_AFTER), 0, True),
        (rule(Kind.RESET), 0, False),
        (rule(Kind.DELAY, delay_ms=5), 202, True),
    ],
)
def test_a_fault_decides_over_the_answer_and_the_deed_separately(vendor, fault, answered, applied):
    plan(vendor, fault)
    assert vendor.tag("u1", a="1").status == answered
    assert bool(tags(vendor)) is applied
    assert vendor.ask("GET", "users/by/external_id/u1").status == 200  # another route is not struck


def test_a_faulty_answer_is_written_in_the_shape_of_its_route(vendor):
    plan(vendor, Rule(kind=Kind.STATUS, status=429, retry_after_s=9), Rule(kind=Kind.STATUS, status=503))
    users, segments = vendor.tag("u1", a="1"), vendor.ask("GET", "segments")
    assert users.headers["retry-after"] == segments.headers["retry-after"] == "9"
    assert users.json == {"errors": [{"code": "Rate Limit Exceeded", "title": "API rate limit exceeded"}]}
    assert segments.json == {"errors": ["API rate limit exceeded"], "limit": "App ID"}
    plan(vendor, Rule(kind=Kind.STATUS, status=503))
    assert vendor.ask("GET", "segments").json == {"errors": ["Service temporarily unavailable"]}


def test_a_503_may_be_empty_and_may_ask_to_wait(vendor):
    plan(vendor, rule(Kind.STATUS, status=503, body="", retry_after_s=3))
    reply = vendor.tag("u1", a="1")
    assert (reply.status, reply.body, reply.headers["retry-after"]) == (503, b"", "3")


def test_a_late_request_is_acted_on_when_the_clock_says_so_and_before_any_later_one(vendor):
    plan(vendor, rule(Kind.LATE, late_s=60, times=1))
    assert vendor.tag("u1", a="late").status == 0
    assert vendor.tag("u1", a="now").status == 202
    vendor.simulator.clock.advance(59)
    vendor.simulator.act_late()
    assert tags(vendor) == {"a": "now"}
    vendor.simulator.clock.advance(1)
    vendor.tag("u2", a="1")
    assert tags(vendor) == {"a": "late"}


def test_a_late_request_that_no_longer_fits_does_nothing(vendor):
    plan(vendor, rule(Kind.LATE, late_s=1, times=1))
    vendor.tag("u1", a="late")
    vendor.ask("DELETE", "users/by/external_id/u1")
    vendor.simulator.clock.advance(1)
    assert vendor.ask("GET", "users/by/external_id/u1").status == 404


def test_a_late_request_is_judged_by_key_when_it_comes_in(vendor):
    plan(vendor, rule(Kind.LATE, late_s=1))
    reply = vendor.ask("PATCH", "users/by/external_id/u1", {"properties": {"tags": {"a": "1"}}}, authorization="Key wrong")
    assert reply.status == 403
    vendor.simulator.clock.advance(1)
    vendor.simulator.act_late()
    assert tags(vendor) == {}


def test_skip_times_and_alias_choose_the_requests(vendor):
    plan(vendor, rule(Kind.STATUS, skip=1, times=2, alias="u1"))
    assert vendor.tag("u2", a="1").status == 202
    assert [vendor.tag("u1", a="1").status for _ in range(5)] == [202, 503, 503, 202, 202]


def test_the_first_rule_that_strikes_decides(vendor):
    plan(vendor, rule(Kind.STATUS, status=500, times=1), rule(Kind.STATUS, status=503))
    assert [vendor.tag("u1", a="1").status for _ in range(2)] == [500, 503]
    assert vendor.simulator.faults.struck == [1, 1]


def test_equal_seeds_give_equal_faults_and_the_share_is_as_asked(vendor):
    def run(seed):
        plan(vendor, rule(Kind.STATUS, probability=0.25), seed=seed)
        return [vendor.tag("u1", a="1").status for _ in range(400)]

    first = run(1)
    assert first == run(1)
    assert first != run(2)
    assert 60 < first.count(503) < 140


def test_a_request_may_be_acted_on_and_answered_as_a_failure(vendor):
    plan(vendor, rule(Kind.STATUS_AFTER, status=500))
    reply = vendor.tag("u1", a="1")
    assert (reply.status, tags(vendor)) == (500, {"a": "1"})
    assert reply.json == {"errors": [{"code": "request-0", "title": "Internal server error"}]}


@pytest.mark.parametrize(("keep", "left"), [(0, 0), (7, 7), (10_000, -1)])
def test_a_truncated_answer_is_its_beginning_and_the_request_was_acted_on(vendor, keep, left):
    whole = vendor.tag("u1", a="1").body
    plan(vendor, rule(Kind.TRUNCATED, keep_bytes=keep))
    reply = vendor.tag("u1", a="1")
    assert (reply.status, reply.body) == (202, whole[:left])
    assert len(reply.body) < len(whole)


def test_a_dripping_answer_is_whole(vendor):
    plan(vendor, rule(Kind.DRIP, delay_ms=50))
    assert vendor.tag("u1", a="1").json == {"properties": {"tags": {"a": "1"}}}


def test_a_storm_comes_and_goes_by_the_clock(vendor):
    storm = rule(Kind.STATUS, status=429, retry_after_s=5, from_s=60, until_s=90)
    vendor.simulator.faults = Faults(Plan(rules=[storm]), NOW)
    statuses = {}
    for after in (0, 59, 60, 89, 90, 200):
        vendor.simulator.clock.advance(NOW + after - vendor.simulator.clock.now())
        statuses[after] = vendor.tag("u1", a="1").status
    assert statuses == {0: 202, 59: 202, 60: 429, 89: 429, 90: 202, 200: 202}


def test_a_fault_may_answer_with_any_body(vendor):
    plan(vendor, rule(Kind.STATUS, status=404, body='{"errors":"Couldn\'t find app with id = a"}'))
    reply = vendor.tag("u1", a="1")
    assert (reply.status, reply.json) == (404, {"errors": "Couldn't find app with id = a"})


def test_who_is_struck_does_not_depend_on_the_order_of_others(vendor):
    def run(order):
        plan(vendor, rule(Kind.STATUS, probability=0.5), seed=3)
        struck = {name: [] for name in order}
        for name in order * 30:
            struck[name].append(vendor.tag(name, a="1").status)
        return struck

    there, back = run(["u1", "u2"]), run(["u2", "u1"])
    assert there == back
    assert there["u1"] != there["u2"]


def test_latency_is_drawn_by_the_seed_between_delay_and_delay_plus_jitter():
    def run(seed):
        faults = Faults(Plan(rules=[Rule(kind=Kind.DELAY, delay_ms=10, jitter_ms=40)], seed=seed))
        return [faults.strike("update_user", {"alias": f"u{n}"}, NOW).delay_ms for n in range(200)]

    drawn = run(1)
    assert drawn == run(1)
    assert drawn != run(2)
    assert 10 <= min(drawn) < 15
    assert 45 < max(drawn) <= 50
