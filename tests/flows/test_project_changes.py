"""A folder against what is stored: what would change."""

from dataclasses import replace

import pytest

from cornicen.cohorts.operators import found as operators
from cornicen.errors import BadFolder
from cornicen.flows.projects.changes import Kind, Stored, compare
from cornicen.flows.projects.folder import Around, load
from cornicen.flows.records import Cadence, Cohort, Connection, Guard, Project, Sync, SyncStatus
from cornicen.integrations import found as manifests

APP = "0a6f4a50-5b9e-4a3a-9a35-0e1a2b3c4d5e"
PROJECT = Project("p", "shop", "token")


def cohort(slug, name="", event="purchase"):
    return f"cohort: {slug}\nname: {name or slug}\nwho: [{{did: {event}}}]\n"


def folder(path, cohorts, syncs="", key="one"):
    (path / "cohorts").mkdir(exist_ok=True)
    for file in (path / "cohorts").iterdir():
        file.unlink()
    for slug, text in cohorts.items():
        (path / f"cohorts/{slug}.yml").write_text(text)
    connection = f"connections: {{os: {{vendor: onesignal, app_id: {APP}, api_key: env:KEY}}}}\n"
    (path / "syncs.yml").write_text(connection + "syncs:\n" + syncs if syncs is not None else "syncs: []\n")
    return load(path, Around(operators(), manifests(), {"KEY": key}, connections=frozenset({"os"})))


def stored(*things):
    def of(kind):
        return [thing for thing in things if isinstance(thing, kind)]

    return Stored(PROJECT, of(Connection), of(Cohort), of(Sync))


def applied(given, before=None):
    """What is stored after applying, as plain values."""
    things = []
    for number, change in enumerate(compare(given, before or stored())):
        after = change.after
        if isinstance(after, Connection | Sync) and not after.id:
            after = replace(after, id=f"{change.thing}-{number}")
        if isinstance(after, Sync):
            after = replace(after, connection=next(one.id for one in things if isinstance(one, Connection)))
        things.append(after)
    return stored(*things)


def kinds(changes):
    return [(change.kind.value, change.thing, change.name) for change in changes]


def test_everything_of_a_new_folder_is_added_connections_first(tmp_path):
    given = folder(tmp_path, {"big": cohort("big")}, "  - {cohort: big, to: os}\n")
    assert kinds(compare(given, stored())) == [
        ("add", "connection", "os"),
        ("add", "cohort", "big"),
        ("add", "sync", "big → os"),
    ]


def test_what_is_stored_already_is_unchanged(tmp_path):
    given = folder(tmp_path, {"big": cohort("big")}, "  - {cohort: big, to: os}\n")
    assert {change.kind for change in compare(given, applied(given))} == {Kind.UNCHANGED}


def test_stored_keys_in_another_order_are_no_change(tmp_path):
    given = folder(tmp_path, {"big": cohort("big")})
    before = applied(given)
    [old] = before.cohorts
    turned = replace(old, definition=dict(reversed(old.definition.items())))
    assert compare(given, stored(*before.connections, turned))[1].kind is Kind.UNCHANGED


def test_changes_say_what_changes_and_never_a_secret(tmp_path):
    before = applied(folder(tmp_path, {"big": cohort("big", "Big")}, "  - {cohort: big, to: os}\n"))
    text = "  - {cohort: big, to: os, every: daily, guard: off}\n"
    changes = compare(folder(tmp_path, {"big": cohort("big", "Bigger", "order")}, text, key="another"), before)
    notes = {change.thing: change.notes for change in changes}
    assert notes["connection"] == ("api_key is another",)
    assert notes["cohort"] == ("name: Big → Bigger; its segments are renamed", "another definition")
    assert notes["sync"] == ("every: every 15 minutes → daily", "guard: 30 % and 100 → off")
    assert "another" not in repr([change for change in changes if change.thing == "sync"])


def test_an_id_is_kept_whatever_changes(tmp_path):
    before = applied(folder(tmp_path, {"big": cohort("big")}, "  - {cohort: big, to: os}\n"))
    changes = compare(folder(tmp_path, {"big": cohort("big")}, "  - {cohort: big, to: os, every: hourly}\n"), before)
    [sync] = [change.after for change in changes if isinstance(change.after, Sync)]
    assert (sync.id, sync.cadence) == (before.syncs[0].id, Cadence.HOURLY)


def test_what_vanished_is_left_alone_without_prune_and_removed_with_it(tmp_path):
    before = applied(folder(tmp_path, {"big": cohort("big"), "old": cohort("old")}, "  - {cohort: old, to: os}\n"))
    given = folder(tmp_path, {"big": cohort("big")}, "  []\n")
    assert kinds(compare(given, before))[2:] == [("left", "cohort", "old"), ("left", "sync", "old → os")]
    assert kinds(compare(given, before, prune=True))[2:] == [("remove", "cohort", "old"), ("remove", "sync", "old → os")]


def test_what_others_manage_is_never_in_the_changes(tmp_path):
    others = [
        Cohort("p", "theirs", "Theirs", {}, managed="cli"),
        Connection("c", "p", "os2", "onesignal", managed="file:/else"),
    ]
    changes = compare(folder(tmp_path, {"big": cohort("big")}), stored(*others), prune=True)
    assert {change.name for change in changes} == {"os", "big"}


def test_a_name_that_is_managed_elsewhere_is_refused_unless_it_is_adopted(tmp_path):
    given = folder(tmp_path, {"big": cohort("big")})
    theirs = Cohort(
        "p", "big", "big", {"cohort": "big", "name": "big", "who": [{"did": "purchase"}]}, managed="file:/elsewhere"
    )
    with pytest.raises(BadFolder) as caught:
        compare(given, stored(theirs))
    assert [(fault.path, fault.what) for fault in caught.value.faults] == [
        ("cohort big", "is managed by the folder /elsewhere.")
    ]
    adopted = compare(given, stored(theirs), adopt=True)[1]
    assert (adopted.kind, adopted.after.managed) == (Kind.CHANGE, f"file:{tmp_path}")


def test_a_renamed_slug_is_a_removal_and_an_addition_and_says_so(tmp_path):
    before = applied(folder(tmp_path, {"big": cohort("big", "Big")}))
    changes = compare(folder(tmp_path, {"huge": cohort("huge", "Big")}), before, prune=True)
    assert kinds(changes)[1:] == [("add", "cohort", "huge"), ("remove", "cohort", "big")]
    assert changes[2].notes == ("huge says the same: a new slug is a new cohort, and this one goes",)


def test_a_connection_waits_until_its_syncs_have_been_cleared_away(tmp_path):
    before = applied(folder(tmp_path, {"big": cohort("big")}, "  - {cohort: big, to: os}\n"))
    given = folder(tmp_path, {"big": cohort("big")}, None)
    found = {change.thing: change.kind for change in compare(given, before, prune=True)}
    assert (found["connection"], found["sync"]) == (Kind.WAITING, Kind.REMOVE)
    retiring = stored(*before.connections, *before.cohorts, replace(before.syncs[0], status=SyncStatus.RETIRING))
    assert {change.thing: change.kind for change in compare(given, retiring, prune=True)}["connection"] is Kind.WAITING
    gone = stored(*before.connections, *before.cohorts)
    assert {change.thing: change.kind for change in compare(given, gone, prune=True)}["connection"] is Kind.REMOVE


def test_a_sync_that_is_being_cleared_away_is_not_taken_up_again(tmp_path):
    given = folder(tmp_path, {"big": cohort("big")}, "  - {cohort: big, to: os}\n")
    before = applied(given)
    retiring = stored(*before.connections, *before.cohorts, replace(before.syncs[0], status=SyncStatus.RETIRING))
    sync = compare(given, retiring)[2]
    assert (sync.kind, sync.after.id) == (Kind.ADD, "")


def test_pruning_a_cohort_that_others_need_is_refused(tmp_path):
    before = applied(folder(tmp_path, {"big": cohort("big"), "vip": cohort("vip")}))
    given = folder(tmp_path, {"big": cohort("big")})
    nests = Cohort("p", "theirs", "Theirs", {"who": [{"any": [{"in_cohort": "vip"}]}]}, managed="cli")
    syncs = Sync("s", "p", "vip", before.connections[0].id, guard=Guard(), managed="cli")
    for other in (nests, syncs):
        with pytest.raises(BadFolder, match="cannot be applied"):
            compare(given, stored(*before.connections, *before.cohorts, other), prune=True)
        assert compare(given, stored(*before.connections, *before.cohorts, other))
