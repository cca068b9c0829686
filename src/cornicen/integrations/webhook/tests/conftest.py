import pytest
from cryptography.fernet import Fernet

from cornicen.integrations.webhook import destination
from cornicen.integrations.webhook.tests.webhook_receiver import Running
from cornicen.state.opening import open_state


@pytest.fixture
def stage():
    """A receiver that takes everybody, and a destination that sends it as many as the protocol allows."""
    with Running(destination) as running:
        yield running


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
