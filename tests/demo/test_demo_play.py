"""What the demo plays, and what it takes for a proof."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from itertools import pairwise

import pytest

from cornicen.apps.cli import instants
from cornicen.apps.demo import play, telling
from cornicen.apps.demo.audit import REASONS
from cornicen.apps.demo.hand import do
from cornicen.apps.demo.play import Played
from cornicen.errors import BadInput, NotFound

MINUTE = 60_000_000


def cohort(**other):
    reasons = dict.fromkeys(REASONS, 1)
    claimed = {"size": 9, **reasons, "in_segment": 4}
    whole = {
        "slug": "big",
        "size": 9,
        "exportable": 4,
        "in_segment": 4,
        "not_exported": reasons,
        "differ": 0,
        "claimed": claimed,
    }
    return {**whole, "added": 5, "removed": 1, "requests": 6, **other}


def played(*cohorts, added=1, removed=1, repeated=0):
    return Played([], list(cohorts), repeated, Counter(added=added, removed=removed))


def test_nothing_that_differs_is_a_proof():
    assert played(cohort()).faults == []


@pytest.mark.parametrize(
    "wrong",
    [
        played(cohort(differ=1)),
        played(cohort(size=0)),
        played(cohort(in_segment=0)),
        played(cohort(not_exported={**cohort()["not_exported"], "no_id": 2})),
        played(cohort(claimed={**cohort()["claimed"], "in_segment": 5})),
        played(cohort(claimed={})),
        played(cohort(), added=0),
        played(cohort(), removed=0),
        played(cohort(), repeated=1),
    ],
)
def test_whatever_is_not_as_promised_is_a_fault(wrong):
    assert wrong.faults


def test_the_ticks_are_a_first_sync_eight_days_an_outage_and_a_day_of_quarter_hours():
    assert instants.show(play.FIRST) == "2017-10-29T00:00:00Z"
    assert [instants.show(day) for day in play.DAYS[:2]] == ["2017-10-30T00:00:00Z", "2017-10-31T00:00:00Z"]
    assert (len(play.DAYS), len(play.QUARTERS)) == (8, 24)
    assert instants.show(play.OUTAGE_ENDS) == "2017-12-23T18:00:00Z"
    assert {later - earlier for earlier, later in pairwise(play.QUARTERS)} == {15 * MINUTE}
    assert (instants.show(play.QUARTERS[0]), instants.show(play.LAST)) == ("2017-12-23T18:15:00Z", "2017-12-24T00:00:00Z")


def test_the_document_has_what_readers_were_promised():
    told = telling.document(played(cohort()), "notice", 1.25)
    assert {"cohorts", "ticks", "notice"} <= told.keys()
    wanted = {"slug", "size", "exportable", "in_segment", "not_exported", "added", "removed", "differ"}
    assert wanted <= told["cohorts"][0].keys()
    json.dumps(told)


def test_a_commands_error_comes_back_as_the_error_it_was(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotFound, match="no Cornicen home"):
        do("sync", "list")
    with pytest.raises(BadInput, match="Unknown option"):
        do("sync", "list", "--nonsense")


@pytest.mark.journey
def test_a_demo_that_is_told_to_stop_leaves_no_process_and_no_folder_behind(tmp_path):
    command = [sys.executable, "-m", "cornicen.apps.cli", "demo"]
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True) as process:
        for line in process.stdout:
            if line.startswith("tick"):
                break
        process.send_signal(signal.SIGTERM)
        process.stdout.read()
        assert process.wait(60) == 130
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
    assert list(tmp_path.glob("cornicen-demo-*")) == []
