import base64
import gzip
import json
import tracemalloc
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import binary, lists, sampled_from

from cornicen.wire.body import MOST_MEMBERS, TooLarge, Unreadable, form, records, unpacked, unwrapped

unhurried = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
OBJECTS = st.dictionaries(st.text(), VALUES, max_size=4)


@unhurried
@given(lists(binary(max_size=60), min_size=1, max_size=4))
def test_gzip_of_several_members_unpacks_to_all_of_them(members):
    body = b"".join(map(gzip.compress, members))
    whole = b"".join(members)
    assert unpacked(body, "gzip", len(whole)) == whole
    if whole:
        assert unpacked(body, "gzip", len(whole) - 1) == TooLarge(len(whole) - 1)


@unhurried
@given(binary(), sampled_from(["gzip", "GZIP", "x-gzip", "identity", "", "br", "deflate"]))
def test_whatever_is_said_to_be_packed_is_a_value(body, encoding):
    found = unpacked(body, encoding, 100)
    assert isinstance(found, bytes | TooLarge | Unreadable)
    if isinstance(found, bytes):
        assert len(found) <= 100


@unhurried
@given(binary(min_size=1), st.data())
def test_a_truncated_gzip_is_never_taken(body, data):
    packed = gzip.compress(body)
    cut = data.draw(st.integers(0, len(packed) - 1))
    assert isinstance(unpacked(packed[:cut], "gzip", 10_000), Unreadable)


def test_a_damaged_gzip_is_never_taken():
    packed = bytearray(gzip.compress(b"a" * 1000))
    packed[-5] ^= 1
    assert isinstance(unpacked(bytes(packed), "gzip", 10_000), Unreadable)


def test_a_gzip_bomb_is_refused_without_holding_it():
    bomb = zlib.compressobj(9, wbits=31)
    packed = b"".join(bomb.compress(b"\0" * 1_000_000) for _ in range(200)) + bomb.flush()
    tracemalloc.start()
    assert unpacked(packed, "gzip", 1_000_000) == TooLarge(1_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8_000_000


def test_thousands_of_empty_members_are_not_worked_through():
    assert isinstance(unpacked(gzip.compress(b"") * (MOST_MEMBERS + 1), "gzip", 100), Unreadable)


@unhurried
@given(lists(OBJECTS, max_size=6), st.booleans())
def test_an_array_is_cut_into_its_elements(objects, spaced):
    body = json.dumps(objects, indent=1 if spaced else None).encode()
    assert [json.loads(record) for record in records(body, 100)] == objects


@unhurried
@given(lists(OBJECTS, max_size=6), sampled_from(["\n", "\r\n", "\n\n", "\n \t\r\n"]))
def test_lines_are_cut_at_their_ends_and_blank_ones_are_none(objects, end):
    body = "".join(json.dumps(one) + end for one in objects).encode()
    assert [json.loads(record) for record in records(body, 100, lines=True)] == objects


@unhurried
@given(lists(OBJECTS, min_size=1, max_size=5), st.data())
def test_one_bad_element_leaves_its_neighbours_whole(objects, data):
    place = data.draw(st.integers(0, len(objects)))
    bad = data.draw(sampled_from([b"NaN", b'{"a":NaN}', b'{"a":tru}', b'{"]":[}]', b'{"a":"\xff"}', b'{"a" "b"}', b"x"]))
    deep = b'{"d":' + b"[" * 5000 + b"]" * 5000 + b"}"
    pieces = [json.dumps(one).encode() for one in objects]
    pieces[place:place] = [data.draw(sampled_from([bad, deep])), b"5"]
    found = records(b"[" + b" ,\n".join(pieces) + b"]", 100)
    assert isinstance(found, list)
    assert found == pieces


@unhurried
@given(binary(), st.booleans())
def test_no_body_breaks_the_slicing(body, lines):
    for text in (body, b"[" + body, b"[" + body + b"]", b"{" + body):
        assert isinstance(records(text, 3, lines=lines), list | TooLarge | Unreadable)


@pytest.mark.parametrize("body", [b"[", b'[{"a":1}', b'[{"a":"]', b"[1]x", b"5", b'"x"', b"null", b"data", b'["\\'])
def test_what_is_no_list_of_records_is_unreadable(body):
    assert isinstance(records(body, 10), Unreadable)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", []),
        (b" \n ", []),
        (b"[]", []),
        (b'\xef\xbb\xbf[{"a":1}]', [b'{"a":1}']),
        (b'{"a":\n1}', [b'{"a":\n1}']),
        (b'{"a":1}\n{"b":2}\n', [b'{"a":1}', b'{"b":2}']),
        (b'{"a":1}\nbroken', [b'{"a":1}', b"broken"]),
        (b"{broken", [b"{broken"]),
        (b'[{"a":"\\"]"}]', [b'{"a":"\\"]"}']),
    ],
)
def test_the_forms_of_a_body(body, expected):
    assert records(body, 10) == expected


@pytest.mark.parametrize("body", [b"[1,2,3]", b"[NaN,2,3]", b"1\n2\n3"])
def test_more_records_than_allowed_are_too_many(body):
    lines = not body.startswith(b"[")
    assert records(body, 3, lines=lines) == [*(body[1:-1].split(b",") if not lines else body.split())]
    assert records(body, 2, lines=lines) == TooLarge(2, "records")


def test_millions_of_tiny_elements_are_not_all_held():
    tracemalloc.start()
    assert records(b"[" + b"0," * 2_000_000 + b"0]", 2000) == TooLarge(2000, "records")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30_000_000


@unhurried
@given(binary(min_size=1).map(lambda body: b"{" + body), st.booleans(), st.booleans())
def test_base64_of_a_form_is_undone_in_either_alphabet(text, urlsafe, padded):
    encode = base64.urlsafe_b64encode if urlsafe else base64.b64encode
    value = encode(text) if padded else encode(text).rstrip(b"=")
    assert unwrapped(value) == text.strip()
    # sent raw, as one client does: a form turns + into a space
    assert unwrapped(form(b"data=" + value)["data"]) == text.strip()


@pytest.mark.parametrize("data", [b"data", b"!!", b"abcde", b"%%%"])
def test_what_is_neither_json_nor_base64_is_unreadable_or_bytes(data):
    assert isinstance(unwrapped(data), Unreadable | bytes)
    assert isinstance(unwrapped(b"\xff" + data), Unreadable)


@unhurried
@given(binary())
def test_no_form_breaks_the_reading(body):
    assert all(isinstance(name, str) and isinstance(value, bytes) for name, value in form(body).items())


def test_a_form_is_read_as_clients_write_it():
    assert form(b"verbose=1&data=%7B%22a%22%3A+1%7D&data=second&ip=0&empty=") == {
        "verbose": b"1",
        "data": b'{"a": 1}',
        "ip": b"0",
        "empty": b"",
    }
