import shutil

import ledger_world
import pytest

from cornicen.state.opening import open_state
from cornicen.testing import postgresql


@pytest.fixture(scope="session")
def furnished(tmp_path_factory):
    """A database file to copy: making one takes half a second."""
    path = tmp_path_factory.mktemp("state") / "furnished.db"
    state = open_state(path, ledger_world.KEY)
    ledger_world.furnish(state)
    state.close()
    return path


@pytest.fixture(scope="session")
def postgres():
    found = postgresql.programs()
    if found is None:
        pytest.skip("needs the program postgres")
    with postgresql.serving(found) as server:
        yield server


@pytest.fixture(scope="session")
def furnished_on_postgres(postgres):
    url = postgres.database()
    state = open_state(url, ledger_world.KEY)
    ledger_world.furnish(state)
    state.close()
    return url


@pytest.fixture
def lite(furnished, tmp_path):
    """A furnished state in SQLite."""
    shutil.copy(furnished, tmp_path / "state.db")
    opened = open_state(tmp_path / "state.db", ledger_world.KEY)
    yield opened
    opened.close()


@pytest.fixture
def served(postgres, furnished_on_postgres):
    """A furnished state in PostgreSQL."""
    url = postgres.database(furnished_on_postgres)
    opened = open_state(url, ledger_world.KEY)
    yield opened
    opened.close()
    postgres.drop(url)


@pytest.fixture(params=["lite", "served"], ids=["sqlite", "postgresql"])
def state(request):
    """A furnished state in each database."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def where(state):
    """Where another may open the same state."""
    return state.database.engine.url.render_as_string(hide_password=False)


@pytest.fixture
def desk(state):
    return ledger_world.Desk(state)
