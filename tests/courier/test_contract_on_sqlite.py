import pytest

from cornicen.testing.destinations import DestinationContract


class TestPagesOnSqlite(DestinationContract):
    examples = 6

    @pytest.fixture
    def stage(self, server):
        return server

    @pytest.fixture
    def states(self, sql_states):
        return sql_states


class TestPagesOnPostgreSQL(DestinationContract):
    examples = 2

    @pytest.fixture
    def stage(self, server):
        return server

    @pytest.fixture
    def states(self, served_states):
        return served_states
