from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from cornicen.delivery import member as meaning
from cornicen.delivery.member import Flight, Member, Refusal
from cornicen.delivery.owed import owed

NOW = 100
MEMBERS = st.builds(
    Member,
    desired=st.booleans(),
    acknowledged=st.booleans(),
    doubt=st.booleans(),
    flight=st.none() | st.builds(Flight, st.booleans(), st.integers(0, NOW)),
    refusal=st.none() | st.builds(Refusal, st.just("invalid"), st.integers(NOW - 2, NOW + 2)),
    quiet_until=st.integers(0, 2 * NOW),
)


def _those(members, holds):
    return BitMap([number for number, member in members.items() if holds(member)])


@given(st.dictionaries(st.integers(0, 2**32 - 1) | st.integers(0, 70_000), MEMBERS, max_size=40))
def test_bulk_owes_exactly_whom_the_meaning_owes(members):
    sets = (
        _those(members, lambda member: member.desired),
        _those(members, lambda member: member.acknowledged),
        _those(members, lambda member: member.uncertain),
        _those(members, lambda member: meaning.refused_now(member, NOW)),
    )
    before = [bitmap.copy() for bitmap in sets]
    assert owed(*sets) == _those(members, lambda member: meaning.owed(member, NOW))
    assert list(sets) == before, "an argument was changed"


def test_ten_million_are_owed_as_the_formula_says():
    desired, acknowledged = BitMap(range(10_000_000)), BitMap(range(5_000, 10_005_000))
    told = owed(desired, acknowledged, BitMap([7_000_000]), BitMap([1, 10_000_001]))
    assert len(told) == 2 * 5_000 + 1 - 2
    assert 7_000_000 in told
