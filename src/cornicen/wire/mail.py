"""Sends one mail over SMTP, in a thread, and says honestly when nobody took it."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from enum import StrEnum

from cornicen.errors import Unavailable

WITHIN = 10.0
"""Seconds that the server gets for each of its answers."""


class Security(StrEnum):
    """How the line to the server is kept secret."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


@dataclass(frozen=True)
class Server:
    """A mail server.

    Args:
        host: Its name; its certificate must be for it.
        port: Where it listens.
        security: How the line is kept secret.
        user: As whom to log in; empty: not at all.
        password: Likewise.
    """

    host: str
    port: int
    security: Security = Security.STARTTLS
    user: str = ""
    password: str = field(default="", repr=False)


async def post(server: Server, message: EmailMessage) -> None:
    """Send a message to all its recipients.

    Raises:
        Unavailable: The server did not take it, or not for all of them; it is not known whether some got it.

    Twice: sends twice.
    """
    await asyncio.to_thread(_post, server, message)


def _post(server: Server, message: EmailMessage) -> None:
    try:
        with _opened(server) as line:
            if server.security is Security.STARTTLS:
                line.starttls(context=ssl.create_default_context())
            if server.user:
                line.login(server.user, server.password)
            if refused := line.send_message(message):
                raise _failed(server, f"it refuses {len(refused)} of the recipients")
    except (OSError, smtplib.SMTPException) as error:  # smtplib's errors are OSErrors, and may quote what was sent
        raise _failed(server, _why(error)) from None


def _opened(server: Server) -> smtplib.SMTP:
    if server.security is Security.TLS:
        return smtplib.SMTP_SSL(server.host, server.port, timeout=WITHIN, context=ssl.create_default_context())
    return smtplib.SMTP(server.host, server.port, timeout=WITHIN)


def _why(error: Exception) -> str:
    """One short phrase without anything of the message or the credentials."""
    known = next((phrase for kind, phrase in _PHRASES if isinstance(error, kind)), "")
    if known or not isinstance(error, OSError):
        return known or type(error).__name__
    if isinstance(error, smtplib.SMTPResponseException):
        return f"it answers {error.smtp_code}"
    return error.strerror or type(error).__name__


_PHRASES: tuple[tuple[type[Exception], str], ...] = (
    (smtplib.SMTPAuthenticationError, "it refuses the user and password"),
    (smtplib.SMTPRecipientsRefused, "it refuses the recipients"),
    (smtplib.SMTPNotSupportedError, "it offers no STARTTLS or no login"),
    (ssl.SSLError, "its certificate is not trusted, or it speaks no TLS here"),
)


def _failed(server: Server, why: str) -> Unavailable:
    what = f"The mail server {server.host}:{server.port} did not take the mail: {why}."
    return Unavailable(what, "Check the settings that begin with smtp_.")
