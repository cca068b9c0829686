"""Requests that nobody's credential came with."""

import asyncio

import pytest

from cornicen.flows.events.strangers import MOST, OTHERS, TELL_AFTER, Strangers, masked
from cornicen.flows.vendors import Credential

HERE = "vendor:/x"


def seen(strangers):
    return [(one.source, one.credential, one.requests, one.last) for one in strangers.counted()]


def test_the_same_credential_is_one_line_a_route_and_the_latest_is_first():
    strangers = Strangers()
    for source, name, now in ((HERE, "abcdefgh", 1), (HERE, "abcdefgh", 3), ("vendor:/y", "abcdefgh", 2), (HERE, "zz", 4)):
        strangers.note(source, Credential("token", name), now)
    assert seen(strangers) == [
        (HERE, "token zz…", 1, 4),
        (HERE, "token abcd…", 2, 3),
        ("vendor:/y", "token abcd…", 1, 2),
    ]


def test_a_clock_that_stepped_back_does_not_make_the_last_request_older():
    strangers = Strangers()
    for now in (9, 5):
        strangers.note(HERE, Credential("token", "t"), now)
    assert seen(strangers) == [(HERE, "token t…", 2, 9)]


def test_guesses_do_not_fill_the_memory_and_hide_nobody_who_goes_on_sending():
    strangers = Strangers()
    for number in range(10 * MOST):
        strangers.note(HERE, Credential("token", f"{number:04}"), number)
        strangers.note(HERE, Credential("token", "real-token"), number)
    counted = strangers.counted()
    assert len(counted) == MOST + 1
    assert sum(one.requests for one in counted) == 20 * MOST
    assert {one.credential: one.requests for one in counted}["token real…"] == 10 * MOST
    assert {one.credential: one.requests for one in counted}[OTHERS] == 9 * MOST + 1


def test_requests_of_nobody_known_are_counted_by_route_and_reason_beside_credentials():
    strangers = Strangers()
    strangers.note_nobodys(HERE, "unreadable body", 1)
    strangers.note(HERE, Credential("token", "t"), 2)
    strangers.note_nobodys(HERE, "unreadable body", 3)
    strangers.note_nobodys("vendor:/y", "unreadable body", 4)
    assert seen(strangers) == [
        ("vendor:/y", "unreadable body", 1, 4),
        (HERE, "unreadable body", 2, 3),
        (HERE, "token t…", 1, 2),
    ]


@pytest.mark.parametrize(
    ("credential", "shown"),
    [
        (Credential("token", "0123456789"), "token 0123…"),
        (Credential("token", ""), "empty token"),
        (Credential("account", "someone", "hush"), "account some…"),
        (Credential("secret", "", "hush"), "secret"),
        (Credential("secret", "tokentoken", "hush"), "secret toke…"),
        (Credential("token_or_secret", "tokentoken"), "token or secret toke…"),
        (Credential("token", "\ud800\n\u202e<x>"), "token ???<…"),
    ],
)
def test_only_the_first_characters_of_a_name_are_kept(credential, shown):
    assert masked(credential) == shown


def test_a_burst_at_one_door_is_counted_whole_at_the_other(tmp_path):
    async def hold():
        one, other = Strangers(tmp_path / "strangers-door-1.json"), Strangers(tmp_path / "strangers-door-2.json")
        for number in range(10):
            one.note("v:/track", Credential("token", f"bad{number % 2}"), number)
        other.note("v:/track", Credential("token", "bad0"), 11)
        await asyncio.sleep(TELL_AFTER + 0.2)
        assert sum(stranger.requests for stranger in other.counted()) == 11
        assert one.counted() == other.counted()

    asyncio.run(hold())
