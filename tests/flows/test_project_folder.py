"""A project folder as a value: everything that is wrong at once."""

import pytest

from cornicen.cohorts.operators import found as operators
from cornicen.errors import BadFolder, NotFound
from cornicen.flows.projects.folder import Around, load
from cornicen.flows.records import Cadence, Guard
from cornicen.integrations import found as manifests

APP = "0a6f4a50-5b9e-4a3a-9a35-0e1a2b3c4d5e"
BIG = "cohort: big\nname: Big\nwho:\n  - did: purchase\n    sum: {of: amount, gte: 800}\n    within: 90d\n"
SYNCS = f"""\
connections:
  onesignal:
    vendor: onesignal
    app_id: {APP}
    api_key: env:KEY
syncs:
  - {{cohort: big, to: onesignal, every: daily, guard: {{percent: 10, count: 5}}}}
"""


@pytest.fixture
def write(tmp_path):
    def writing(**files):
        (tmp_path / "cohorts").mkdir(exist_ok=True)
        for name, text in files.items():
            (tmp_path / ("syncs.yml" if name == "syncs" else f"cohorts/{name}.yml")).write_text(text)
        return tmp_path

    return writing


def around(**more):
    return Around(operators(), manifests(), {"KEY": "os_v2_app_secret"}, **more)


def faults(folder, **more):
    with pytest.raises(BadFolder) as caught:
        load(folder, around(**more))
    return {(fault.path, fault.what) for fault in caught.value.faults}


def test_a_folder_without_faults_is_read_whole(write):
    folder = load(write(big=BIG, syncs=SYNCS), around())
    assert folder.cohorts["big"].definition.name == "Big"
    assert folder.connections["onesignal"].secrets == {"api_key": "os_v2_app_secret"}
    assert folder.connections["onesignal"].settings["identifier"] == "$onesignal_user_id"
    [sync] = folder.syncs
    assert (sync.cohort, sync.to, sync.cadence, sync.guard) == ("big", "onesignal", Cadence.DAILY, Guard(10.0, 5))


def test_all_faults_of_all_files_come_at_once_with_file_line_and_path(write):
    folder = write(
        big=BIG.replace("within", "wihtin"),
        other="cohort: other\nwho: [{did: x}]\nnaem: y\n",
        broken="cohort: [",
        syncs=SYNCS.replace("every: daily", "every: weekly").replace("app_id", "appid"),
    )
    found = faults(folder)
    assert {path for path, _ in found} >= {
        "cohorts/big.yml:6: who[0].wihtin",
        "cohorts/other.yml:3: naem",
        "cohorts/broken.yml:1",
        "syncs.yml:4: connections.onesignal.appid",
        "syncs.yml:7: syncs[0].every",
    }


def test_an_unknown_key_comes_with_the_near_one(write):
    folder = write(big=BIG, syncs=SYNCS.replace("vendor:", "vendor: onesignal\n    identifer: x\n    vendr:"))
    with pytest.raises(BadFolder) as caught:
        load(folder, around())
    fixes = {fault.path: fault.fix for fault in caught.value.faults}
    assert fixes["syncs.yml:4: connections.onesignal.identifer"] == "Did you mean `identifier`?"


def test_a_slug_that_two_files_define_is_a_fault_that_names_both(write):
    assert ("cohorts/two.yml:1: cohort", "big is defined in cohorts/big.yml too.") in faults(write(big=BIG, two=BIG))


@pytest.mark.parametrize("secret", ["os_v2_app_literal", "ENV:KEY", "'env:'", 17])
def test_a_literal_secret_is_refused_and_not_repeated(write, secret):
    folder = write(big=BIG, syncs=SYNCS.replace("env:KEY", str(secret)))
    with pytest.raises(BadFolder) as caught:
        load(folder, around())
    assert "by reference" in str(caught.value)
    assert "os_v2_app_literal" not in str(caught.value)
    assert "os_v2_app_literal" not in str(caught.value.as_json())


def test_a_secret_file_is_found_from_the_folder(write):
    folder = write(big=BIG, syncs=SYNCS.replace("env:KEY", "file:keys/onesignal"))
    (folder / "keys").mkdir()
    (folder / "keys/onesignal").write_text("os_v2_app_file\n")
    assert load(folder, around()).connections["onesignal"].secrets == {"api_key": "os_v2_app_file"}


@pytest.mark.parametrize("reference", ["env:NOT_SET", "file:nowhere"])
def test_a_reference_that_leads_nowhere_is_a_fault(write, reference):
    [(path, _)] = faults(write(big=BIG, syncs=SYNCS.replace("env:KEY", reference)))
    assert path == "syncs.yml:5: connections.onesignal.api_key"


def test_secrets_stay_out_of_representations(write):
    assert "os_v2_app_secret" not in repr(load(write(big=BIG, syncs=SYNCS), around()))


@pytest.mark.parametrize(
    ("setting", "value"), [("rate", 801), ("rate", "fast"), ("app_id", "x"), ("base_url", "ftp://x"), ("identifier", 5)]
)
def test_a_setting_out_of_its_bounds_is_a_fault(write, setting, value):
    syncs = SYNCS.replace(f"app_id: {APP}", f"{setting}: {value}\n" + (f"    app_id: {APP}" if setting != "app_id" else ""))
    assert f"syncs.yml:4: connections.onesignal.{setting}" in {path for path, _ in faults(write(big=BIG, syncs=syncs))}


def test_a_sync_of_nothing_and_to_nowhere_is_a_fault_with_suggestions(write):
    folder = write(big=BIG, syncs=SYNCS.replace("cohort: big, to: onesignal", "cohort: bgi, to: onesingal"))
    with pytest.raises(BadFolder) as caught:
        load(folder, around())
    assert {fault.fix for fault in caught.value.faults} == {"Did you mean `big`?", "Did you mean `onesignal`?"}


def test_a_sync_may_name_what_is_managed_elsewhere(write):
    folder = write(syncs="syncs: [{cohort: vip, to: other}]")
    loaded = load(folder, around(cohorts={"vip": {"cohort": "vip", "who": [{"did": "x"}]}}, connections=frozenset({"other"})))
    assert [(sync.cohort, sync.to, sync.cadence) for sync in loaded.syncs] == [("vip", "other", Cadence.QUARTER_HOUR)]


def test_a_definition_with_faults_makes_no_fault_of_the_sync_that_names_it(write):
    folder = write(big=BIG.replace("sum:", "smu:"), broken="cohort: [", syncs=SYNCS.replace("cohort: big", "cohort: broken"))
    assert all(path.startswith("cohorts/") for path, _ in faults(folder))


def test_one_cohort_to_one_connection_twice_is_a_fault(write):
    folder = write(big=BIG, syncs=SYNCS + "  - {cohort: big, to: onesignal}\n")
    assert faults(folder) == {("syncs.yml:8: syncs[1]", "sends big to onesignal a second time.")}


@pytest.mark.parametrize(
    ("guard", "wanted"),
    [
        ("off", Guard(None, None)),
        ("false", Guard(None, None)),
        ("{count: 7}", Guard(30.0, 7)),
        ("{percent: 2.5}", Guard(2.5, 100)),
    ],
)
def test_a_guard_is_off_or_two_numbers(write, guard, wanted):
    folder = write(big=BIG, syncs=SYNCS.replace("{percent: 10, count: 5}", guard))
    assert load(folder, around()).syncs[0].guard == wanted


@pytest.mark.parametrize(
    "guard", ["on", "{percent: 101}", "{percent: true}", "{count: -1}", "{count: 1.5}", "[]", "{prcent: 3}"]
)
def test_a_guard_that_means_nothing_is_a_fault(write, guard):
    found = faults(write(big=BIG, syncs=SYNCS.replace("{percent: 10, count: 5}", guard)))
    assert all(path.startswith("syncs.yml:7: syncs[0].guard") for path, _ in found)


def test_a_fault_of_a_nested_cohort_is_told_once_at_its_own_file(write):
    folder = write(vip="cohort: vip\nwho: [{did: x, wihtin: 3d}]\n", quiet="cohort: quiet\nwho: [{in_cohort: vip}]\n")
    assert [path for path, _ in faults(folder)] == ["cohorts/vip.yml:2: who[0].wihtin"]


def test_cohorts_that_name_each_other_in_a_circle_are_refused(write):
    folder = write(a="cohort: a\nwho: [{in_cohort: b}]\n", b="cohort: b\nwho: [{in_cohort: a}]\n")
    assert {path.split(":")[0] for path, _ in faults(folder)} == {"cohorts/a.yml", "cohorts/b.yml"}


def test_a_folder_without_definitions_or_syncs_is_no_project_folder(tmp_path):
    with pytest.raises(NotFound):
        load(tmp_path, around())


@pytest.mark.parametrize(
    "syncs", ["[]", "connections: []", "syncs: {a: b}", "syncs: [x]", "connections: {onesignal: 3}", "connections: {X: {}}"]
)
def test_a_syncs_file_of_another_shape_is_a_fault_and_no_crash(write, syncs):
    assert faults(write(big=BIG, syncs=syncs))
