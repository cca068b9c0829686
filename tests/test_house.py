"""The rules of the house that no linter can say."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from cornicen import errors

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "cornicen"
MODULES = sorted(path for path in SOURCE.rglob("*.py") if "tests" not in path.relative_to(SOURCE).parts)
FORBIDDEN_NAMES = {"utils", "helpers", "common", "misc", "base", "manager", "core", "util", "helper"}


def _tracked():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("needs the program git and a checkout")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_the_tree_drawn_in_errors_is_the_tree():
    drawn = re.findall(r"[├└]─ (\w+)", errors.__doc__)
    found = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.CornicenError)}
    assert {"CornicenError", *drawn} == {name for name in found if not name.startswith("_")}


def test_every_error_has_a_code_of_its_own():
    kinds = [
        kind
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.CornicenError) and not name.startswith("_")
    ]
    assert len({kind.code for kind in kinds}) == len(kinds)


def test_every_room_says_its_purpose():
    silent = [str(path.relative_to(ROOT)) for path in MODULES if not ast.get_docstring(ast.parse(path.read_text()))]
    assert not silent


def test_no_module_is_two_things():
    long = {
        str(path.relative_to(ROOT)): n
        for path in MODULES
        if (n := sum(map(bool, map(str.strip, path.read_text().splitlines())))) > 400
    }
    assert not long


def test_no_room_is_named_for_nothing():
    assert not [
        path for path in MODULES if path.stem in FORBIDDEN_NAMES or FORBIDDEN_NAMES & set(path.relative_to(SOURCE).parts)
    ]


def test_bare_exceptions_are_caught_only_at_the_edges():
    edges = {"apps/http", "apps/keeper/server.py", "apps/courier", "apps/cli/__init__.py"}
    caught = [
        str(path.relative_to(SOURCE))
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or getattr(node.type, "id", "") in {"Exception", "BaseException"})
    ]
    assert not [path for path in caught if not any(path.startswith(edge) for edge in edges)]


CLOCKS = {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "date.today", "datetime.today"}


def test_nothing_above_or_below_the_roles_reads_a_clock():
    readers = []
    for path in MODULES:
        where = str(path.relative_to(SOURCE))
        if where.startswith(("apps/", "testing/")) or "simulator" in where:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).removeprefix("datetime.") in CLOCKS:
                readers.append(f"{where}:{node.lineno}")
    assert not readers


def test_the_locks_hold_no_addresses():
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text()
        assert "--hash=sha256:" in text
        assert not re.search(r"://|--index|--find-links|(?<!\w)/", re.sub(r"--hash=\S+", "", text))


def test_everything_locked_is_hashed():
    for name in ("requirements.lock", "requirements-dev.lock"):
        blocks = re.split(r"\n(?=\S)", (ROOT / name).read_text().strip())
        assert not [block.split()[0] for block in blocks if "--hash=" not in block]


def test_no_commit_holds_a_machine_path_or_a_registry():
    pattern = re.compile(r"(?<![\w.])/(root|home|work|tmp/w)/\w|index-url\s*=|registry\s*=\s*http")
    places = []
    for path in _tracked():
        if path == Path(__file__) or path.suffix in {".png", ".lock"}:
            continue
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        places += [f"{path.relative_to(ROOT)}: {match[0]}" for match in pattern.finditer(text)]
    assert not places


def test_links_between_documents_lead_somewhere():
    broken = []
    for page in [path for path in _tracked() if path.suffix == ".md"]:
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text()):
            if not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)} → {target}")
    assert not broken


SKIPS = {"pytest.skip", "pytest.mark.skipif", "pytest.mark.skip"}


def test_every_skip_names_the_program_it_misses():
    """`.ci/run` fails on skips that say `needs the program`: a skip for want of a program must say so."""
    spelled = []
    for path in [path for path in _tracked() if path.suffix == ".py" and "test" in path.name]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {
                "pytest.skip",
                "pytest.mark.skipif",
                "pytest.mark.skip",
            }:
                text = ast.unparse(node)
                if "needs the program" not in text:
                    spelled.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not spelled
