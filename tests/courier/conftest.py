import pytest
from cryptography.fernet import Fernet

from cornicen.state.opening import open_state
from cornicen.testing.memory import MemoryState
from cornicen.testing.pages import PageServer


@pytest.fixture
def sql_states(tmp_path):
    """Makes empty states in SQLite, and closes them."""
    opened = []

    def make():
        opened.append(open_state(tmp_path / f"state-{len(opened)}.db", Fernet.generate_key()))
        return opened[-1]

    yield make
    for state in opened:
        state.close()


@pytest.fixture(params=["memory", "sqlite"])
def state(request):
    """An empty state: the obvious one, and the real one."""
    return MemoryState() if request.param == "memory" else request.getfixturevalue("sql_states")()


@pytest.fixture
def server():
    with PageServer() as pages:
        yield pages
