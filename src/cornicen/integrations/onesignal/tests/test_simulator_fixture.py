"""The fixture for other people's tests, in a project and a pytest of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

CONFTEST = 'pytest_plugins = ["cornicen.testing.simulators"]\n'


@pytest.fixture
def project(tmp_path):
    """Somebody's project: run its one module of tests, get the report."""

    def run(tests):
        (tmp_path / "conftest.py").write_text(CONFTEST)
        (tmp_path / "test_ours.py").write_text(textwrap.dedent(tests))
        (tmp_path / "pytest.ini").write_text(
            "[pytest]\naddopts = --strict-markers -p no:cacheprovider\nfilterwarnings = error\n"
        )
        command = [sys.executable, "-m", "pytest", "-p", "no:randomly", "-p", "no:xdist", "-rA", "test_ours.py"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False, env=environment)
        return done.returncode, done.stdout

    return run


def test_a_project_that_asks_for_the_fixture_gets_a_server_a_test(project):
    code, report = project(
        """
        import json
        import urllib.request

        import pytest

        NOW = 1_700_000_000.0
        seen = []


        def tag(vendor, name):
            request = urllib.request.Request(
                f"{vendor.address}/apps/{vendor.app_id}/users/by/external_id/{name}",
                json.dumps({"properties": {"tags": {"cohort": "1"}}}).encode(),
                {"authorization": f"Key {vendor.api_key}", "content-type": "application/json"},
                method="PATCH",
            )
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    return answer.status
            except urllib.error.HTTPError as refused:
                with refused:
                    return refused.code


        def test_it_answers(onesignal_simulator):
            onesignal_simulator.seed(["u1"])
            assert [tag(onesignal_simulator, name) for name in ("u1", "u2")] == [202, 404]
            assert onesignal_simulator.state()["users"][0]["tags"] == {"cohort": "1"}
            seen.append(onesignal_simulator.address)


        def test_the_next_one_is_another_and_knows_nobody(onesignal_simulator):
            assert onesignal_simulator.state()["users"] == []
            assert onesignal_simulator.ask("GET", "clock")["virtual"] is False
            with pytest.raises(OSError):
                urllib.request.urlopen(seen[0], timeout=60)


        @pytest.mark.onesignal_simulator(tier="free", clock=NOW, knobs={"tag_cap": 0}, seed=7, api_key="ours")
        class TestMarked:
            def test_the_marker_says_how(self, onesignal_simulator):
                state = onesignal_simulator.state()
                assert (state["tier"], state["now"], state["knobs"]["tag_cap"]) == ("free", NOW, 0)
                assert onesignal_simulator.api_key == "ours"
                onesignal_simulator.seed(["u1"])
                assert tag(onesignal_simulator, "u1") == 409

            @pytest.mark.onesignal_simulator(tier="growth")
            def test_the_nearest_marker_wins_and_the_others_stay(self, onesignal_simulator):
                state = onesignal_simulator.state()
                assert (state["tier"], state["now"]) == ("growth", NOW)

            def test_faults_are_the_same_each_time(self, onesignal_simulator):
                onesignal_simulator.turn(tag_cap=10, rps_per_user=0)
                onesignal_simulator.seed(["u1"])
                runs = []
                for _ in range(2):
                    onesignal_simulator.faults({"kind": "status", "status": 429, "probability": 0.5}, seed=7)
                    runs.append([tag(onesignal_simulator, "u1") for _ in range(20)])
                assert runs[0] == runs[1]
                assert set(runs[0]) == {202, 429}
        """
    )
    assert "5 passed" in report, report
    assert code == 0


@pytest.mark.parametrize(
    ("marker", "words"),
    [
        ('tier="gold"', "ValueError: no such tier: gold"),
        ('knobs={"volume": 11}', "unknown field `volume`"),
        ("colour=1", "unexpected keyword argument 'colour'"),
        ('"free"', "takes its options by name"),
    ],
    ids=["tier", "knob", "option", "unnamed"],
)
def test_a_marker_that_does_not_fit_is_an_error_that_says_why(project, marker, words):
    code, report = project(
        f"""
        import pytest


        @pytest.mark.onesignal_simulator({marker})
        def test_it(onesignal_simulator):
            pass
        """
    )
    assert (code, words in report, "1 error" in report) == (1, True, True), report
