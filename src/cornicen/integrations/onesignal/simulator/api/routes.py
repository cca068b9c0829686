"""The vendor's routes as one table, and how a path finds its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote

from cornicen.integrations.onesignal.simulator.answers import Answer, Errors
from cornicen.integrations.onesignal.simulator.api import aliases, apps, exports, segments, subscriptions, users
from cornicen.integrations.onesignal.simulator.api.call import Call
from cornicen.integrations.onesignal.simulator.api.keys import Needs


class Rate(StrEnum):
    """Which of the application's limits a route counts against."""

    NONE = "none"
    WRITE = "write"
    VIEW = "view"


@dataclass(frozen=True)
class Route:
    """One route.

    Args:
        name: As faults and the book of requests call it.
        method: In capitals.
        pattern: The path's segments; ``{…}`` takes any one.
        handle: What it does.
        errors: How it writes errors.
        needs: Which key it asks for.
        rate: Which limit it counts against.
        paid: Whether the price plan must include the segment API.
    """

    name: str
    method: str
    pattern: tuple[str, ...]
    handle: Callable[[Call], Answer]
    errors: Errors
    needs: Needs = Needs.APP
    rate: Rate = Rate.NONE
    paid: bool = False


def _person(
    method: str, path: str, handle: Callable[[Call], Answer], rate: Rate = Rate.WRITE, needs: Needs = Needs.APP
) -> Route:
    pattern = ("apps", "{app}", *path.split("/"))
    return Route(handle.__name__, method, pattern, handle, Errors.STRUCTURED, needs, rate)


def _segment(method: str, path: str, handle: Callable[[Call], Answer]) -> Route:
    pattern = ("apps", "{app}", "segments", *path.split())
    return Route(handle.__name__, method, pattern, handle, Errors.STRINGS, paid=True)


_BY = "users/by/{label}/{alias}"

ROUTES = (
    Route("view_app", "GET", ("apps", "{app}"), apps.view_app, Errors.STRINGS, Needs.APP_OR_ORGANIZATION),
    _person("POST", "users", users.create_user, needs=Needs.NOTHING),
    _person("GET", _BY, users.view_user, Rate.VIEW),
    _person("PATCH", _BY, users.update_user),
    _person("DELETE", _BY, users.delete_user),
    _person("GET", f"{_BY}/identity", aliases.view_aliases, Rate.VIEW),
    _person("PATCH", f"{_BY}/identity", aliases.create_aliases),
    _person("DELETE", f"{_BY}/identity/{{delete}}", aliases.delete_alias),
    _person("POST", f"{_BY}/subscriptions", subscriptions.create_subscription),
    _person("PATCH", "subscriptions/{subscription}", subscriptions.update_subscription),
    _person("DELETE", "subscriptions/{subscription}", subscriptions.delete_subscription),
    _person("PATCH", "subscriptions_by_token/{type}/{token}", subscriptions.update_subscription_by_token),
    _person("PATCH", "subscriptions/{subscription}/owner", aliases.transfer_subscription),
    _person("GET", "subscriptions/{subscription}/user/identity", aliases.view_owner_aliases, Rate.VIEW),
    _person("PATCH", "subscriptions/{subscription}/user/identity", aliases.create_owner_aliases),
    _segment("POST", "", segments.create_segment),
    _segment("GET", "", segments.list_segments),
    _segment("GET", "{segment}", segments.view_segment),
    _segment("PATCH", "{segment}", segments.update_segment),
    _segment("DELETE", "{segment}", segments.delete_segment),
    Route("create_export", "POST", ("players", "csv_export"), exports.create_export, Errors.STRINGS),
    Route("fetch_export", "GET", ("csv_exports", "{app}", "{file}"), exports.fetch_export, Errors.STRINGS, Needs.NOTHING),
)
"""Every route; mounted at ``/`` and at ``/api/v1``."""

_BY_SHAPE: dict[tuple[str, int], list[Route]] = {}
for _route in ROUTES:
    _BY_SHAPE.setdefault((_route.method, len(_route.pattern)), []).append(_route)


def find(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The route of a request, and what stands in its places, decoded; None: there is none.

    Args:
        method: In capitals.
        path: Percent-encoded; an encoded slash does not separate.
    """
    segments_ = path.strip("/").split("/")
    if segments_[:2] == ["api", "v1"]:
        segments_ = segments_[2:]
    for route in _BY_SHAPE.get((method, len(segments_)), ()):
        parts: dict[str, str] = {}
        for wanted, found in zip(route.pattern, segments_, strict=True):
            if wanted[0] == "{" and found:
                parts[wanted[1:-1]] = unquote(found)
            elif wanted != found:
                break
        else:
            return route, parts
    return None
