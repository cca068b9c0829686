"""The wheel works alone: built, installed into an empty environment, run from another folder."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.journey, pytest.mark.timeout(900)]


def run(*command, cwd, **more):
    done = subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True, check=False, timeout=800, **more)
    assert done.returncode == 0, f"{command}: {done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    found = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}  # the locked build backend
    build = ("wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT)
    run(sys.executable, "-m", "pip", *build, cwd=folder, env=found)
    (built,) = folder.glob("cornicen-*.whl")
    return built


def test_the_wheel_holds_the_package_its_data_and_no_tests(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert any(name.endswith("LICENSE") for name in names)
    assert not [name for name in names if "/tests/" in name or name.startswith("tests/")]
    shipped = {str(path.relative_to(ROOT / "src")) for path in (ROOT / "src" / "cornicen").rglob("*") if path.is_file()}
    wanted = {name for name in shipped if "__pycache__" not in name and "/tests/" not in name}
    assert wanted <= set(names)


def test_the_demo_of_the_wheel_alone_differs_in_nothing(wheel, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    run(sys.executable, "-m", "venv", tmp_path / "venv", cwd=elsewhere)
    python = tmp_path / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", ROOT / "requirements.lock", cwd=elsewhere)
    run(python, "-m", "pip", "install", "--quiet", "--no-deps", wheel, cwd=elsewhere)
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "CORNICEN", "VIRTUAL_ENV"))}
    told = json.loads(run(tmp_path / "venv" / "bin" / "cornicen", "demo", "--once", "--json", cwd=elsewhere, env=bare))
    assert len(told["cohorts"]) == 5
    assert all(cohort["differ"] == 0 and cohort["size"] > 0 for cohort in told["cohorts"])
    assert sum(tick["added"] for tick in told["ticks"]) > 0 < sum(tick["removed"] for tick in told["ticks"])
    assert told["ticks"][-1]["requests"] == 0
