import pytest

from cornicen.delivery import member as rule
from cornicen.delivery.member import Flight, Member, Refusal

IN = Member(desired=True)
FLYING = rule.send(IN, 10)


def test_a_request_says_what_is_wanted_when_it_leaves():
    assert FLYING.flight == Flight(want=True, at=10)
    assert FLYING.uncertain


def test_a_yes_clears_all_doubt_and_any_refusal():
    doubted = rule.unknown(FLYING, 100)
    again = rule.send(Member(**{**vars(doubted), "refusal": Refusal("invalid", 0)}), 110)
    settled = rule.accepted(again)
    assert (settled.doubt, settled.refusal, settled.acknowledged) == (False, None, True)


def test_a_yes_to_what_is_not_wanted_any_more_is_owed_again():
    settled = rule.accepted(rule.want(FLYING, False))
    assert settled.acknowledged
    assert rule.owed(settled, 11)


@pytest.mark.parametrize("no", [lambda m: rule.refused(m, "invalid", 500), rule.untouched, rule.denied])
def test_any_other_definite_answer_clears_only_its_own_doubt(no):
    assert not no(FLYING).uncertain
    doubted = rule.send(rule.unknown(FLYING, 100), 110)
    assert no(doubted).doubt
    assert no(doubted).acknowledged is False


@pytest.mark.parametrize("fault", [rule.unknown, rule.crashed])
def test_nothing_is_sent_after_a_lost_answer_until_it_cannot_take_effect_any_more(fault):
    doubted = fault(FLYING, 100)
    assert rule.owed(doubted, 11)
    assert not rule.sendable(doubted, 109)
    assert rule.sendable(doubted, 110)


def test_a_doubtful_recipient_is_told_the_present_truth_though_nothing_seems_to_have_changed():
    doubted = rule.want(rule.unknown(FLYING, 100), False)
    assert doubted.desired == doubted.acknowledged
    assert rule.send(doubted, 110).flight == Flight(want=False, at=110)


def test_a_refusal_is_not_asked_about_before_it_ends_whatever_is_wanted():
    no = rule.refused(FLYING, "unknown_recipient", 500)
    for member in (no, rule.want(no, False), rule.want(rule.want(no, False), True)):
        assert not rule.owed(member, 499)
    assert rule.owed(no, 500)


def test_one_left_alone_after_many_doubts_keeps_its_doubt():
    alone = rule.left_alone(rule.unknown(FLYING, 100), "no_answer", 1000)
    assert alone.doubt
    assert not rule.owed(alone, 999)
    assert rule.owed(alone, 1000)


def test_a_later_quiet_time_is_never_shortened():
    assert rule.untouched(Member(desired=True, flight=Flight(True, 0), quiet_until=50), 20).quiet_until == 50


def test_a_request_never_leaves_beside_another():
    with pytest.raises(ValueError, match="nothing may be sent"):
        rule.send(FLYING, 11)


def test_an_answer_to_nothing_is_an_error():
    for settle in (rule.accepted, rule.untouched, rule.denied):
        with pytest.raises(ValueError, match="under way"):
            settle(IN)


def test_nothing_is_open_once_told_and_sure():
    assert not rule.open_still(rule.accepted(FLYING), 11)
    assert rule.open_still(rule.refused(FLYING, "invalid", 500), 499)
    assert rule.open_still(rule.want(rule.unknown(FLYING, 100), False), 999)
