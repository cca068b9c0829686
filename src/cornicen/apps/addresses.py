"""Addresses in settings and options: where to listen, what the outside calls us, whose word counts, and whom to tell."""

from __future__ import annotations

from ipaddress import ip_network
from typing import NamedTuple
from urllib.parse import urlsplit

from cornicen.errors import BadSetting
from cornicen.flows.projects.settings import REFERENCE

EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not listened on
"""Hosts that mean every address of the machine, and by which the machine itself reaches them."""


class Place(NamedTuple):
    """Where to listen.

    Args:
        host: A name or an address.
        port: 0: a free one.
    """

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def origin(self) -> str:
        """By what this machine reaches it, e.g. ``http://127.0.0.1:8585``."""
        return f"http://{Place(EVERYWHERE.get(self.host, self.host), self.port)}"


def place(text: str) -> Place:
    """A place from ``HOST:PORT``, an IPv6 address in brackets.

    Raises:
        BadSetting: It is none.
    """
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    bare = host[1:-1] if bracketed else host
    if not colon or not bare or (":" in bare) != bracketed or not _is_port(port):
        raise BadSetting(f"{text!r} is no place to listen at.", "Write it as HOST:PORT, e.g. 127.0.0.1:8585 or [::1]:8585.")
    return Place(bare, int(port))


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and int(text) < 65_536


def origin(text: str) -> str:
    """An address of ours as the outside calls it, e.g. ``https://events.example.com``, without a slash at its end.

    Raises:
        BadSetting: It is no http or https address, or has more than an origin: vendors' paths begin at its root.
    """
    try:
        parts = urlsplit(text)
        plain = bool(parts.hostname) and parts.scheme in {"http", "https"} and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        plain = False
    if not plain or parts.path.strip("/") or parts.query or parts.fragment or not text.isprintable() or " " in text:
        raise BadSetting(f"{text!r} is no public address.", "Write scheme and host only, e.g. https://events.example.com.")
    return text.rstrip("/")


def network(text: str) -> str:
    """An address or a network in text, as it is given.

    Raises:
        BadSetting: It is neither.
    """
    try:
        ip_network(text)
    except ValueError:
        raise BadSetting(f"{text!r} is no address or network.", "Write e.g. 10.0.0.7 or 10.0.0.0/24.") from None
    return text


def mailbox(text: str) -> str:
    """A mail address alone, without a name; as it is given, empty too.

    Raises:
        BadSetting: It is none.
    """
    name, at, domain = text.rpartition("@")
    if text and (not name or not at or not domain or not text.isascii() or any(one in '<>,;:" ' or one < "!" for one in text)):
        raise BadSetting(f"{text!r} is no mail address.", "Write the address alone, e.g. ops@example.com.")
    return text


def security(text: str) -> str:
    """How the line to a mail server is kept secret.

    Raises:
        BadSetting: There is no such way.
    """
    if text not in {"starttls", "tls", "none"}:
        raise BadSetting(f"{text!r} is no way to keep a line secret.", "Write starttls, tls or none.")
    return text


def reference(text: str) -> str:
    """Where a secret is to be found; as it is given, empty too.

    Raises:
        BadSetting: It is no reference. What was given is not repeated: it may be the secret.
    """
    if text and not REFERENCE.fullmatch(text):
        raise BadSetting("is secret and must be given by reference.", "Write `env:NAME` or `file:PATH` instead of the value.")
    return text


def webhook(text: str) -> str:
    """An http or https address, or where it is to be found, as it may be secret; as it is given, empty too.

    Raises:
        BadSetting: It is neither. What was given is not repeated.
    """
    if text.startswith(("http://", "https://")):
        if not text.isascii() or not text.isprintable() or " " in text or not urlsplit(text).hostname:
            raise BadSetting("is no address.", "Write it as the receiver gave it, or by reference: `env:NAME` or `file:PATH`.")
        return text
    return reference(text)
