"""Requests of which nothing says whose they are."""

import gzip

import pytest

ROUTES = ["/track", "/engage", "/groups"]


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("strict", [{}, {"strict": "1"}])
@pytest.mark.parametrize(
    ("body", "headers", "why"),
    [
        (b"[{broken", {}, "unreadable body"),
        (b"{broken", {}, "unreadable body"),
        (b"[1, null]", {}, "unreadable body"),
        (b'{"event":"\xff"}', {}, "unreadable body"),
        (gzip.compress(b"[]", mtime=0)[:-3], {"content-encoding": "gzip"}, "unreadable body"),
        (gzip.compress(b" " * 30_000_000, 1, mtime=0), {"content-encoding": "gzip"}, "body too large"),
        (b'{"event":"seen","properties":{"distinct_id":"u"},"$distinct_id":"u","$set":{}}', {}, "no token"),
        (b'[{broken}, {"event":"seen"}]', {}, "no token"),
    ],
)
def test_a_request_that_names_no_project_says_why(ask, path, strict, body, headers, why):
    found = ask(path, body, strict, {"authorization": None, **headers})
    assert (found.nobodys, found.parts) == (why, ())


@pytest.mark.parametrize("path", ROUTES)
def test_one_record_that_shows_a_token_makes_the_whole_request_that_projects(ask, path):
    found = ask(path, b'[{broken}, {"$token":"T","event":"seen","properties":{"token":"T"}}]')
    assert found.nobodys == ""
    assert [part.credential.username for part in found.parts] == ["T"]


def test_what_its_sender_wants_ignored_and_what_brings_nothing_is_nobodys_fault(ask, event):
    assert ask("/track", [event(**{"$ignore": True})]).nobodys == ""
    assert ask("/track", b"[]").nobodys == ask("/engage", b"").nobodys == ""
