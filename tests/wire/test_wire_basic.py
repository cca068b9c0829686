import base64

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cornicen.wire.basic import Basic, basic

unhurried = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def encoded(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (encoded("sa:sec"), Basic("sa", "sec")),
        ("Basic sa:sec", Basic("sa", "sec")),
        ("bAsIc   sa:sec ", Basic("sa", "sec")),
        (encoded("token:"), Basic("token")),
        (encoded("a-bare-secret"), Basic("a-bare-secret")),
        (encoded("sa:with:colons"), Basic("sa", "with:colons")),
        (encoded("sa:sec").rstrip("="), Basic("sa", "sec")),
        ("Basic 0123456789abcdef0123456789abcdef", Basic("0123456789abcdef0123456789abcdef")),
        (encoded("ąžuolas:slaptas"), Basic("ąžuolas", "slaptas")),
        (None, None),
        ("", None),
        ("Basic", None),
        ("Basic ", None),
        (encoded(":only-a-password"), None),
        ("Bearer abc", None),
    ],
)
def test_what_senders_write_is_read(header, expected):
    assert basic(header) == expected


@unhurried
@given(st.text())
def test_no_header_breaks_it(header):
    for text in (header, f"Basic {header}"):
        found = basic(text)
        assert found is None or found.username


@unhurried
@given(st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=":"), min_size=1), st.text("abc:=-_ 9"))
def test_an_encoded_pair_comes_back(username, password):
    assert basic(encoded(f"{username}:{password}")) == Basic(username, password)


def test_a_password_is_not_shown():
    assert "sec" not in repr(Basic("sa", "sec"))
