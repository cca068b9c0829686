"""The loader against the plain meaning: any records, in any batches, with crashes between them."""

import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from plain_warehouse import PlainWarehouse, change, drain, event, fill

from cornicen.errors import Damaged, Unavailable
from cornicen.events.shapes import Event, GroupChange, Ids, Link, Operation, ProfileChange, Refusal, UserMapping
from cornicen.flows.ports import Loaded
from cornicen.identity import RULES
from cornicen.warehouse.loader import Loader
from cornicen.warehouse.reader import SpoolReader
from cornicen.warehouse.warehouse import DuckDBWarehouse

OBJECTS = [
    '{"n":1}',
    '{"n":0.1}',
    '{"n":-0.3,"m":2e2}',
    '{"n":"x"}',
    '{"n":null}',
    '{"m":null,"n":12345678901234567890123}',
    "{}",
]
LISTED = ['{"l":["a",1]}', '{"l":[1.0,{"x":[1]},"a"]}', '{"n":["b"]}', '{"l":[]}']
OPERANDS = {
    "set": [*OBJECTS, '{"os":"os-1"}', '{"os":"U3"}', '{"os":7}'],
    "set_once": [*OBJECTS, '{"os":"os-2"}'],
    "touch": OBJECTS,
    "add": OBJECTS,
    **dict.fromkeys(("append", "prepend", "union", "pre_insert", "remove"), LISTED),
    "unset": ['["n"]', '["m","absent"]', "[]"],
    "clear": ["null"],
    "delete": ["null"],
}
ALIASES = frozenset({"os"})
UUIDS = [f"{n}0000000-0000-4000-8000-00000000000{n}" for n in range(4)]
WEEK = 7 * 86_400_000_000


def some_ids(random):
    user, device = f"U{random.randrange(10)}", f"D{random.randrange(14)}"
    return random.choice(
        [
            Ids(user),
            Ids(distinct=user),
            Ids(distinct=random.choice(UUIDS)),
            Ids(distinct=random.choice(["os-1", "os-2"])),
            Ids(device=device),
            Ids(distinct=f"$device:{device}"),
            Ids(user, device),
            Ids(user, device),
        ]
    )


def some_operations(random, most):
    verbs = random.choices(list(OPERANDS), k=random.randint(1, most))
    return tuple(Operation(verb, random.choice(OPERANDS[verb]).encode()) for verb in verbs)


def some_link(random):
    names = [*UUIDS, "U1", "U2", "U3", "$device:D1"]
    return Link(random.choice(["identify", "alias", "merge"]), random.choice(names), random.choice(names))


def some_record(random):
    kind = random.random()
    if kind < 0.03:
        return Refusal("time_missing", "time", "There is no time.", b"{}")
    if kind < 0.06:
        return GroupChange("company", random.choice("ab"), some_operations(random, 2))
    if kind < 0.07:
        return UserMapping("U1", random.choice(["", "whole"]))
    if kind < 0.3:
        insert_id, time = random.choice(
            [("", 0), ("", 0), ("c1", 5), ("c2", random.choice([5, 4 + WEEK, 5 + WEEK])), ("c3", 0)]
        )
        return ProfileChange(some_ids(random), some_operations(random, 3), time, insert_id)
    text = random.choice(['{"a":1}', '{"a":2}', '{"a":"é"}', "{}"]).encode()
    if kind < 0.5:
        operations = some_operations(random, 1) if random.random() < 0.5 else ()
        time = random.choice([1, 2, WEEK, WEEK + 1])
        return Event("seen", some_ids(random), time, text, random.choice(["", "k1", "k2"]), True, operations)
    if kind < 0.6:
        return Event("$identify", some_ids(random), 1, text, link=some_link(random))
    name = random.choice(["seen"] * 5 + ["bought", "$identify"])
    return Event(name, some_ids(random), random.randrange(3), text, random.choice(["", "k1", "k2"]))


def some_batches(random):
    """A few large batches: a load costs the same whatever it holds, and most of what can go wrong needs several records."""
    return [[some_record(random) for _ in range(random.randint(0, 40))] for _ in range(random.randint(1, 5))]


randoms = st.randoms(use_true_random=True)
limits = st.integers(1, 60)
identities = st.sampled_from(sorted(RULES))

slow = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))


def opening(folder, identity):
    warehouse = DuckDBWarehouse(folder, threads=1, identity=identity)
    warehouse.alias(ALIASES, now=1)
    return warehouse


class CrashError(Exception):
    """The process ends here."""


def crash(*_arguments):
    raise CrashError


@pytest.fixture
def warehouse(tmp_path):
    opened = DuckDBWarehouse(tmp_path)
    yield opened
    opened.close()


@slow
@given(
    randoms, identities, st.lists(st.tuples(limits, st.sampled_from(["", "", "rollback", "committed", "reopen"])), max_size=5)
)
@example(Random(302), "amplitude", [(35, "")])  # a first event that a later arrival gives to another person
def test_any_records_in_any_batches_give_what_one_record_after_the_other_gives(random, identity, steps):
    sent = some_batches(random)
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        folder = Path(name)
        fill(folder, sent)
        plain, opened = PlainWarehouse(identity, ALIASES), opening(folder, identity)
        for limit, fault in steps:
            with patch.context() as broken:
                broken.setattr(*{"rollback": (Loader, "_keep_positions", crash)}.get(fault, (SpoolReader, "commit", crash)))
                if fault in {"", "reopen"}:
                    broken.undo()
                try:
                    opened.load(limit)
                except CrashError:
                    assert fault in {"rollback", "committed"}
            if fault:
                opened.close()
                opened = opening(folder, identity)
        drain(opened)
        plain.take(record for records in sent for record in records)
        plain.check(opened)
        assert dict(opened.counts()) | {"persons": 0} == {
            "events": len(plain.events),
            "persons": 0,
            "profiles": len(plain.profiles),
            "refused": plain.loaded.refused,
            "repeated": plain.loaded.repeated,
            "replaced": plain.loaded.replaced,
        }
        assert sum(opened.backlog().values()) == 0
        opened.close()


def test_whoever_loses_the_only_event_to_another_person_has_no_first_any_more(tmp_path):
    sent = [
        [event("U1", "D1", time=9, name="bought"), event(device="D1", time=5, insert_id="k")],
        [event("U2", "D1", time=9, name="bought")],
        [event(device="D1", time=5, insert_id="k", properties='{"a":1}')],
        [event("U1", time=7)],
    ]
    plain, opened = PlainWarehouse("amplitude", ALIASES), opening(tmp_path, "amplitude")
    for records in sent:
        fill(tmp_path, [records])
        drain(opened)
        plain.take(records)
        plain.check(opened)
    opened.close()


@slow
@given(randoms, identities, limits)
def test_what_is_asked_as_of_a_sequence_number_is_what_was_answered_then(random, identity, limit):
    sent = some_batches(random)
    with tempfile.TemporaryDirectory() as name:
        fill(Path(name), sent)
        opened, then = opening(Path(name), identity), {}
        while opened.load(limit).records:
            then[opened.last_load()] = known(opened.histories())
        for load, histories in then.items():
            assert known(opened.histories(before=load)) == histories
        opened.close()


def known(histories):
    return {person: history for person, history in histories.items() if history.happenings or history.profile is not None}


def test_one_load_tells_what_it_did(tmp_path, warehouse):
    sent = [
        event("U", insert_id="a", properties='{"v":1}'),
        event("U", insert_id="a", properties='{"v":1}'),
        event("U", insert_id="a", properties='{"v":2}'),
        event("U", insert_id="a", properties='{"v":1}'),
        event("U"),
        event("U"),
        change("U", ("set", '{"n":1}')),
        change("U", ("add", '{"n":"x"}')),
        Refusal("r", "f", "m", b""),
    ]
    fill(tmp_path, [sent])
    assert warehouse.load() == Loaded(records=9, events=3, replaced=2, repeated=1, profiles=1, refused=2)
    assert warehouse.load() == Loaded()


def test_a_replaced_event_gets_a_new_sequence_number_and_a_repeated_one_does_not(tmp_path, warehouse):
    fill(tmp_path, [[event("U", insert_id="a", properties='{"v":1}')], [event("U", insert_id="a", properties='{"v":1}')]])
    drain(warehouse)
    assert [one.load for one in warehouse.histories()[1].happenings] == [1]
    fill(tmp_path, [[event("U", insert_id="a", properties='{"v":2}')]])
    drain(warehouse)
    [happening] = warehouse.histories()[1].happenings
    assert happening.load == 3
    assert happening.properties["v"].number == 2_000_000


def test_numbers_are_added_exactly(tmp_path, warehouse):
    fill(
        tmp_path, [[change("U", ("set", '{"n":0.1,"big":12345678901234567890123}'), ("add", '{"n":0.2,"big":1,"new":-1.50}'))]]
    )
    drain(warehouse)
    assert warehouse._database.one("SELECT properties FROM profiles") == (
        '{"n":0.3,"big":12345678901234567890124,"new":-1.50}',
    )


@pytest.mark.parametrize(
    ("operation", "reason", "field"),
    [
        (("add", '{"text":1}'), "add_not_a_number", "text"),
        (("add", '{"n":"1"}'), "add_not_a_number", "n"),
        (("add", '{"n":true}'), "add_not_a_number", "n"),
        (("add", '{"n":1e9999}'), "add_too_far_apart", "n"),
        (("add", '{"n":1e99999999999999999999}'), "add_too_far_apart", "n"),
        (("set", "[1]"), "operand_invalid", "set"),
        (("set", '{"a":'), "operand_invalid", "set"),
        (("unset", '{"a":1}'), "operand_invalid", "unset"),
        (("appendix", '{"a":1}'), "operation_unknown", "appendix"),
    ],
)
def test_an_operation_that_cannot_be_applied_is_kept_with_its_reason_and_the_others_are_applied(
    tmp_path, warehouse, operation, reason, field
):
    fill(tmp_path, [[change("U", ("set", '{"text":"x","n":1}')), change("U", ("set", '{"m":7}'), operation)]])
    assert warehouse.load() == Loaded(records=2, profiles=2, refused=1)
    assert warehouse._database.one("SELECT properties FROM profiles") == ('{"text":"x","n":1,"m":7}',)
    [refusal] = warehouse.refusals()
    assert (refusal["reason"], refusal["field"], refusal["count"]) == (reason, field, 1)
    assert "U" in refusal["record"]
    [row] = warehouse._database.rows("SELECT arrived, source FROM refusals")
    assert row == (1_000_001, "test:/import")


@pytest.mark.parametrize(
    "properties", [b"[]", b'{"a":', b'{"a":"\xff"}', b'{"a":"\\ud83d"}', b"", b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"]
)
def test_properties_that_are_no_json_object_are_refused_and_the_rest_of_the_batch_is_loaded(tmp_path, warehouse, properties):
    broken = Event("seen", Ids(user="U"), 1, properties)
    fill(tmp_path, [[event("U"), broken, event("U")]])
    assert warehouse.load() == Loaded(records=3, events=2, refused=1)
    assert warehouse.refusals()[0]["reason"] == "properties_invalid"


def test_a_time_that_64_bits_do_not_hold_is_refused(tmp_path, warehouse):
    fill(tmp_path, [[event("U", time=2**63), event("U", time=2**63 - 1)]])
    assert warehouse.load() == Loaded(records=2, events=1, refused=1)


def test_a_profile_change_that_names_nobody_is_refused(tmp_path, warehouse):
    fill(tmp_path, [[change("", ("set", '{"a":1}'))]])
    assert warehouse.load() == Loaded(records=1, refused=1)


def test_refusals_are_counted_by_reason_and_field_the_most_frequent_first(tmp_path, warehouse):
    sent = [Refusal("a", "f", "m1", b"1"), Refusal("b", "f", "m2", b"\xff"), Refusal("b", "f", "m3", b"3")]
    fill(tmp_path, [sent])
    drain(warehouse)
    assert warehouse.refusals() == [
        {"reason": "b", "field": "f", "count": 2, "message": "m3", "record": "3"},
        {"reason": "a", "field": "f", "count": 1, "message": "m1", "record": "1"},
    ]
    assert len(warehouse.refusals(1)) == 1


def test_a_device_profile_is_not_carried_over_when_the_device_is_linked(tmp_path, warehouse):
    fill(tmp_path, [[change("$device:D", ("set", '{"a":1}')), event("U", "D"), change("U", ("set", '{"b":2}'))]])
    drain(warehouse)
    assert warehouse.histories()[1].profile.keys() == {"b"}


def test_a_live_batch_is_loaded_before_a_bulk_batch_that_came_earlier(tmp_path, warehouse):
    fill(tmp_path, [[event("bulk")]], lane="bulk")
    fill(tmp_path, [[event("live")]])
    assert warehouse.backlog()["bulk"] > 0
    warehouse.load(1)
    assert warehouse.backlog()["live"] == 0 < warehouse.backlog()["bulk"]
    drain(warehouse)
    assert warehouse.backlog() == {"live": 0, "bulk": 0}


def test_a_damaged_spool_file_stops_the_loader_and_the_watermark_until_it_is_moved_away(tmp_path, warehouse):
    fill(tmp_path, [[event("U")], [event("V")], [event("W")]])
    path = tmp_path / "spool" / "live" / "door" / "1.spool"
    data = bytearray(path.read_bytes())
    data[40] ^= 1
    path.write_bytes(data)
    for ask in (warehouse.load, lambda: warehouse.watermark(2_000_000)):
        with pytest.raises(Damaged):
            ask()
    assert warehouse.last_load() == 0
    path.rename(tmp_path / "aside")
    fill(tmp_path, [[event("X")]])
    assert drain(warehouse).events == 1


def test_a_second_keeper_cannot_open_the_warehouse(tmp_path, warehouse):
    code = "import sys, pathlib, cornicen.warehouse.warehouse as w; w.DuckDBWarehouse(pathlib.Path(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert Unavailable.__name__ in done.stderr


def test_a_warehouse_of_a_later_version_is_refused(tmp_path):
    opened = DuckDBWarehouse(tmp_path)
    opened._database.rows("UPDATE meta SET value = '999' WHERE key = 'version'")
    opened.close()
    with pytest.raises(Damaged):
        DuckDBWarehouse(tmp_path)


def test_names_and_keys_are_found_after_the_hash_function_has_changed(tmp_path):
    fill(tmp_path, [[event("U", insert_id="a")]])
    opened = DuckDBWarehouse(tmp_path)
    drain(opened)
    opened._database.rows("UPDATE meta SET value = 'another' WHERE key = 'hash'")
    opened._database.rows("UPDATE events SET key = 0")
    opened.close()
    opened = DuckDBWarehouse(tmp_path)
    fill(tmp_path, [[event("U", insert_id="a"), event("U")]])
    assert drain(opened) == Loaded(records=2, events=1, repeated=1)
    assert opened.counts()["persons"] == 1
    opened.close()


LOADER = """
import sys
from pathlib import Path
from cornicen.warehouse.warehouse import DuckDBWarehouse

warehouse = DuckDBWarehouse(Path(sys.argv[1]), threads=1)
while True:
    print("loading", flush=True)
    if not warehouse.load(int(sys.argv[2])).records:
        break
    warehouse.checkpoint()
"""


@pytest.mark.journey
def test_a_loader_that_is_killed_again_and_again_loads_everything_exactly_once(tmp_path):
    sent = [
        [
            event(
                f"U{n % 40}", f"D{n % 60}" if n % 3 else "", time=n % 50, insert_id=f"k{n % 900}", properties=f'{{"n":{n % 7}}}'
            )
            for n in range(start, start + 20)
        ]
        + [change(f"U{start % 40}", ("add", '{"n":0.1}')), change(f"$device:D{start % 60}", ("set", '{"d":1}'))]
        for start in range(0, 3_000, 20)
    ]
    fill(tmp_path, sent)
    for lines in (1, 3, 5, 2):
        with subprocess.Popen([sys.executable, "-c", LOADER, str(tmp_path), "200"], stdout=subprocess.PIPE) as loader:
            for _ in range(lines):
                loader.stdout.readline()
            loader.kill()
    opened, plain = DuckDBWarehouse(tmp_path), PlainWarehouse()
    assert 0 < opened.last_load() < 3_300
    drain(opened)
    plain.take(record for records in sent for record in records)
    plain.check(opened)
    opened.close()
