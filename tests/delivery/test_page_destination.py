import pytest

from cornicen.testing.destinations import PEOPLE, DestinationContract
from cornicen.testing.pages import PAGE, PageServer


class TestPageDestination(DestinationContract):
    @pytest.fixture
    def stage(self):
        with PageServer() as server:
            yield server

    def test_a_cohort_travels_in_as_few_pages_as_hold_it(self, delivering, stage):
        stage.know(PEOPLE)
        sync = delivering.sync()
        delivering.want({sync: PEOPLE})
        assert len(delivering.settle()) == 1 + -(-len(PEOPLE) // PAGE)
