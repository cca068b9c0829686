import shutil

import ledger_world
import pytest

from cornicen.state.opening import open_state


@pytest.fixture(scope="session")
def furnished(tmp_path_factory):
    """A database file to copy: making one takes half a second."""
    path = tmp_path_factory.mktemp("state") / "furnished.db"
    state = open_state(path, ledger_world.KEY)
    ledger_world.furnish(state)
    state.close()
    return path


@pytest.fixture
def state(furnished, tmp_path):
    shutil.copy(furnished, tmp_path / "state.db")
    opened = open_state(tmp_path / "state.db", ledger_world.KEY)
    yield opened
    opened.close()


@pytest.fixture
def desk(state):
    return ledger_world.Desk(state)
