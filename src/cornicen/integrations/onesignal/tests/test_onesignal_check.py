import asyncio
import json

import pytest
from onesignal_standin import KEY, OneSignalApp

from cornicen.integrations.onesignal.check import check
from cornicen.testing.clock import HurriedClock
from cornicen.testing.faults import Fault, FaultySender


def tried(app, sender=None, user="ada"):
    return asyncio.run(check(app.destination, sender or app, user, HurriedClock()))


def test_against_an_app_that_behaves_everything_holds_and_nothing_is_left():
    app = OneSignalApp(taken=["Theirs"])
    app.know(["ada"])
    app.tags["ada"]["level"] = "10"
    found = tried(app)
    assert [one.what for one in found if not one.held] == []
    assert len(found) == 10
    assert app.tags == {"ada": {"level": "10"}}
    assert [segment["name"] for segment in app.segments.values()] == ["Theirs"]


def test_the_report_holds_no_secret():
    app = OneSignalApp()
    app.know(["ada"])
    assert KEY not in repr(tried(app))


@pytest.mark.parametrize("answered", range(1, 10))
def test_wherever_answers_cease_what_may_be_there_is_asked_to_go(answered):
    app = OneSignalApp()
    app.know(["ada"])
    sender = FaultySender(app)
    sender.faults.extend([*[Fault.NONE] * answered, *[Fault.GONE] * 100])
    assert not all(one.held for one in tried(app, sender))
    asked = [(request.method, json.loads(request.body or b"{}")) for request in sender.sent]
    assert asked[-1][0] == "DELETE"
    tags = [list(body["properties"]["tags"].values()) for _, body in asked if "properties" in body]
    assert not tags or tags[-1] == [""]


@pytest.mark.parametrize("position", range(10))
def test_an_answer_lost_in_the_middle_leaves_nothing(position):
    app = OneSignalApp()
    app.know(["ada"])
    sender = FaultySender(app)
    sender.faults.extend([*[Fault.NONE] * position, Fault.LOST])
    tried(app, sender)
    assert not app.segments
    assert not app.tags["ada"]


def test_a_fault_of_the_sender_undoes_what_was_done():
    class Breaking:
        def __init__(self, app, after):
            self.app, self.after = app, after

        async def send(self, request, *, timeout):
            self.after -= 1
            if self.after == 0:
                raise RuntimeError("broken")
            return self.app.answer(request)

    for after in range(2, 8):
        app = OneSignalApp()
        app.know(["ada"])
        with pytest.raises(RuntimeError):
            tried(app, Breaking(app, after))
        assert not app.segments
        assert not app.tags["ada"]


def test_a_wrong_key_ends_it_after_one_request():
    app = OneSignalApp()
    sender = FaultySender(app)
    sender.faults.append(Fault.DENIED)
    (only,) = tried(app, sender)
    assert not only.held
    assert "401" in only.seen
    assert len(sender.sent) == 1


def test_an_unknown_user_is_said_and_nothing_is_tagged():
    app = OneSignalApp()
    found = tried(app, user="nobody")
    assert [one.what for one in found if not one.held] == ["The test user can be tagged."]
    assert not app.segments


def test_a_tier_without_segments_is_said_and_the_tag_is_still_tried():
    app = OneSignalApp(segments=False)
    app.know(["ada"])
    found = tried(app)
    assert [one.what for one in found if not one.held] == ["A segment can be created under an id of ours."]
    assert "403" in next(one.seen for one in found if not one.held)
    assert not app.tags["ada"]


def test_a_second_segment_that_was_wrongly_made_is_removed_too():
    class Careless(OneSignalApp):
        def _create(self, body):
            if body["id"] in self.segments:
                del body["id"]
            return super()._create(body)

    app = Careless()
    app.know(["ada"])
    found = tried(app)
    assert [one.what for one in found if not one.held] == ["A second segment under the same id is refused with 409."]
    assert len([line for line in app.log if line[0] == "DELETE"]) == 2
    assert not app.segments


def test_a_busy_app_is_waited_for():
    app = OneSignalApp()
    app.know(["ada"])
    sender = FaultySender(app)
    sender.faults.append(Fault.BUSY)
    assert all(one.held for one in tried(app, sender))
