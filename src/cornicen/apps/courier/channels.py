"""Over what people are told: a webhook that Slack understands, and mail."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from cornicen.apps.addresses import webhook
from cornicen.apps.home import Home, Settings
from cornicen.errors import BadSetting, Unavailable
from cornicen.flows.ports import Channel, Notice, Sender
from cornicen.flows.projects.settings import resolve
from cornicen.wire.http import Reply, Request
from cornicen.wire.mail import Security, Server, post

WITHIN = 10.0
"""Seconds that a webhook gets to answer."""

_SLACK = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
"""The three characters by which Slack knows links and mentions (its page on formatting text, read 2026-08)."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Webhook:
    """Posts ``{"text": …}``, as Slack's incoming webhooks take it.

    Args:
        url: Where; a secret.
        sender: Sends.
    """

    url: str = field(repr=False)
    sender: Sender

    async def tell(self, notice: Notice) -> None:
        """Say it. Raises: Unavailable where the answer is no 2xx. Twice: says it twice."""
        body = json.dumps({"text": slack_text(notice)}, ensure_ascii=False).encode()
        request = Request("POST", self.url, {"Content-Type": "application/json; charset=utf-8"}, body)
        result = await self.sender.send(request, timeout=WITHIN)
        if isinstance(result, Reply):
            if 200 <= result.status < 300:
                return
            why = f"it answers {result.status}"
        else:
            why = result.why
        raise Unavailable(f"The webhook did not take the notice: {why}.", "Check notify_webhook.")


def slack_text(notice: Notice) -> str:
    """What Slack shows: nothing in it links or mentions, whatever a destination wrote. Pure."""
    return f"*{notice.subject.translate(_SLACK)}*\n{notice.text.translate(_SLACK)}"


@dataclass(frozen=True)
class Mail:
    """Sends a plain text.

    Args:
        server: Which takes it.
        sender: The address it is from.
        to: Addresses; at least one.
    """

    server: Server
    sender: str
    to: Sequence[str]

    async def tell(self, notice: Notice) -> None:
        """Say it. Raises: Unavailable. Twice: two mails of one Message-ID, which a reader may show once."""
        await post(self.server, self.message(notice))

    def message(self, notice: Notice) -> EmailMessage:
        """The mail. Pure."""
        message = EmailMessage(policy=SMTP)
        message["From"], message["To"] = self.sender, ", ".join(self.to)
        message["Subject"] = notice.subject
        message["Date"] = format_datetime(_EPOCH + timedelta(microseconds=notice.made_at))
        message["Message-ID"] = f"<{notice.sync}.{notice.id}.{notice.made_at}@{self.sender.rpartition('@')[2].rstrip('>')}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(f"{notice.subject}\n\n{notice.text}\n")
        return message


def channels(home: Home, sender: Sender, environment: Mapping[str, str]) -> dict[str, Channel]:
    """The channels that a home's settings ask for, by name.

    Args:
        home: Relative ``file:`` references start at its folder.
        sender: For the webhook.
        environment: Where ``env:`` looks.

    Raises:
        BadSetting: A reference leads nowhere, or mail is asked for without all it takes.
    """
    settings, found = home.settings, dict[str, Channel]()
    if settings.notify_webhook:
        found["webhook"] = Webhook(_address(home, environment), sender)
    if settings.notify_mail_to:
        password = _referred(home, "smtp_password", settings.smtp_password, environment) if settings.smtp_password else ""
        found["mail"] = _mail(settings, password)
    return found


def _address(home: Home, environment: Mapping[str, str]) -> str:
    given = home.settings.notify_webhook
    if given.startswith(("http://", "https://")):
        return given
    address = _referred(home, "notify_webhook", given, environment)
    if not address.startswith(("http://", "https://")):
        raise BadSetting("notify_webhook leads to no address.", "Let it hold the webhook's address alone, on one line.")
    try:
        return webhook(address)
    except BadSetting as error:
        raise BadSetting(f"notify_webhook {error.what}", error.fix) from None


def _mail(settings: Settings, password: str) -> Mail:
    if not settings.smtp_host or not settings.notify_mail_from:
        raise BadSetting("Mail needs a server and an address it is from.", "Set smtp_host and notify_mail_from as well.")
    if bool(settings.smtp_user) != bool(password):
        raise BadSetting("A mail server's user comes with a password.", "Set both smtp_user and smtp_password, or neither.")
    security = Security(settings.smtp_security)
    if password and security is Security.NONE:
        raise BadSetting("The mail password would leave in the clear.", 'Set smtp_security to "starttls" or "tls".')
    server = Server(settings.smtp_host, settings.smtp_port, security, settings.smtp_user, password)
    return Mail(server, settings.notify_mail_from, settings.notify_mail_to)


def _referred(home: Home, name: str, reference: str, environment: Mapping[str, str]) -> str:
    try:
        return resolve(reference, home.path, environment)
    except BadSetting as error:
        raise BadSetting(f"{name} {error.what}", error.fix) from None
