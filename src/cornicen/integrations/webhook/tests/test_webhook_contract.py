import pytest

from cornicen.integrations.webhook import destination
from cornicen.integrations.webhook.tests.webhook_receiver import Running
from cornicen.testing.destinations import PEOPLE, DestinationContract
from cornicen.testing.faults import Fault

PAGE = 2


class TestWebhook(DestinationContract):
    @pytest.fixture
    def stage(self):
        with Running(destination, page_size=PAGE) as running:
            yield running

    def test_a_cohort_travels_in_as_few_pages_as_hold_it(self, delivering, stage):
        stage.know(PEOPLE)
        sync = delivering.sync()
        delivering.want({sync: PEOPLE})
        assert len(delivering.settle()) == 1 + -(-len(PEOPLE) // PAGE)

    @pytest.mark.parametrize("fault", [Fault.LOST, Fault.GONE, Fault.LATE, Fault.BROKEN_AFTER])
    def test_an_opening_that_may_still_arrive_is_waited_out_before_it_is_repeated(self, delivering, stage, fault):
        stage.know(PEOPLE)
        sync = delivering.sync()
        delivering.want({sync: PEOPLE})
        assert len(delivering.deliver(fault)) == 1
        delivering.pass_time(stage.destination.longest_answer / 2)
        assert delivering.deliver() == []  # a lane of its own, as after a crash
        delivering.pass_time(stage.destination.longest_answer / 2)
        delivering.settle()
        assert stage.members(sync) == set(PEOPLE)


class TestWebhookOnSqlite(TestWebhook):
    examples = 6

    @pytest.fixture
    def states(self, sql_states):
        return sql_states
