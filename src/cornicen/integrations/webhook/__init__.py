"""Mixpanel's custom cohort webhook, as the sender: a receiver that was written for Mixpanel's keeps a cohort of ours."""

from __future__ import annotations

from collections.abc import Mapping

from cornicen.flows.ports import Destination
from cornicen.flows.vendors import Manifest
from cornicen.integrations.webhook.account import SETTINGS, account
from cornicen.integrations.webhook.members_out import MembersOut


def destination(settings: Mapping[str, object], secrets: Mapping[str, str]) -> Destination:
    """The destination of one connection.

    Raises:
        BadSetting: A setting is missing or out of its bounds.
    """
    return MembersOut(account(settings, secrets))


MANIFEST = Manifest(name="webhook", title="Webhook", category="messaging", settings=SETTINGS, destination=destination)
