"""What of an event's properties is kept."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cornicen.integrations.mixpanel import limits
from cornicen.integrations.mixpanel.keeping import may_be_long, rewritten, without_token
from cornicen.integrations.mixpanel.refusing import LONG, SHORT

TEXTS = st.text() | st.sampled_from(['"', "\\", 'x"token":"T",', "token", "T", ",", '"token":"T"', "é", "{", "["])
LENGTHS = st.sampled_from([0, 1, 254, 255, 256, 300, 600])
LONG_TEXTS = st.builds(lambda piece, times: piece * times, st.sampled_from(["x", "ą", '"', "\\", "a,b:", "😀"]), LENGTHS)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | TEXTS | LONG_TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(st.sampled_from(["token", "ip", "a", 'b"token', "c"]) | TEXTS, VALUES, max_size=5)
SPELLINGS = st.sampled_from([(",", ":"), (", ", ": "), (" ,", " :"), (",\n", ":\t")])


def spelled(value, separators, ascii_only):
    return json.dumps(value, separators=separators, ensure_ascii=ascii_only).encode("utf-8")


def cut(value):
    match value:
        case str():
            return value[: limits.TEXT]
        case list():
            return [cut(one) for one in value]
        case dict():
            return {name: cut(one) for name, one in value.items()}
    return value


def longest(value):
    match value:
        case str():
            return len(value)
        case list():
            return max(map(longest, value), default=0)
        case dict():
            return max(map(longest, value.values()), default=0)
    return 0


@settings(max_examples=200, deadline=None)
@given(OBJECTS, SPELLINGS, st.booleans())
def test_a_rewritten_object_has_no_address_and_no_long_text_and_all_else(value, separators, ascii_only):
    text = spelled(value, separators, ascii_only)
    assert json.loads(rewritten(text)) == cut({name: one for name, one in value.items() if name != "ip"})


@settings(max_examples=300, deadline=None)
@given(OBJECTS, SPELLINGS, st.booleans())
def test_no_long_text_is_overlooked(value, separators, ascii_only):
    text = spelled(value, separators, ascii_only)
    assert may_be_long(text) or longest(value) <= limits.TEXT


@settings(max_examples=300, deadline=None)
@given(OBJECTS, st.sampled_from(["T", 'a"b', "ą", "", ","]), SPELLINGS, st.booleans())
def test_taking_the_token_out_takes_nothing_else(value, token, separators, ascii_only):
    text = spelled({**value, "token": token}, separators, ascii_only)
    if b"{" in text[1:]:
        return
    kept = json.loads(without_token(text, token))
    assert kept in ({**value, "token": token}, {name: one for name, one in value.items() if name != "token"})


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
@pytest.mark.parametrize("where", ["first", "middle"])
def test_the_token_is_taken_out_of_what_clients_send(separators, where):
    value = {"token": "T", "time": 5, "a": "ą"} if where == "first" else {"time": 5, "token": "T", "a": "ą"}
    for ascii_only in (True, False):
        assert json.loads(without_token(spelled(value, separators, ascii_only), "T")) == {"time": 5, "a": "ą"}


def test_every_id_that_is_nobodys_gets_a_closer_look():
    assert not [text for text in limits.NOBODY if SHORT < len(text) < LONG]
