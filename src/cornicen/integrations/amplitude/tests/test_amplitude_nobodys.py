"""Requests of which nothing says whose they are."""

import gzip

import pytest

FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize("path", ["/2/httpapi", "/batch"])
@pytest.mark.parametrize(
    ("body", "headers", "why"),
    [
        (b"{broken", {}, "unreadable body"),
        (b"[]", {}, "unreadable body"),
        (gzip.compress(b"{}", mtime=0)[:-3], {"content-encoding": "gzip"}, "unreadable body"),
        (gzip.compress(b" " * 30_000_000, 1, mtime=0), {"content-encoding": "gzip"}, "body too large"),
    ],
)
def test_a_request_that_cannot_be_read_says_why_it_is_nobodys(ask, path, body, headers, why):
    found = ask(path, body, headers=headers)
    assert (found.nobodys, found.parts) == (why, ())


@pytest.mark.parametrize("path", ["/identify", "/groupidentify", "/usermap"])
def test_a_form_without_a_key_or_without_items_is_nobodys(ask, path):
    assert ask(path, b"api_key=K&identification=nothing&mapping=nothing", headers=FORM).nobodys == "unreadable body"
    items = b'identification={"user_id":"user-1","group_type":"a","group_value":"b"}&mapping={"user_id":"user-1"}'
    assert ask(path, items, headers=FORM).nobodys == "no key"
    assert ask(path, b"api_key=K&" + items, headers=FORM).nobodys == ""


def test_a_request_with_a_key_is_not_nobodys_whatever_is_wrong_with_it(ask):
    assert ask("/2/httpapi", b'{"api_key":"K"}').nobodys == ask("/2/httpapi", b'{"api_key":"K","events":[1]}').nobodys == ""
