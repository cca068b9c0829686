"""What one filter entry means for one user.

Fields and relations are those of the segment pages and of the published API description, first half of 2026; the last four
fields only occur in the pages of 2022.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)")
_EARTH_RADIUS_M = 6_371_008.8
MOST_VALUES = 20
"""Values that one ``in_array`` may list."""


class Device(Protocol):
    """What a condition reads of a subscription."""

    @property
    def type(self) -> str: ...
    @property
    def token(self) -> str: ...
    @property
    def app_version(self) -> str: ...


class Subject(Protocol):
    """What a condition reads of a user, besides the tags."""

    @property
    def country(self) -> str | None: ...
    @property
    def language(self) -> str | None: ...
    @property
    def first_active(self) -> int | None: ...
    @property
    def last_active(self) -> int | None: ...
    @property
    def session_count(self) -> int: ...
    @property
    def session_time(self) -> int: ...
    @property
    def lat(self) -> float | None: ...
    @property
    def long(self) -> float | None: ...
    @property
    def amount_spent(self) -> float: ...
    @property
    def purchases(self) -> Sequence[tuple[str, float]]: ...
    @property
    def subscriptions(self) -> Sequence[Device]: ...


@dataclass(frozen=True)
class Condition:
    """One entry of a segment's filters, its operands as text.

    Args:
        field: One of `RELATIONS`.
        relation: One of the field's relations.
        key: The tag's, or the SKU.
        value: The text compared with; the hours for the session fields.
        place: Latitude, longitude and metres, for ``location``.
    """

    field: str
    relation: str = ""
    key: str = ""
    value: str = ""
    place: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def holds(self, user: Subject, tags: Mapping[str, str], now: float) -> bool:
        """Whether the condition is true of this user at this instant.

        Args:
            user: Its properties and subscriptions.
            tags: The tags to look at, which may lag behind the user's.
            now: Unix seconds.
        """
        return _MEANINGS[self.field](self, user, tags, now)


def number(text: str) -> Decimal | None:
    """The number that ``text`` writes in plain decimals, or None."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def _compared(relation: str, left: Decimal | None, right: Decimal | None) -> bool:
    """A comparison of numbers; what is no number compares as false, except that it differs from every number."""
    if left is None or right is None:
        return relation == "!="
    return {"=": left == right, "!=": left != right, ">": left > right, "<": left < right}[relation]


def _texts(relation: str, text: str | None, value: str) -> bool:
    """The relations that compare text. The negated ones are plain negations: they hold of whoever has no text at all."""
    match relation:
        case "=":
            return text == value
        case "!=":
            return text != value
        case "exists":
            return text is not None
        case "not_exists":
            return text is None
        case "in_array":
            return text is not None and text in value.split(",")
        case _:  # not_in_array
            return text is None or text not in value.split(",")


def _tag(it: Condition, user: Subject, tags: Mapping[str, str], now: float) -> bool:
    text = tags.get(it.key)
    if it.relation in {">", "<"}:
        return text is not None and _compared(it.relation, number(text), number(it.value))
    if it.relation.startswith("time_elapsed"):
        # The tag holds Unix seconds, the value a number of seconds.
        then = None if text is None else number(text)
        elapsed = None if then is None else Decimal(now) - then
        return _compared(">" if it.relation == "time_elapsed_gt" else "<", elapsed, number(it.value))
    return _texts(it.relation, text, it.value)


def _country(it: Condition, user: Subject, tags: Mapping[str, str], now: float) -> bool:
    return _texts(it.relation, None if user.country is None else user.country.upper(), it.value.upper())


def _language(it: Condition, user: Subject, tags: Mapping[str, str], now: float) -> bool:
    return _texts(it.relation, None if user.language is None else user.language.lower(), it.value.lower())


def _hours_since(it: Condition, then: int | None, now: float) -> bool:
    hours = number(it.value)
    return then is not None and hours is not None and _compared(it.relation, Decimal(now) - then, hours * 3600)


def _last_session(it: Condition, user: Subject, tags: Mapping[str, str], now: float) -> bool:
    return _hours_since(it, user.last_active, now)


def _first_session(it: Condition, user: Subject, tags: Mapping[str, str], now: float) -> bool:
    return _hours_since(it, user.first_active, now)


def _session_count(it: Condition, user: Subject, tags: Mapping[str, str], now: float) -> bool:
    return _compared(it.relation, Decimal(user.session_count), number(it.value))


def _session_time(it: Condition, user: Subject, tags: Mapping[str, str], now: float) -> bool:
    return _compared(it.relation, Decimal(user.session_time), number(it.value))


def _amount_spent(it: Condition, user: Subject, tags: Mapping[str, str], now: float) -> bool:
    return _compared(it.relation, Decimal(str(user.amount_spent)), number(it.value))


def _bought_sku(it: Condition, user: Subject, tags: Mapping[str, str], now: float) -> bool:
    bought = number(it.value)
    return any(sku == it.key and _compared(it.relation, Decimal(str(paid)), bought) for sku, paid in user.purchases)


def version(text: str) -> tuple[int, ...]:
    """A version's numbers, trailing zeros dropped: ``1.10`` is above ``1.9`` and equals ``1.10.0``."""
    parts = [int(part) for part in re.findall(r"\d+", text)]
    while parts and not parts[-1]:
        parts.pop()
    return tuple(parts)


def _app_version(it: Condition, user: Subject, tags: Mapping[str, str], now: float) -> bool:
    wanted = version(it.value)
    found = [version(device.app_version) for device in user.subscriptions if device.app_version]
    match it.relation:
        case "=":
            return wanted in found
        case "!=":
            return wanted not in found
        case ">":
            return any(each > wanted for each in found)
        case _:
            return any(each < wanted for each in found)


def metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """The great-circle distance between two points, each latitude and longitude in degrees."""
    (lat1, long1), (lat2, long2) = ((math.radians(lat), math.radians(long)) for lat, long in (one, other))
    half = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((long2 - long1) / 2) ** 2
    return 2 * _EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, half)))


def _location(it: Condition, user: Subject, tags: Mapping[str, str], now: float) -> bool:
    if user.lat is None or user.long is None:
        return False
    lat, long, radius = it.place
    return metres((user.lat, user.long), (lat, long)) <= radius


_KINDS = {
    "ios": {"iOSPush"},
    "android": {"AndroidPush"},
    "web push (browser)": {"ChromePush", "FirefoxPush", "SafariPush", "SafariLegacyPush"},
}


def _device_type(it: Condition, user: Subject, tags: Mapping[str, str], now: float) -> bool:
    kinds = _KINDS.get(it.value.lower(), {it.value})
    found = any(device.type in kinds for device in user.subscriptions)
    return found if it.relation == "=" else not found


def _email(it: Condition, user: Subject, tags: Mapping[str, str], now: float) -> bool:
    found = any(device.type == "Email" and device.token == it.value for device in user.subscriptions)
    return found if it.relation == "=" else not found


_MEANINGS: dict[str, Callable[[Condition, Subject, Mapping[str, str], float], bool]] = {
    "tag": _tag,
    "country": _country,
    "language": _language,
    "last_session": _last_session,
    "first_session": _first_session,
    "session_count": _session_count,
    "session_time": _session_time,
    "app_version": _app_version,
    "location": _location,
    "device_type": _device_type,
    "amount_spent": _amount_spent,
    "bought_sku": _bought_sku,
    "email": _email,
}

RELATIONS: dict[str, frozenset[str]] = {
    "tag": frozenset(
        ["=", "!=", ">", "<", "exists", "not_exists", "in_array", "not_in_array", "time_elapsed_gt", "time_elapsed_lt"],
    ),
    "country": frozenset(["=", "!=", "exists", "not_exists"]),
    "language": frozenset(["=", "!=", "in_array"]),
    "last_session": frozenset("><"),
    "first_session": frozenset("><"),
    "session_count": frozenset([">", "<", "=", "!="]),
    "session_time": frozenset("><"),
    "app_version": frozenset([">", "<", "=", "!="]),
    "location": frozenset({""}),
    "device_type": frozenset(["=", "!="]),
    "amount_spent": frozenset([">", "<", "="]),
    "bought_sku": frozenset([">", "<", "="]),
    "email": frozenset(["=", "!="]),
}
"""Every field and the relations it takes."""
