"""Segments: create, list, view, update, delete."""

from __future__ import annotations

from cornicen.integrations.onesignal.simulator.answers import Answer, Refused, answer
from cornicen.integrations.onesignal.simulator.api.call import Call
from cornicen.integrations.onesignal.simulator.state import segments


def create_segment(call: Call) -> Answer:
    """201 with the id."""
    app = call.app
    made = segments.create(app.segments, call.object(), app.segment_cap, app.ids, call.now)
    return answer(201, {"success": True, "id": made.id})


def list_segments(call: Call) -> Answer:
    """A page, oldest first; 300 is both the default and the most."""
    offset = call.whole_number("offset", 0)
    limit = min(call.whole_number("limit", segments.MOST_PER_PAGE), segments.MOST_PER_PAGE)
    page = [each.listed(call.app.id) for each in segments.page(call.app.segments, offset, limit)]
    return answer(200, {"total_count": len(call.app.segments), "offset": offset, "limit": limit, "segments": page})


def view_segment(call: Call) -> Answer:
    """How many subscriptions are in it, and its filters if they are asked for."""
    segment = segments.find(call.app.segments, call.parts["segment"])
    shown: dict[str, object] = {"subscriber_count": segment.subscribers(call.app.users.values(), call.now)}
    if (call.asked.parameter("include-segment-detail") or "").lower() == "true":
        shown["payload"] = segment.detailed()
    return answer(200, shown)


def update_segment(call: Call) -> Answer:
    """200 with the id; the body must repeat the name."""
    segment = segments.find(call.app.segments, call.parts["segment"])
    segments.update(call.app.segments, segment, call.object(), call.now)
    return answer(200, {"success": True, "id": segment.id})


def delete_segment(call: Call) -> Answer:
    """200; its users stay as they are."""
    if call.app.segments.pop(call.parts["segment"].lower(), None) is None:
        raise Refused(404, "", extra={"success": False})
    return answer(200, {"success": True})
