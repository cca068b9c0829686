"""What profiles were before: kept while anybody may ask about then, and not longer."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plain_warehouse import change, drain, event, fill

from cornicen.warehouse import versions
from cornicen.warehouse.warehouse import DuckDBWarehouse

NOW = 100 * 86_400_000_000
SEEN = ("touch", '{"$last_seen":"2026-11-24T17:00:00"}')

changes = st.builds(
    change,
    st.sampled_from(["U", "V", "$device:D"]),
    st.sampled_from([("set", '{"n":1}'), ("set", '{"n":2}'), ("add", '{"n":1}'), ("unset", '["n"]'), ("delete", "null"), SEEN]),
)
links = st.builds(lambda user: event(user, "D"), st.sampled_from(["U", "V"]))
batches = st.lists(st.lists(st.one_of(changes, changes, links), max_size=8), min_size=1, max_size=6)


def known(histories):
    """Of whom there is anything to ask: who was only named has a number, and is in no answer."""
    return {person: history for person, history in histories.items() if history.happenings or history.profile is not None}


def history(warehouse):
    [rows] = warehouse._database.one("SELECT count(*) FROM profile_history")
    return rows


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(batches, st.integers(0, 6))
def test_forgetting_changes_no_answer_that_may_still_be_asked_for(sent, number):
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(versions, "MANY", 1)
        warehouse, then = DuckDBWarehouse(Path(name), threads=1), {}
        for records in sent:
            fill(Path(name), [records])
            drain(warehouse)
            then[warehouse.last_load()] = known(warehouse.histories())
        before = sorted(then)[min(number, len(then) - 1)]
        while warehouse.tidy(before, NOW):
            pass
        assert {load: known(warehouse.histories(before=load)) for load in then if load >= before} == {
            load: found for load, found in then.items() if load >= before
        }
        assert warehouse._database.rows("SELECT 1 FROM profile_history WHERE until_load <= ?", [before]) == []
        warehouse.close()


def test_when_somebody_was_last_seen_stays_exact_as_of_then_and_is_forgotten_with_then(tmp_path, monkeypatch):
    monkeypatch.setattr(versions, "MANY", 1)
    warehouse = DuckDBWarehouse(tmp_path)
    for hour in range(10, 20):
        fill(tmp_path, [[change("U", ("set", '{"plan":"pro"}'), ("touch", f'{{"$last_seen":"2026-11-24T{hour}:00:00"}}'))]])
        drain(warehouse)
    assert history(warehouse) == 9
    [person] = warehouse.histories()
    for load in range(1, 11):
        seen = warehouse.histories(before=load)[person].profile["$last_seen"]
        assert seen.text == f"2026-11-24T{9 + load}:00:00"
    while warehouse.tidy(8, NOW):
        pass
    assert history(warehouse) == 2
    assert warehouse.histories(before=8)[person].profile["$last_seen"].text == "2026-11-24T17:00:00"
    while warehouse.tidy(warehouse.last_load(), NOW):
        pass
    assert history(warehouse) == 0
    warehouse.close()


def test_a_few_old_versions_are_not_worth_a_deletion(tmp_path):
    warehouse = DuckDBWarehouse(tmp_path)
    for number in range(3):
        fill(tmp_path, [[change("U", ("set", f'{{"n":{number}}}'))]])
        drain(warehouse)
    while warehouse.tidy(warehouse.last_load(), NOW):
        pass
    assert history(warehouse) == 2
    assert versions.forget_versions(warehouse._database, warehouse.last_load()) == 0
    warehouse.close()
