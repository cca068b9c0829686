"""What flows between the ledger, the courier and a vendor's `members_out`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Grouping(StrEnum):
    """How a destination wants its changes."""

    RECIPIENT = "recipient"
    """All changes of one recipient, over all syncs of the connection, in one request."""
    PAGE = "page"
    """A page of one sync's changes, all in the same direction, in one request."""


@dataclass(frozen=True)
class Shape:
    """What a destination takes in one request.

    Args:
        grouping: How changes are grouped.
        limit: How many changes at most: of one recipient (OneSignal: 100 tags), or of one page.
        spacing: Seconds between the answer to one request for a recipient and the next for the same recipient.
        empties: Whether the request that makes a container also empties it: then one that was not answered is waited out before
            it is repeated, lest it arrive after the first members.
    """

    grouping: Grouping
    limit: int
    spacing: float = 0.0
    empties: bool = False


@dataclass(frozen=True)
class Change:
    """One recipient goes in or out of one sync's segment, as it is wanted at the moment of sending.

    Args:
        sync: The sync's id.
        recipient: The recipient's number within its connection.
        identifier: How the destination knows the recipient.
        want: True: in.
        entered: Unix seconds at which the recipient became wanted; the same in every repeat. 0 when ``want`` is False.
    """

    sync: str
    recipient: int
    identifier: str
    want: bool
    entered: int = 0


@dataclass(frozen=True)
class Parcel:
    """The changes that travel in one request. They are on disk as uncertain before the request's first byte.

    Args:
        changes: One recipient's, or one sync's page, as `Shape` says.
        sent: When it was claimed, microseconds: an answer settles this request and no later one that says the same.
            0: not claimed from a ledger.
        name: Of a page: what people call its sync's container, as the destination was last told.
    """

    changes: tuple[Change, ...]
    sent: int = field(default=0, compare=False)
    name: str = field(default="", compare=False)


class Verdict(StrEnum):
    """What an answer means for the changes it settles."""

    ACCEPTED = "accepted"
    """A definite yes: acknowledged, and all doubt is gone."""
    REFUSED = "refused"
    """A definite no to these changes: nothing was done. Clears only its own request's doubt."""
    UNTOUCHED = "untouched"
    """Not acted on and to be asked again: a 429, or nothing left. Clears only its own request's doubt."""
    UNKNOWN = "unknown"
    """No definite answer: time-out, reset, 5xx. The changes stay uncertain."""
    DENIED = "denied"
    """A definite no to the whole sync (key, app, price plan): it stops. Clears only its own request's doubt."""


@dataclass(frozen=True)
class Answer:
    """What a destination's reply means.

    Args:
        verdict: For all changes of the parcel that `others` does not name.
        reason: Of a refusal, a stable word: ``unknown_recipient``, ``tag_limit``, ``invalid``, or the vendor's code.
        words: The destination's own words, for people; never interpreted.
        wait: Seconds the destination asks us to wait (Retry-After); it concerns the whole connection.
        others: Per recipient number, where a page is answered in part.
        error: Of DENIED: what people are told (`DestinationRefused`).
    """

    verdict: Verdict
    reason: str = ""
    words: str = ""
    wait: float | None = None
    others: Mapping[int, Answer] = field(default_factory=dict)
    error: Exception | None = None


class Need(StrEnum):
    """Whether a recipient's user has to be asked for."""

    NEVER = "never"
    FIRST = "first"
    """Nothing can be delivered before."""
    UNKNOWN = "unknown"
    """Only where the destination does not know the recipient."""


@dataclass(frozen=True)
class Sought:
    """What the answer to a question for a recipient's user means.

    Args:
        answer: ACCEPTED: it is known who it is, also if nobody. Else as for a parcel: its changes were not told to anybody.
        user: The destination's own id; "": nobody.
    """

    answer: Answer
    user: str = ""


@dataclass(frozen=True)
class Container:
    """The thing at the destination that holds a sync's members: at OneSignal a segment.

    Args:
        sync: The sync's id; everything derived from it is ours alone.
        name: What people read there.
        description: Where it comes from.
        stored: The destination's id for it, once it has told one that differs from the derived; "" before.
        exists: Whether we know it to exist.
        renamed: Whether the plain name was taken and a distinguishing one is to be used.
        own_id: Whether it is asked for under the derived id; False once the destination refused ours and is to give one.
    """

    sync: str
    name: str
    description: str = ""
    stored: str = ""
    exists: bool = False
    renamed: bool = False
    own_id: bool = True


@dataclass(frozen=True)
class Ensured:
    """What an answer about a container means.

    Args:
        container: As it is now known.
        verdict: ACCEPTED: it exists as wanted; UNTOUCHED, UNKNOWN: ask again; DENIED: the sync stops;
            REFUSED: it cannot be had, members are kept all the same (OneSignal: its segment cap) and the sync says so.
        words: The destination's own words.
        wait: As in `Answer`.
        again: Ask again at once with the new `container` (its name or id was refused, or it is no longer there).
        error: Of DENIED: what people are told (`DestinationRefused`).
    """

    container: Container
    verdict: Verdict
    words: str = ""
    wait: float | None = None
    again: bool = False
    error: Exception | None = None
