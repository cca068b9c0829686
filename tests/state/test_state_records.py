from dataclasses import replace

import pytest
from ledger_world import CONNECTION, PROJECT, START, A, B, a_sync

from cornicen.errors import BadInput, NotFound
from cornicen.flows.records import Cadence, Cohort, Guard, Project, RunStatus, SyncStatus, Tick

COHORT = Cohort(
    PROJECT.id, "big-spenders", "Big spenders", {"who": [{"did": "purchase", "sum": {"amount": 800}}]}, "/x", "file:/x"
)


def test_a_project_is_found_by_name_id_and_token(state):
    for found in (state.projects.get("shop"), state.projects.get(PROJECT.id), state.projects.by_token(PROJECT.token)):
        assert found == PROJECT
    assert state.projects.by_token("another") is None


def test_a_project_that_is_missing_is_named_with_the_nearest(state):
    with pytest.raises(NotFound) as caught:
        state.projects.get("shpo")
    assert "'shop'" in caught.value.fix


@pytest.mark.parametrize("field", ["id", "name", "token"])
def test_two_projects_never_share_a_name_an_id_or_a_token(state, field):
    other = Project(id="q", name="other", token="t")
    with pytest.raises(BadInput):
        state.projects.add(replace(other, **{field: getattr(PROJECT, field)}))
    assert len(state.projects.all()) == 1


def test_an_account_name_is_given_once(state):
    state.projects.add_account(PROJECT.id, "importer", "one")
    with pytest.raises(BadInput):
        state.projects.add_account(PROJECT.id, "importer", "two")
    with pytest.raises(BadInput):
        state.projects.add_account("no project", "importer-2", "two")


def test_a_connection_put_twice_is_one_and_replaces_what_changed(state):
    changed = replace(CONNECTION, settings={"rate": 100}, slug="renamed")
    state.connections.put(changed)
    state.connections.put(changed)
    assert state.connections.all(PROJECT.id) == [changed]
    assert state.connections.get(PROJECT.id, CONNECTION.id) == changed


def test_a_slug_names_one_connection(state):
    with pytest.raises(BadInput):
        state.connections.put(replace(CONNECTION, id="d"))


def test_a_connection_that_is_missing_is_named_with_the_nearest(state):
    with pytest.raises(NotFound) as caught:
        state.connections.get(PROJECT.id, "ap")
    assert "'app'" in caught.value.fix


def test_a_connection_goes_only_when_no_sync_uses_it(state, desk):
    with pytest.raises(BadInput, match="cohort-1, cohort-2, cohort-3"):
        state.connections.remove(CONNECTION.id)
    desk.tick({A: [1, 2]})
    desk.drain()
    for sync in state.syncs.all(PROJECT.id):
        state.syncs.change(sync.id, status=SyncStatus.RETIRED)
    state.connections.remove(CONNECTION.id)
    assert state.connections.all(PROJECT.id) == []
    assert state.syncs.all(PROJECT.id, retired=True) == []
    state.connections.remove(CONNECTION.id)


def test_a_cohort_comes_back_as_it_was_written(state):
    state.cohorts.put(COHORT)
    assert state.cohorts.get(PROJECT.id, "big-spenders") == COHORT
    assert list(state.cohorts.get(PROJECT.id, "big-spenders").definition["who"][0]) == ["did", "sum"]
    changed = replace(COHORT, name="Bigger")
    state.cohorts.put(changed)
    state.cohorts.put(changed)
    assert state.cohorts.all(PROJECT.id) == [changed]
    state.cohorts.remove(PROJECT.id, "big-spenders")
    state.cohorts.remove(PROJECT.id, "big-spenders")
    assert state.cohorts.all(PROJECT.id) == []


def test_a_cohort_that_is_missing_is_named_with_the_nearest(state):
    state.cohorts.put(COHORT)
    with pytest.raises(NotFound) as caught:
        state.cohorts.get(PROJECT.id, "big-spender")
    assert "'big-spenders'" in caught.value.fix
    with pytest.raises(BadInput):
        state.cohorts.put(replace(COHORT, project="none"))


def test_a_sync_comes_back_as_it_was_put(state):
    whole = a_sync(
        9,
        cadence=Cadence.DAILY,
        guard=Guard(12.5, None),
        next_at=START,
        last_as_of=START,
        last_load=3,
        evaluated="d",
        words="w",
    )
    state.syncs.put(whole)
    assert state.syncs.get(whole.id) == whole


def test_putting_a_sync_again_leaves_alone_what_moves_by_itself(state):
    state.syncs.change(A, status=SyncStatus.STOPPED, words="no", container={"exists": True, "stored": "s"}, last_as_of=5)
    state.syncs.put(a_sync(1, cadence=Cadence.HOURLY, guard=Guard(None, None), container={}, managed="file:/x"))
    found = state.syncs.get(A)
    assert (found.cadence, found.guard, found.managed) == (Cadence.HOURLY, Guard(None, None), "file:/x")
    assert (found.status, found.words, found.last_as_of) == (SyncStatus.STOPPED, "no", 5)
    assert found.container == {"exists": True, "stored": "s"}


def test_a_sync_stays_with_its_connection(state):
    other = replace(CONNECTION, id="d", slug="other")
    state.connections.put(other)
    with pytest.raises(BadInput):
        state.syncs.put(replace(a_sync(1), connection=other.id))
    with pytest.raises(NotFound):
        state.syncs.put(replace(a_sync(8), connection="none"))


def test_changing_a_sync_sets_the_fields_named_and_no_other(state):
    before = state.syncs.get(A)
    state.syncs.change(A, released=True, guard=Guard(1.0, 2), cadence=Cadence.ONCE)
    assert state.syncs.get(A) == replace(before, released=True, guard=Guard(1.0, 2), cadence=Cadence.ONCE)
    with pytest.raises(NotFound):
        state.syncs.change("none", released=True)
    for name in ("id", "project", "connection", "guard_percent", "nothing"):
        with pytest.raises(TypeError):
            state.syncs.change(A, **{name: "x"})


def test_retired_syncs_are_listed_only_when_asked_for(state):
    state.syncs.change(A, status=SyncStatus.RETIRED)
    assert A not in {sync.id for sync in state.syncs.all(PROJECT.id)}
    assert A in {sync.id for sync in state.syncs.all(PROJECT.id, retired=True)}


def test_ticks_and_runs_come_newest_first(state, desk):
    for _ in range(3):
        desk.tick({A: [1]}, no_id=2, others={"$user_id": 4})
    ticks = state.runs.ticks(PROJECT.id, 2)
    assert [tick.id for tick in ticks] == [3, 2]
    runs = state.runs.of_sync(A)
    assert [run.tick for run in runs] == [3, 2, 1]
    assert [run.sync for run in state.runs.of_tick(2)] == [A]
    assert (runs[0].no_id, runs[0].others) == (2, {"$user_id": 4})


def test_a_request_without_members_counts_on_its_tick_or_the_newest(state, desk):
    desk.tick({A: [1]})
    desk.tick({A: [1]})
    state.runs.count_request(1)
    state.runs.count_request(None)
    state.runs.count_request(None, A)
    assert [tick.requests for tick in state.runs.ticks(PROJECT.id)] == [2, 1]


def test_a_tick_of_another_project_gets_no_count(state, desk):
    desk.tick({A: [1]})
    state.projects.add(Project("q", "other", "token-2"))
    state.runs.open_tick(Tick(0, "q", START, START))
    state.runs.count_request(None, A)
    assert [tick.requests for tick in state.runs.ticks(PROJECT.id)] == [1]


def test_a_tick_ends_when_no_run_of_it_delivers(state, desk):
    desk.tick({A: [1], B: None})
    assert state.runs.ticks(PROJECT.id)[0].ended is None
    desk.drain()
    desk.wait(1)
    assert [run.status for run in desk.finish()] == [RunStatus.DONE]
    assert state.runs.ticks(PROJECT.id)[0].ended == desk.now


def test_a_tick_of_held_runs_alone_ends_at_once(state, desk):
    desk.tick({A: None})
    assert state.runs.ticks(PROJECT.id)[0].ended == desk.now


def test_a_tick_that_a_crash_left_without_runs_is_ended_by_the_next(state, desk):
    state.runs.open_tick(Tick(0, PROJECT.id, START, START))
    desk.tick({A: [1]})
    assert [tick.ended for tick in state.runs.ticks(PROJECT.id)] == [None, desk.now]
