import pytest
from hypothesis import given
from hypothesis import strategies as st

from cornicen.wire.retry_after import LONGEST, retry_after

DATE = "Tue, 24 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 0 "}, 0.0),
        ({"retry-after": "99999999999999999999"}, LONGEST),
        ({"retry-after": "Tue, 24 Nov 2026 10:00:30 GMT", "date": DATE}, 30.0),
        ({"retry-after": "Tue, 24 Nov 2026 09:00:00 GMT", "date": DATE}, 0.0),
        ({"retry-after": "Tue, 24 Nov 2099 09:00:00 GMT", "date": DATE}, LONGEST),
        ({"retry-after": "Tue, 24 Nov 2026 10:00:30 GMT"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "1.5"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "²"}, None),
        ({}, None),
    ],
)
def test_the_wait_is_read_from_seconds_or_from_a_date(headers, seconds):
    assert retry_after(headers) == seconds


@given(st.text(), st.text())
def test_no_header_is_too_odd(value, date):
    assert (found := retry_after({"retry-after": value, "date": date})) is None or 0 <= found <= LONGEST
