"""The demo's auditor: a script of its own that agrees with the cohorts' meaning and imports nothing of ours."""

import ast
import csv
import gzip
import json
import subprocess
import sys
from datetime import UTC
from pathlib import Path

from cornicen.apps.demo import data, play, scenario
from cornicen.cohorts.definition import Context, parse
from cornicen.cohorts.meaning import members
from cornicen.cohorts.operators import found as operators
from cornicen.events.history import Happening, History
from cornicen.events.values import read
from cornicen.flows.projects.documents import read as read_document

SCRIPT = Path(data.__file__).with_name("recompute.py")
DEFINITIONS = sorted(Path(data.__file__).with_name("cohorts").glob("*.yml"))
INSTANT = "2017-10-29T00:00:00Z"


def recompute(*exports, as_of=INSTANT):
    given = [part for slug, file in exports for part in ("--export", f"{slug}={file}")]
    command = [sys.executable, "-I", str(SCRIPT), "--data", str(data.find()), "--as-of", as_of, *given]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {one["slug"]: one for one in json.loads(done.stdout)["cohorts"]}


def test_the_script_imports_only_the_standard_library_and_pyarrow():
    tree = ast.parse(SCRIPT.read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    roots = {name.split(".")[0] for name in names} - {"__future__"}
    assert roots - sys.stdlib_module_names == {"pyarrow"}
    assert not {"importlib", "runpy", "subprocess"} & roots


def histories(story, until):
    """Everybody as the meaning sees them, by household number."""
    found = {}
    for load, (time, record) in enumerate(zip(story.events.times, story.events.records, strict=True)):
        if time < until:
            event = json.loads(record)
            household = int(event["properties"]["distinct_id"].removeprefix("household-"))
            amount = event["properties"].get("amount")
            properties = {} if amount is None else {"amount": read(str(amount).encode(), UTC)}
            found.setdefault(household, []).append(Happening(event["event"], time, load, properties))
    profiles = {}
    for time, record in zip(story.profiles.times, story.profiles.records, strict=True):
        if time < until:
            profile = json.loads(record)
            household = int(profile["$distinct_id"].removeprefix("household-"))
            values = {name: read(json.dumps(value).encode(), UTC) for name, value in profile["$properties"].items()}
            profiles.setdefault(household, {}).update(values)
    return {one: History(tuple(found.get(one, ())), profiles.get(one)) for one in found.keys() | profiles.keys()}


def reasons(people, found):
    """Why they are not exportable, by the scenario's rules."""
    counts = dict.fromkeys(("no_profile", "no_id", "shared", "unknown", "refused"), 0)
    owners = {}
    for one in sorted(people):
        profile = found[one].profile
        if profile is None:
            counts["no_profile"] += 1
        elif "$onesignal_user_id" not in profile:
            counts["no_id"] += 1
        elif (name := scenario.recipient(one)) in owners:
            counts["shared"] += 1
        else:
            owners[name] = one
    counts["unknown"] = sum(scenario.is_unknown(one) for one in owners.values())
    counts["refused"] = sum(scenario.is_refused(one) for one in owners.values())
    return counts


def test_the_script_agrees_with_the_meaning_of_the_demos_cohorts_at_the_first_instant():
    everybody = histories(data.read(data.find(), lines=False), play.FIRST)
    documents = {file.stem: read_document(file, file.name).value for file in DEFINITIONS}
    theirs = recompute()
    assert theirs.keys() == documents.keys()
    for slug, document in documents.items():
        definition = parse(document, operators(), Context(lookup=documents.get))
        people = members(definition.query, everybody, play.FIRST)
        assert (slug, len(people)) == (slug, theirs[slug]["size"])
        assert (slug, reasons(people, everybody)) == (slug, theirs[slug]["not_exported"])


def test_every_reason_occurs_at_the_last_instant_and_nobody_is_counted_twice():
    found = recompute(as_of="2017-12-24T00:00:00Z")
    for one in found.values():
        assert one["size"] == one["exportable"] + sum(one["not_exported"].values())
    for reason in ("no_profile", "no_id", "shared", "unknown", "refused"):
        assert any(one["not_exported"][reason] for one in found.values()), reason


def export(path, names):
    with gzip.open(path, "wt", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "external_user_id"])
        writer.writerows([number, name] for number, name in enumerate(names))
    return path


def test_one_too_many_and_one_too_few_in_a_segment_are_two_that_differ(tmp_path):
    empty = recompute(("going-quiet", export(tmp_path / "empty.csv.gz", [])))["going-quiet"]
    assert empty["differ"] == empty["exportable"] > 10
    wanted = empty["missing"]
    assert len(wanted) == 10  # the first ten
    found = recompute(("going-quiet", export(tmp_path / "some.csv.gz", [*wanted[1:], *wanted[1:], "stranger"])))["going-quiet"]
    assert found["differ"] == empty["exportable"] - 9 + 1
    assert found["in_segment"] == 10  # a user with two subscriptions is one
    assert (found["missing"][0], found["surplus"]) == (wanted[0], ["stranger"])
