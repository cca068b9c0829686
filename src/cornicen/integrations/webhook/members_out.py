"""A cohort as a receiver of Mixpanel's custom webhook holds it. Pure.

A cohort is opened with a full set of nobody (``members``), and from then on every request is a difference (``add_members``,
``remove_members``). Each is whole in itself: a session of its own, page 1 of 1. So a receiver never waits for a page that does
not come, no page can be taken for a repeat of another, and what is said twice leaves the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace

from cornicen.delivery.shapes import Answer, Container, Ensured, Grouping, Parcel, Shape, Verdict
from cornicen.errors import Unreachable, WrongKey
from cornicen.integrations.webhook import limits
from cornicen.integrations.webhook.account import Account
from cornicen.integrations.webhook.answers import clean, hear
from cornicen.wire.http import Reply, Request, Result

MEMBERS, ADD, REMOVE = "members", "add_members", "remove_members"
TEST = "cornicen_connection_test"
"""The cohort that a connection is tried with: it is told to remove nobody."""


class MembersOut:
    """The `Destination` of one receiver.

    Args:
        account: Its settings, checked.
    """

    def __init__(self, account: Account) -> None:
        self.account = account
        self.shape = Shape(Grouping.PAGE, account.page, empties=True)
        self.rate = account.rate
        self.connections = limits.CONNECTIONS
        self.longest_answer = account.timeout

    def probe(self) -> Request:
        """Remove nobody from a cohort that does not exist: the least that shows who answers, and whether it knows us."""
        return self.account.request(REMOVE, _about(TEST, "Cornicen connection test", "probe"), ())

    def probed(self, result: Result) -> str:
        """The receiver's host; also where it answers, by the protocol, that it does not know that cohort.

        Raises: WrongKey, Unreachable.
        """
        heard = hear(result, self.account, REMOVE)
        if isinstance(heard.error, WrongKey):
            raise heard.error
        told = heard.document is not None and heard.document.get("status") == "failure"
        answered = isinstance(result, Reply) and not 300 <= result.status < 400 and heard.verdict is Verdict.DENIED and told
        if heard.verdict is Verdict.ACCEPTED or answered:
            return self.account.host
        if not isinstance(result, Reply):
            raise Unreachable(f"{self.account.host} cannot be reached: {heard.words}.", "Check the network and `url`.")
        words = f"{self.account.host} does not answer as the protocol has it: status {result.status}, {heard.words}."
        raise Unreachable(words, "Let it answer with action and status as JSON, and try again; `docs/webhook.md` shows how.")

    def ensure(self, container: Container) -> Request:
        """Open the cohort: a full set of nobody. Where it is open, tell its name by adding nobody. Twice: the same cohort."""
        action, why = (ADD, f"name {container.name}") if container.exists else (MEMBERS, "open")
        return self.account.request(action, _about(container.sync, container.name, why), ())

    def ensured(self, container: Container, result: Result) -> Ensured:
        """What the answer to `ensure` means."""
        return self._meant(container, replace(container, exists=True), ADD if container.exists else MEMBERS, result)

    def retire(self, container: Container) -> Request:
        """A full set of nobody; the protocol cannot take a cohort away. Twice: the same."""
        return self.account.request(MEMBERS, _about(container.sync, container.name, "close"), ())

    def retired(self, container: Container, result: Result) -> Ensured:
        """What the answer to `retire` means."""
        return self._meant(container, replace(container, exists=False), MEMBERS, result)

    def deliver(self, parcel: Parcel) -> Request:
        """One page of people who come, or who leave. Twice: the same members."""
        first, action = parcel.changes[0], _action(parcel)
        known = [change.identifier for change in parcel.changes]
        why = json.dumps([action, parcel.sent, known])
        return self.account.request(action, _about(first.sync, parcel.name, why), known)

    def answered(self, parcel: Parcel, result: Result) -> Answer:
        """What its answer means: for the whole page, but for those whom the receiver names in ``skipped``."""
        heard = hear(result, self.account, _action(parcel))
        if heard.verdict is not Verdict.ACCEPTED:
            reason = heard.error.code if heard.error is not None else ""
            return Answer(heard.verdict, reason, heard.words, heard.wait, error=heard.error)
        return Answer(Verdict.ACCEPTED, wait=heard.wait, others=_skipped(parcel, heard.document))

    def _meant(self, before: Container, after: Container, action: str, result: Result) -> Ensured:
        heard = hear(result, self.account, action)
        known = after if heard.verdict is Verdict.ACCEPTED else before
        return Ensured(known, heard.verdict, heard.words, heard.wait, error=heard.error)


def _about(cohort: str, name: str, why: str) -> dict[str, object]:
    """What a request says of its cohort; the session names what is said, so that only a repeat carries it again."""
    return {
        "mixpanel_cohort_name": name,
        "mixpanel_cohort_id": cohort,
        "mixpanel_cohort_description": f"Kept by Cornicen: sync {cohort}",
        "mixpanel_session_id": hashlib.sha256(f"{cohort} {why}".encode()).hexdigest()[:32],
    }


def _action(parcel: Parcel) -> str:
    return ADD if parcel.changes[0].want else REMOVE


def _skipped(parcel: Parcel, document: Mapping[str, object] | None) -> dict[int, Answer]:
    """Whom a receiver did not take though it took the page: ``{"skipped": {id: reason}}``, beyond Mixpanel's protocol."""
    skipped = (document or {}).get("skipped")
    reasons = skipped if isinstance(skipped, dict) else {}
    return {
        change.recipient: Answer(Verdict.REFUSED, clean(str(reasons[change.identifier]))[:64] or "refused")
        for change in parcel.changes
        if change.identifier in reasons
    }
