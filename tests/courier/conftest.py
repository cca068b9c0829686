import pytest
from cryptography.fernet import Fernet

from cornicen.state.opening import open_state
from cornicen.testing import postgresql
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


@pytest.fixture(scope="session")
def postgres():
    found = postgresql.programs()
    if found is None:
        pytest.skip("needs the program postgres")
    with postgresql.serving(found) as server:
        yield server


@pytest.fixture
def served_states(postgres):
    """Makes empty states in PostgreSQL, and closes them."""
    opened = []

    def make():
        url = postgres.database()
        opened.append((url, open_state(url, Fernet.generate_key())))
        return opened[-1][1]

    yield make
    for url, state in opened:
        state.close()
        postgres.drop(url)


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def state(request):
    """An empty state: the obvious one, and the real ones."""
    if request.param == "memory":
        return MemoryState()
    return request.getfixturevalue("sql_states" if request.param == "sqlite" else "served_states")()


@pytest.fixture
def server():
    with PageServer() as pages:
        yield pages
