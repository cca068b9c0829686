"""Cohorts as OneSignal segments: one tag a sync, one segment that tests for the tag, one PATCH a changed recipient. Pure."""

from __future__ import annotations

import hashlib
import re
import uuid
from dataclasses import replace
from urllib.parse import quote

from cornicen.delivery.shapes import Answer, Change, Container, Ensured, Grouping, Need, Parcel, Shape, Sought, Verdict
from cornicen.errors import Unreachable
from cornicen.integrations.onesignal import limits
from cornicen.integrations.onesignal.account import Account
from cornicen.integrations.onesignal.answers import Said, clean, hear, unknown_app
from cornicen.integrations.onesignal.recipients import Kind, is_uuid, kind_of, owner_path, user_path
from cornicen.wire.http import Request, Result

GONE = frozenset({404, 410})
_SYNC_ID = re.compile(r"[a-z0-9_]{1,55}")


def tag_key(sync: str) -> str:
    """The tag of a sync: from its own id, so that no other sync, project or instance writes it.

    Raises:
        ValueError: It is no sync id.
    """
    if not _SYNC_ID.fullmatch(sync):
        raise ValueError("a sync id is 1 to 55 of a-z, 0-9 and _")
    return f"cornicen_{sync}"


def segment_id(app: str, sync: str) -> str:
    """The segment's id: always the same for an app and a sync, and a UUID of version 4, as OneSignal describes its own."""
    digest = hashlib.sha256(f"{app}:{tag_key(sync)}".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


def segment_name(container: Container) -> str:
    """The name as OneSignal gets it: at most 128 characters, with a part of the sync's id where the plain one was taken."""
    suffix = f" ({container.sync[:8]})" if container.renamed else ""
    plain = clean(container.name)[: limits.SEGMENT_NAME - len(suffix)].strip() or "Cohort"
    return plain + suffix


class MembersOut:
    """The `Destination` of one OneSignal app.

    Args:
        account: Its settings, checked.
    """

    def __init__(self, account: Account) -> None:
        self.account = account
        self.shape = Shape(Grouping.RECIPIENT, limits.KEYS_A_REQUEST, limits.SECONDS_BETWEEN_UPDATES)
        self.rate = account.rate
        self.connections = account.connections
        self.longest_answer = account.longest_answer
        self.views = limits.SECONDS_BETWEEN_VIEWS
        self.lag = limits.SETTLES_WITHIN

    def probe(self) -> Request:
        """The app without its counts: the cheapest authenticated read."""
        return self.account.request("GET", "?view=config")

    def probed(self, result: Result) -> str:
        """The app's name. Raises: WrongKey, TierRefused, Unreachable."""
        heard = hear(result, self.account)
        if heard.error is not None:
            raise heard.error
        if heard.said is None:
            raise Unreachable(
                f"OneSignal cannot be reached: {heard.words}.", "Check the network and `base_url`, then try again."
            )
        if heard.verdict is Verdict.REFUSED:
            raise unknown_app(heard.said, self.account)
        if heard.verdict is not Verdict.ACCEPTED or heard.said.document is None:
            raise Unreachable(f"OneSignal does not answer as it should: {heard.words}.", "Try again in a minute.")
        return clean(str(heard.said.document.get("name") or self.account.app))

    def ensure(self, container: Container) -> Request:
        """Create the segment, under our own id; rename it where it exists. Twice: the same segment."""
        body: dict[str, object] = {
            "name": segment_name(container),
            "description": clean(container.description)[: limits.SEGMENT_DESCRIPTION],
        }
        if container.exists:
            return self.account.request("PATCH", f"/segments/{self._id(container)}", body)
        body["filters"] = [{"field": "tag", "key": tag_key(container.sync), "relation": "exists"}]
        if container.own_id:
            body["id"] = segment_id(self.account.app, container.sync)
        return self.account.request("POST", "/segments", body)

    def ensured(self, container: Container, result: Result) -> Ensured:
        """What the answer to `ensure` means."""
        heard = hear(result, self.account)
        if heard.said is not None and heard.verdict is Verdict.ACCEPTED:
            return Ensured(self._known(container, heard.said), Verdict.ACCEPTED)
        if heard.said is not None and heard.verdict is Verdict.REFUSED:
            return self._not_had(container, heard.said)
        return Ensured(container, heard.verdict, heard.words, heard.wait, error=heard.error)

    def _not_had(self, container: Container, said: Said) -> Ensured:
        """What to do about a definite no to a segment."""
        taken = said.status in {400, 409} and said.tells("already taken")
        if taken:
            other = replace(container, renamed=True)
            return Ensured(other, Verdict.REFUSED, said.words, again=not container.renamed)
        if container.exists and said.status in GONE:
            gone = replace(container, exists=False, stored="", own_id=True)
            return Ensured(gone, Verdict.REFUSED, said.words, again=True)
        if not container.exists and container.own_id and said.status == 409 and not said.tells("limit"):
            # Our own id exists: an earlier attempt whose answer was lost.
            return Ensured(replace(container, exists=True), Verdict.ACCEPTED, said.words)
        if not container.exists and container.own_id and said.status == 400:
            return Ensured(replace(container, own_id=False), Verdict.REFUSED, said.words, again=True)
        if said.status == 404:
            return Ensured(container, Verdict.DENIED, said.words, error=unknown_app(said, self.account))
        return Ensured(container, Verdict.REFUSED, said.words)

    def retire(self, container: Container) -> Request:
        """Delete the segment. Twice: it is gone."""
        return self.account.request("DELETE", f"/segments/{self._id(container)}")

    def retired(self, container: Container, result: Result) -> Ensured:
        """What the answer to `retire` means."""
        heard = hear(result, self.account)
        if heard.verdict is Verdict.ACCEPTED or (heard.verdict is Verdict.REFUSED and heard.said and heard.said.status in GONE):
            return Ensured(replace(container, exists=False), Verdict.ACCEPTED)
        return Ensured(container, heard.verdict, heard.words, heard.wait, error=heard.error)

    def deliver(self, parcel: Parcel) -> Request:
        """One PATCH of one user, with all its tags: the entry time in Unix seconds, or nothing, which removes the tag.

        Twice: the same tags.
        """
        return self._patch(parcel, *kind_of(parcel.changes[0].identifier))

    def deliver_to(self, parcel: Parcel, user: str) -> Request:
        """The same PATCH, of a user who was found by OneSignal's own id. Twice: the same tags."""
        return self._patch(parcel, Kind.ONESIGNAL, user)

    def _patch(self, parcel: Parcel, kind: Kind, value: str) -> Request:
        if kind is Kind.SUBSCRIPTION:
            raise ValueError("a subscription's user has to be asked for first")
        return self.account.request("PATCH", user_path(kind, value), {"properties": {"tags": _tags(parcel)}})

    def need(self, identifier: str) -> Need:
        """A subscription's user has to be asked for; with `Kind.AUTO` also a UUID that is no External ID of the app."""
        kind, value = kind_of(identifier)
        if kind is Kind.SUBSCRIPTION:
            return Need.FIRST
        automatic = self.account.recipient is Kind.AUTO and kind is Kind.EXTERNAL
        return Need.UNKNOWN if automatic and is_uuid(value) else Need.NEVER

    def seek(self, identifier: str) -> Request:
        """Whose a subscription is."""
        return self.account.request("GET", owner_path(kind_of(identifier)[1]))

    def sought(self, result: Result) -> Sought:
        """OneSignal's own id of a subscription's user; nobody's, where there is no such subscription."""
        heard = hear(result, self.account)
        answer = Answer(heard.verdict, "", heard.words, heard.wait, error=heard.error)
        if heard.verdict is Verdict.REFUSED and heard.said is not None and heard.said.status in GONE:
            return Sought(replace(answer, verdict=Verdict.ACCEPTED))
        if heard.verdict is not Verdict.ACCEPTED or heard.said is None:
            return Sought(replace(answer, reason=heard.error.code if heard.error is not None else _reason(heard.said)))
        identity = (heard.said.document or {}).get("identity")
        user = identity.get("onesignal_id") if isinstance(identity, dict) else None
        if not isinstance(user, str) or not is_uuid(user):
            return Sought(Answer(Verdict.UNKNOWN, "", "the answer names no user"))
        return Sought(answer, user.lower())

    def create(self, parcel: Parcel) -> Request | None:
        """Make the user behind an External ID, with its tags, where the connection wants that and somebody is to go in.

        Whoever is there already is changed as by a PATCH. Twice: one user.
        """
        kind, value = kind_of(parcel.changes[0].identifier)
        if not self.account.create_missing or kind is not Kind.EXTERNAL or not any(change.want for change in parcel.changes):
            return None
        body = {"identity": {"external_id": value}, "properties": {"tags": _tags(parcel)}}
        return self.account.request("POST", "/users", body)

    def answered(self, parcel: Parcel, result: Result) -> Answer:
        """What its answer means."""
        heard = hear(result, self.account)
        reason = _reason(heard.said) if heard.said is not None and heard.verdict is Verdict.REFUSED else ""
        reason = heard.error.code if heard.error is not None else reason
        return Answer(heard.verdict, reason, heard.words, heard.wait, error=heard.error)

    def _id(self, container: Container) -> str:
        return quote(container.stored, safe="") if container.stored else segment_id(self.account.app, container.sync)

    def _known(self, container: Container, said: Said) -> Container:
        """The container as it exists, with the id OneSignal told where that is not ours."""
        told = (said.document or {}).get("id")
        if container.exists or not isinstance(told, str) or told.lower() == segment_id(self.account.app, container.sync):
            return replace(container, exists=True)
        return replace(container, exists=True, stored=told)


def _value(change: Change) -> str:
    return str(change.entered) if change.want else ""


def _tags(parcel: Parcel) -> dict[str, str]:
    return {tag_key(change.sync): _value(change) for change in parcel.changes}


def _reason(said: Said | None) -> str:
    """The word for a refusal of one user; `cornicen.delivery.retry` knows when to ask again. "": nothing was said."""
    if said is None:
        return ""
    if said.status in GONE:
        return "unknown_recipient"
    if said.tells("entitlements-tag-limit", "limited to a maximum of"):
        return "tag_limit"
    if said.status == 409:
        return re.sub(r"[^a-z0-9]+", "_", said.codes[0].lower()).strip("_")[:64] if said.codes else "conflict"
    return "invalid"
