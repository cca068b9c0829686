"""The command line as a whole: its documents, errors and exit codes."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cornicen.apps.cli import exits
from cornicen.apps.cli.app import app
from cornicen.apps.cli.running import run
from cornicen.errors import BadInput, CornicenError, Damaged, Denied, NotRunning, TierRefused, Unreachable, WrongKey

DOCS = Path(__file__).parents[2] / "docs/cli.md"
GOOD = "cohort: big\nname: Big spenders\nwho:\n  - did: purchase\n    sum: {of: amount, gte: 800}\n    within: 90d\n"


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    """No home in the environment or the current folder."""
    monkeypatch.delenv("CORNICEN_HOME", raising=False)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


@pytest.fixture
def command(capsys):
    """Run a command; its exit code, its document, and its error."""

    def commanding(*arguments):
        code = run([*map(str, arguments), "--json"])
        out, err = capsys.readouterr()
        return code, json.loads(out) if out else None, json.loads(err)["error"] if err else None

    return commanding


@pytest.fixture
def home(command, tmp_path):
    code, _, _ = command("init", tmp_path / "home", "--name", "shop", "--timezone", "Europe/Vilnius")
    assert code == 0
    return tmp_path / "home"


def write(home, **cohorts):
    for slug, text in cohorts.items():
        (home / "cohorts" / f"{slug}.yml").write_text(text)


def commands(tree=app, before=()):
    """Every command that does something, as its words."""
    below = [name for name in tree if not name.startswith("-")]
    return [found for name in below for found in commands(tree[name], (*before, name))] if below else [before]


def test_every_command_and_exit_code_is_in_the_docs_and_no_other_command():
    text = DOCS.read_text()
    listed = {
        tuple(word for word in cell.split() if re.fullmatch("[a-z]+(-[a-z]+)*", word))
        for cell in re.findall(r"^\| `([^`]+)`", text, re.MULTILINE)
    }
    real = {words for words in commands() if words[0] != "connect"} | {("connect",)}
    assert {words for words in listed if words and words[0] in app} == real
    for code in exits.MEANINGS:
        assert f"| {code} |" in text


def test_every_help_names_the_exit_codes(capsys):
    for words in [(), *commands()]:
        run([*words, "--help"])
        assert "70 internal" in capsys.readouterr().out.replace("\n", " "), words


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BadInput("x"), 2),
        (NotRunning("x"), 3),
        (Unreachable("x"), 3),
        (Denied("x"), 4),
        (WrongKey("x"), 4),
        (TierRefused("x"), 4),
        (Damaged("x"), 70),
        (CornicenError("x"), 70),
    ],
)
def test_the_class_of_an_error_is_its_exit_code(error, code):
    assert exits.code_of(error) == code


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["sync", "rnu"],
        ["sync", "run", "--as"],
        ["import"],
        ["simulate", "onesignal", "--tier", "gold"],
        ["import", "x", "--format", "xml"],
    ],
)
def test_a_command_line_that_means_nothing_is_bad_input_with_a_place_to_look(command, arguments):
    code, found, error = command(*arguments)
    assert (code, found, error["code"]) == (2, None, "bad_input")
    assert "--help" in error["fix"]


def test_an_error_for_people_is_what_and_fix_on_standard_error(capsys):
    assert run(["sync", "list"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "is no Cornicen home." in err.replace("\n", " ")
    assert "cornicen init" in err


def test_help_is_no_error(capsys):
    assert run(["sync", "--help"]) == 0
    assert "release" in capsys.readouterr().out


def test_a_fault_of_ours_exits_with_70_and_shows_where():
    code = "import sys; from cornicen.apps.cli import running; sys.excepthook = running.treat_as_internal; 1 / 0"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 70
    assert "ZeroDivisionError" in done.stderr


def test_what_is_cut_off_by_its_reader_is_no_error(home):
    write(home, big=GOOD)
    shell = f"{sys.executable} -m cornicen.apps.cli cohort validate --home {home} | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=False, env={**os.environ})
    assert (done.stdout.strip(), done.stderr) == ("0", "")


def test_init_prints_a_token_and_an_account_and_keeps_only_a_digest_of_its_secret(command, tmp_path):
    code, made, _ = command("init", tmp_path / "new", "--name", "shop")
    assert code == 0
    assert re.fullmatch("[0-9a-f]{32}", made["project"]["token"])
    secret = made["service_account"]["secret"]
    assert len(secret) >= 24
    for file in (tmp_path / "new").rglob("*"):
        assert not file.is_file() or secret.encode() not in file.read_bytes()


def test_init_says_each_secret_once_to_people(capsys, tmp_path):
    assert run(["init", str(tmp_path / "new")]) == 0
    text = capsys.readouterr().out
    token, secret = (re.search(rf"{label}\s+(\S+)", text).group(1) for label in ("Project token", "Its secret"))
    assert text.count(token) == text.count(secret) == 1
    assert "cornicen up --home" in text.replace("\n", " ")


@pytest.mark.parametrize("rule", ["simplified", "original", "amplitude"])
def test_init_keeps_the_identity_rule_and_says_it(command, capsys, tmp_path, rule):
    from cornicen.apps import build
    from cornicen.apps.home import Home

    assert command("init", tmp_path / "new", "--identity", rule)[1]["project"]["identity"] == rule
    state = build.state(Home.find(tmp_path / "new"))
    assert [project.identity for project in state.projects.all()] == [rule]
    state.close()
    assert run(["init", str(tmp_path / "other"), "--identity", rule]) == 0
    assert f"its identity rule is {rule}" in capsys.readouterr().out.replace("\n", " ")


def test_init_without_a_rule_takes_simplified_and_one_that_is_none_is_refused(command, tmp_path):
    assert command("init", tmp_path / "new")[1]["project"]["identity"] == "simplified"
    assert command("init", tmp_path / "other", "--identity", "fuzzy")[0] == 2
    assert not (tmp_path / "other").exists()


def test_a_second_init_is_refused_and_changes_nothing(command, home):
    before = {file: file.read_bytes() for file in home.rglob("*") if file.is_file() and "state.db" not in file.name}
    code, _, error = command("init", home)
    assert (code, error["code"]) == (2, "bad_setting")
    assert before == {file: file.read_bytes() for file in before}


def test_an_init_that_was_cut_off_before_its_project_is_finished_by_the_next(command, tmp_path):
    from cornicen.apps.home import Home

    Home.make(tmp_path / "half")
    assert command("init", tmp_path / "half")[0] == 0
    assert command("sync", "list", "--home", tmp_path / "half")[:2] == (0, {"syncs": []})


def test_a_time_zone_that_is_none_is_refused_before_anything_is_made(command, tmp_path):
    code, _, error = command("init", tmp_path / "new", "--timezone", "Vilnius")
    assert (code, error["code"]) == (2, "bad_setting")
    assert not (tmp_path / "new").exists()


def test_validate_needs_no_home_and_shows_what_a_definition_reads(command, tmp_path):
    file = tmp_path / "big.yml"
    file.write_text(GOOD)
    code, found, _ = command("cohort", "validate", file)
    assert code == 0
    [one] = found["cohorts"]
    assert (one["slug"], one["events"], one["properties"]) == ("big", ["purchase"], ["amount"])


def test_validate_shows_all_faults_at_once_with_file_line_and_suggestion(command, tmp_path):
    file = tmp_path / "big.yml"
    file.write_text(GOOD.replace("within", "wihtin").replace("gte", "gtee"))
    code, _, error = command("cohort", "validate", file)
    assert (code, error["code"]) == (2, "bad_folder")
    assert {fault["path"] for fault in error["faults"]} == {f"{file}:5: who[0].sum.gtee", f"{file}:6: who[0].wihtin"}
    assert "within" in next(fault["fix"] for fault in error["faults"] if "wihtin" in fault["path"])


def test_validate_of_one_file_knows_the_folder_around_it_and_tells_only_its_own_faults(command, tmp_path):
    (tmp_path / "cohorts").mkdir()
    for slug, text in {
        "big": GOOD,
        "bad": "cohort: bad\nwho: 3\n",
        "quiet": "cohort: quiet\nwho: [{in_cohort: big}]\n",
    }.items():
        (tmp_path / f"cohorts/{slug}.yml").write_text(text)
    code, found, _ = command("cohort", "validate", tmp_path / "cohorts/quiet.yml", "--folder", tmp_path)
    assert (code, [one["slug"] for one in found["cohorts"]], found["cohorts"][0]["nested"]) == (0, ["quiet"], ["big"])
    assert command("cohort", "validate", "--folder", tmp_path)[0] == 2


def test_apply_without_anybody_to_ask_changes_nothing_and_says_how(command, home):
    write(home, big=GOOD)
    code, _, error = command("apply", "--home", home)
    assert (code, error["code"]) == (2, "bad_input")
    assert "--yes" in error["fix"]
    assert command("cohort", "list", "--home", home)[1] == {"cohorts": []}


def test_apply_twice_changes_nothing_the_second_time(command, home):
    write(home, big=GOOD)
    assert command("apply", "--yes", "--home", home)[1]["applied"] == 1
    code, found, _ = command("apply", "--home", home)
    assert (code, found["applied"], [one["kind"] for one in found["changes"]]) == (0, 0, ["unchanged"])


def test_what_vanished_goes_only_with_prune(command, home):
    write(home, big=GOOD, small=GOOD.replace("big", "small"))
    command("apply", "--yes", "--home", home)
    (home / "cohorts/small.yml").unlink()
    command("apply", "--yes", "--home", home)
    assert [one["slug"] for one in command("cohort", "list", "--home", home)[1]["cohorts"]] == ["big", "small"]
    command("apply", "--yes", "--prune", "--home", home)
    assert [one["slug"] for one in command("cohort", "list", "--home", home)[1]["cohorts"]] == ["big"]


def test_a_folder_with_faults_changes_nothing(command, home):
    write(home, big=GOOD, bad="cohort: bad\nwho: [{did: x, wihtin: 3d}]\n")
    code, _, error = command("apply", "--yes", "--home", home)
    assert (code, [fault["path"] for fault in error["faults"]]) == (2, ["cohorts/bad.yml:2: who[0].wihtin"])
    assert command("cohort", "list", "--home", home)[1] == {"cohorts": []}


def test_a_stored_cohort_is_shown_as_written_and_as_sql(command, home):
    write(home, big=GOOD)
    command("apply", "--yes", "--home", home)
    assert command("cohort", "show", "big", "--home", home)[1]["definition"]["who"][0]["did"] == "purchase"
    sql = command("cohort", "show", "big", "--sql", "--as-of", "2017-10-29", "--home", home)[1]["sql"]
    assert "1509235200000000" in sql
    assert "'purchase'" in sql
    code, _, error = command("cohort", "show", "bgi", "--home", home)
    assert (code, error["code"]) == (2, "not_found")
    assert "big" in error["fix"]


@pytest.mark.parametrize(
    "arguments", [["cohort", "preview", "big"], ["cohort", "members", "big"], ["sync", "plan"], ["sync", "run"]]
)
def test_what_needs_a_keeper_says_that_none_runs(command, home, arguments):
    write(home, big=GOOD)
    command("apply", "--yes", "--home", home)
    code, _, error = command(*arguments, "--home", home)
    assert (code, error["code"]) == (3, "not_running")
    assert "cornicen up" in error["fix"]


def test_import_without_a_door_says_that_none_runs(command, home, tmp_path):
    (tmp_path / "x.jsonl").write_text("{}")
    code, _, error = command("import", tmp_path / "x.jsonl", "--format", "engage-jsonl", "--home", home)
    assert (code, error["code"]) == (3, "not_running")


def test_import_of_a_file_that_is_not_there_says_so(command, home, tmp_path):
    code, _, error = command("import", tmp_path / "none.jsonl", "--format", "csv", "--home", home)
    assert (code, error["code"]) == (2, "bad_file")


@pytest.mark.parametrize("word", ["release", "pause", "resume", "status", "plan"])
def test_a_sync_that_is_not_there_is_not_found(command, home, word):
    code, _, error = command("sync", word, "nobody", "--home", home)
    assert code in {2, 3}
    if code == 2:
        assert error["code"] == "not_found"


def test_an_instant_that_is_none_is_refused(command, home):
    code, _, error = command("sync", "plan", "--as-of", "yesterday", "--home", home)
    assert (code, error["code"]) == (2, "bad_input")


def test_a_key_on_the_command_line_is_refused_and_not_repeated(capsys, home):
    literal = "os_v2_app_literalliteralliteral"
    arguments = ["--app-id", "0a6f4a50-5b9e-4a3a-9a35-0e1a2b3c4d5e", "--api-key", literal, "--home", str(home)]
    assert run(["connect", "onesignal", *arguments]) == 2
    out, err = capsys.readouterr()
    assert literal not in out + err
    assert "env:NAME" in err


def test_an_unreachable_onesignal_is_unavailable_and_nothing_is_saved(command, home, monkeypatch):
    monkeypatch.setenv("KEY", "os_v2_app_x")
    arguments = ["--app-id", "0a6f4a50-5b9e-4a3a-9a35-0e1a2b3c4d5e", "--api-key", "env:KEY", "--base-url", "http://127.0.0.1:9"]
    code, _, error = command("connect", "onesignal", *arguments, "--home", home)
    assert (code, error["code"]) == (3, "unreachable")
    (home / "syncs.yml").write_text("syncs: [{cohort: big, to: onesignal}]\n")
    write(home, big=GOOD)
    assert "names no connection" in command("apply", "--yes", "--home", home)[2]["faults"][0]["what"]
