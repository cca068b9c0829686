import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledger_world import CONNECTION

from cornicen.errors import NotFound
from cornicen.state import recipients as room


def _number(state, *identifiers):
    return state.recipients.number(CONNECTION.id, pa.array(identifiers, pa.string())).to_pylist()


def test_numbering_twice_gives_the_same_numbers_in_the_order_asked(state):
    first = _number(state, "y", "x", "z")
    assert sorted(first) == [50, 51, 52], "numbers are not dense"
    assert _number(state, "z", "new", "y") == [first[2], 53, first[0]]
    assert state.recipients.identifiers(CONNECTION.id, first) == dict(zip(first, "yxz", strict=True))


def test_numbers_are_uint32_and_none_are_asked_for(state):
    assert state.recipients.number(CONNECTION.id, pa.array(["x"])).type == pa.uint32()
    empty = state.recipients.number(CONNECTION.id, pa.array([], pa.string()))
    assert (len(empty), empty.type) == (0, pa.uint32())


def test_many_identifiers_get_the_numbers_that_few_get(state, monkeypatch):
    few = _number(state, *(f"n{number}" for number in range(0, 3000, 3)))
    monkeypatch.setattr(room, "MOST_LOOKUPS", 10)
    monkeypatch.setattr(room, "PIECE", 700)
    many = _number(state, *(f"n{number}" for number in range(3000)))
    assert many[::3] == few
    assert len(set(many)) == 3000


def test_everything_numbered_comes_in_pieces_by_number(state, monkeypatch):
    monkeypatch.setattr(room, "PIECE", 20)
    pieces = list(state.recipients.all(CONNECTION.id))
    assert [len(piece) for piece in pieces] == [20, 20, 10]
    whole = pa.concat_tables(pieces)
    assert whole.schema == pa.schema({"identifier": pa.string(), "number": pa.uint32()})
    assert whole["identifier"].to_pylist() == [f"r{number:02}" for number in range(50)]


def test_identifiers_come_back_by_number(state):
    assert state.recipients.identifiers(CONNECTION.id, [3, 1, 999]) == {1: "r01", 3: "r03"}
    assert len(state.recipients.identifiers(CONNECTION.id, range(2_000))) == 50


def test_a_connection_that_is_missing_has_no_recipients(state):
    with pytest.raises(NotFound):
        state.recipients.number("none", pa.array(["x"]))
    with pytest.raises(NotFound):
        list(state.recipients.all("none"))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(max_size=6).filter(lambda text: "\0" not in text), unique=True, max_size=8))
def test_an_identifier_is_kept_to_the_letter(state, identifiers):
    numbers = _number(state, *identifiers)
    assert len(set(numbers)) == len(identifiers)
    assert state.recipients.identifiers(CONNECTION.id, numbers) == dict(zip(numbers, identifiers, strict=True))


def test_two_who_number_at_once_agree(state, monkeypatch):
    """The second numbers some of the same while the first has looked and not yet written."""
    looked = room._next

    def interrupted(db, account):
        monkeypatch.setattr(room, "_next", looked)
        found = looked(db, account)
        assert _number(state, "b", "c") == [50, 51]
        return found

    monkeypatch.setattr(room, "_next", interrupted)
    assert _number(state, "a", "b", "c", "d") == [52, 50, 51, 53]
    assert _number(state, "a", "b", "c", "d") == [52, 50, 51, 53]
