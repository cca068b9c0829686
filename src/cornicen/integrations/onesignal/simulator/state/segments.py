"""Segments: stored filters, their names and ids."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cornicen.integrations.onesignal.simulator.answers import Refused
from cornicen.integrations.onesignal.simulator.filters import Filters, Malformed, parse
from cornicen.integrations.onesignal.simulator.identifiers import Identifiers, is_uuid4
from cornicen.integrations.onesignal.simulator.state.people import User

LONGEST_NAME = 128
LONGEST_DESCRIPTION = 255
MOST_PER_PAGE = 300
"""Segments in one page of the list, and how many there are if nothing else is asked for."""

_FAILED = {"success": False}


@dataclass(eq=False)
class Segment:
    """A stored filter expression.

    Args:
        id: UUID version 4.
        name: Unique within the application.
        description: None: it has none.
        entries: The filters as they were written.
        filters: The same, understood.
        created_at: Unix seconds.
        updated_at: Unix seconds.
    """

    id: str
    name: str
    description: str | None
    entries: list[dict[str, Any]]
    filters: Filters
    created_at: float
    updated_at: float

    def members(self, users: Iterable[User], now: float) -> Iterator[User]:
        """The users in the segment at ``now``, by their settled tags, in the order given."""
        holds = self.filters.hold
        return (user for user in users if holds(user, user.settled_tags(now), now))

    def subscribers(self, users: Iterable[User], now: float) -> int:
        """What the vendor counts: subscriptions that messages reach, not users."""
        return sum(sum(each.subscribed for each in user.subscriptions) for user in self.members(users, now))

    def listed(self, app_id: str) -> dict[str, Any]:
        """As the list shows it: times in ISO 8601."""
        return {
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "created_at": written_time(self.created_at),
            "updated_at": written_time(self.updated_at),
            "app_id": app_id,
            "read_only": False,
            "is_active": True,
        }

    def detailed(self) -> dict[str, Any]:
        """As the detail shows it: times in Unix seconds."""
        head = {"id": self.id, "name": self.name, "description": self.description}
        return {**head, "created_at": int(self.created_at), "source": "custom", "filters": self.entries}


def written_time(instant: float) -> str:
    """An instant as the vendor prints it, UTC with milliseconds."""
    return datetime.fromtimestamp(instant, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def create(segments: dict[str, Segment], body: Mapping[str, Any], cap: int, ids: Identifiers, now: float) -> Segment:
    """Add a segment.

    Raises:
        Refused: 400: no name, a name or description that is too long, malformed filters, an ``id`` that is no version 4 UUID,
            or a name that is taken. 409: the id is taken. 422: the price plan allows no more.

    Twice: 409 if the client gave the id, else 400 for the name.
    """
    name, description = _name(body), _description(body)
    given = body.get("id")
    if given is not None and not (isinstance(given, str) and is_uuid4(given)):
        raise Refused(400, "id must be a version 4 UUID", extra=_FAILED)
    filters = _filters(body)
    if given is not None and given.lower() in segments:
        raise Refused(409, "Segment with the given id already exists.", extra=_FAILED)
    _check_free(segments, name)
    if len(segments) >= cap:
        raise Refused(422, "You have reached the maximum number of segments allowed for your plan.")
    made = Segment((given or ids.next()).lower(), name, description, body["filters"], filters, now, now)
    segments[made.id] = made
    return made


def update(segments: Mapping[str, Segment], segment: Segment, body: Mapping[str, Any], now: float) -> None:
    """Rename a segment, describe it, or replace its filters; what is not mentioned stays, but the name must be.

    Raises:
        Refused: 400: as for `create`.

    Twice: changes nothing but `updated_at`.
    """
    name, description = _name(body), _description(body)
    filters = _filters(body) if "filters" in body else segment.filters
    if name != segment.name:
        _check_free(segments, name)
    segment.name, segment.filters = name, filters
    segment.entries = body.get("filters", segment.entries)
    if "description" in body:
        segment.description = description
    segment.updated_at = now


def find(segments: Mapping[str, Segment], segment_id: str) -> Segment:
    """The segment of a path.

    Raises:
        Refused: 404.
    """
    found = segments.get(segment_id.lower())
    if found is None:
        raise Refused(404, "segment not found", extra=_FAILED)
    return found


def page(segments: Mapping[str, Segment], offset: int, limit: int) -> list[Segment]:
    """A page of the list, oldest first."""
    return sorted(segments.values(), key=lambda each: each.created_at)[offset : offset + limit]


def _name(body: Mapping[str, Any]) -> str:
    name = body.get("name")
    if not isinstance(name, str) or not name.strip():
        raise Refused(400, "name is required")
    if len(name) > LONGEST_NAME:
        raise Refused(400, f"name may have at most {LONGEST_NAME} characters", extra=_FAILED)
    return name


def _description(body: Mapping[str, Any]) -> str | None:
    """What ``description`` says; "" and null both clear it."""
    description = body.get("description")
    if description is not None and not isinstance(description, str):
        raise Refused(400, "description must be text", extra=_FAILED)
    if description and len(description) > LONGEST_DESCRIPTION:
        raise Refused(400, f"description may have at most {LONGEST_DESCRIPTION} characters", extra=_FAILED)
    return description or None


def _filters(body: Mapping[str, Any]) -> Filters:
    try:
        return parse(body.get("filters"))
    except Malformed as fault:
        raise Refused(400, str(fault), extra=_FAILED) from fault


def _check_free(segments: Mapping[str, Segment], name: str) -> None:
    if any(each.name == name for each in segments.values()):
        raise Refused(400, "Segment name is already taken.", extra=_FAILED)
