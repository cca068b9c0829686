"""The vendors' own clients, as released, against one running `cornicen up`."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess

import pytest
from clients_house import serving_home
from clients_pages import NODE, Shop, serving
from playwright.sync_api import sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    """One home for all tests here: each uses users of its own."""
    with serving_home(tmp_path_factory.mktemp("served") / "home") as found:
        yield found


@pytest.fixture
def house(tmp_path):
    """A home of one test's own, whose roles it may kill."""
    with serving_home(tmp_path / "home") as found:
        yield found


@pytest.fixture(scope="session")
def packages():
    """The clients of npm's registry, installed as the lock says."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"needs the program {program}")
    locked, installed = NODE / "package-lock.json", NODE / "node_modules" / ".installed"
    with locked.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test processes install once
        if not installed.exists() or installed.read_text() != locked.read_text():
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            done = subprocess.run(command, cwd=NODE, capture_output=True, text=True, timeout=300, check=False)
            assert done.returncode == 0, done.stderr
            installed.write_text(locked.read_text())
    return NODE / "node_modules"


@pytest.fixture
def node(packages):
    """Run one of the scripts beside the packages; the JSON document it prints."""

    def run(script: str, *arguments: object) -> dict:
        command = ["node", f"{script}.js", *map(str, arguments)]
        done = subprocess.run(command, cwd=NODE, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="module")
def chromium(packages):
    """A real browser, and the origin that our pages come from: another than the door's.

    Not for the whole session: while the driver runs, nothing else in this thread can run an event loop.
    """
    if CHROMIUM is None:
        pytest.skip("needs the program chromium")
    with serving() as origin, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser, origin
        browser.close()


@pytest.fixture
def visit(chromium):
    """Open one of our pages in a fresh profile."""
    browser, origin = chromium
    contexts = []

    def visiting(name: str) -> Shop:
        contexts.append(browser.new_context())
        return Shop(contexts[-1].new_page(), f"{origin}/{name}.html")

    yield visiting
    for context in contexts:
        context.close()
