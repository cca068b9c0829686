"""OneSignal: segments kept equal to cohorts, through the public REST API."""

from __future__ import annotations

from collections.abc import Mapping

from cornicen.flows.ports import Destination
from cornicen.flows.vendors import Manifest
from cornicen.integrations.onesignal.account import SETTINGS, account
from cornicen.integrations.onesignal.check import check
from cornicen.integrations.onesignal.members_out import MembersOut
from cornicen.integrations.onesignal.recipients import form


def destination(settings: Mapping[str, object], secrets: Mapping[str, str]) -> Destination:
    """The destination of one connection.

    Raises:
        BadSetting: A setting is missing or out of its bounds.
    """
    return MembersOut(account(settings, secrets))


MANIFEST = Manifest(
    name="onesignal",
    title="OneSignal",
    category="messaging",
    settings=SETTINGS,
    destination=destination,
    check=check,
    form=form,
)
