from hypothesis import given
from hypothesis import strategies as st

from cornicen.wire.multipart import MOST_PARTS, boundary, fields


def written(pairs, between="XX", end="--XX--\r\n"):
    parts = [f'--{between}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in pairs]
    return ("".join(parts) + end).encode()


def test_the_boundary_stands_in_the_content_type_quoted_or_not():
    assert boundary("multipart/form-data; boundary=XX") == b"XX"
    assert boundary('Multipart/Form-Data; charset=utf-8; boundary="a b"; x=1') == b"a b"
    assert boundary("multipart/form-data") is None
    assert boundary("application/x-www-form-urlencoded; boundary=XX") is None


def test_fields_are_found_whatever_their_values_hold():
    pairs = [("a", "1"), ("b", "x\r\n--X\r\n\r\n"), ("c", ""), ("a", "2")]
    assert fields(written(pairs), b"XX") == {"a": b"1", "b": b"x\r\n--X\r\n\r\n", "c": b""}


def test_further_headers_and_bare_names_are_read_over():
    body = b'--XX\r\nContent-Type: text/plain\r\ncontent-disposition: form-data; filename="f"; name=a\r\n\r\n1\r\n--XX--'
    assert fields(body, b"XX") == {"a": b"1"}


def test_what_is_no_part_is_left_out():
    assert fields(b"", b"XX") == {}
    assert fields(b"--XX\r\n\r\n1\r\n--XX\r\nContent-Disposition: form-data\r\n\r\n2", b"XX") == {}
    assert fields(written([("a", "1")], end="--XX--\r\nepilogue"), b"XX") == {"a": b"1"}


def test_parts_beyond_the_limit_are_not_read():
    assert len(fields(written([(f"n{number}", "x") for number in range(MOST_PARTS + 10)]), b"XX")) == MOST_PARTS


@given(st.binary(), st.text(max_size=200))
def test_nothing_breaks_it(body, content_type):
    between = boundary("multipart/form-data; boundary=" + content_type)
    assert isinstance(fields(body, between or b"XX"), dict)
