"""One receiver: where it listens, who we are to it, and how a request to it looks."""

from __future__ import annotations

import ipaddress
import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from cornicen.errors import BadSetting
from cornicen.flows.vendors import Setting
from cornicen.integrations.webhook import limits
from cornicen.wire.http import Request

SETTINGS = (
    Setting("url", "Address", "Where your receiver takes POST requests (http only on this machine).", "url"),
    Setting("username", "User name", "For Basic auth, if your receiver asks for it.", default="", secret=True),
    Setting("password", "Password", "For Basic auth, if your receiver asks for it.", default="", secret=True),
    Setting(
        "identifier",
        "User ID property",
        "The profile property by which your receiver knows people; people without it are not exported.",
        default="distinct_id",
    ),
    Setting(
        "project_id",
        "Project ID",
        "What is sent as `mixpanel_project_id`; receivers keep the cohorts of different projects apart.",
        default="cornicen",
    ),
    Setting(
        "page_size",
        "Members a request",
        "At most 1,000, which is what receivers are told to expect; fewer if yours is slow.",
        "number",
        limits.PAGE_MOST,
        least=1,
        most=limits.PAGE_MOST,
    ),
    Setting(
        "rate",
        "Requests per second",
        "Pages follow one another, and never faster than this.",
        "number",
        limits.RATE_DEFAULT,
        least=0.1,
        most=limits.RATE_MOST,
    ),
    Setting(
        "timeout",
        "Time-out",
        "Seconds an answer is waited for; a page whose answer is lost is repeated no earlier than so long after it was sent.",
        "number",
        limits.TIMEOUT_DEFAULT,
        least=1,
        most=limits.TIMEOUT_MOST,
    ),
    Setting(
        "retried",
        "Also temporary",
        "HTTP statuses from 400 to 499 that your receiver uses for what heals by itself, e.g. `404 409`: the page is repeated, "
        "where such a status would stop the sync.",
        default="",
    ),
)

FIELDS = {"$email": "email", "$phone": "phone_number"}
"""What the protocol calls these properties of a member; others go under their own name."""

_NAMES = frozenset({"distinct_id", "$user_id", "amplitude_user_id"})


@dataclass(frozen=True)
class Account:
    """A receiver, its settings checked.

    Args:
        url: Where it listens.
        user: ``name:password`` for Basic auth; in no text that leaves here but the Authorization header. "": none.
        identifier: The property whose value a member is known by.
        project: As it is told to the receiver.
        page: Members a request.
        rate: Requests per second.
        timeout: Seconds.
        retried: More statuses after which the same is sent again.
    """

    url: str
    user: str = field(repr=False)
    identifier: str
    project: str
    page: int
    rate: float
    timeout: float
    retried: frozenset[int]

    @property
    def host(self) -> str:
        """Its name for people."""
        return urlsplit(self.url).netloc

    def request(self, action: str, parameters: Mapping[str, object], identifiers: Sequence[str]) -> Request:
        """A request as the protocol has it; it is whole in itself: page 1 of 1."""
        body = {
            "action": action,
            "parameters": {
                "mixpanel_project_id": self.project,
                **parameters,
                "page_info": {"total_pages": 1, "page_count": 1},
                "members": [self._member(identifier) for identifier in identifiers],
            },
        }
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self.user:
            headers["Authorization"] = "Basic " + b64encode(self.user.encode()).decode()
        return Request("POST", self.url, headers, json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())

    def without_secrets(self, words: str) -> str:
        """A receiver's words without what it may have repeated of its credentials."""
        for secret in (self.user, self.user.partition(":")[2]):
            words = words.replace(secret, "[secret]") if secret else words
        return words

    def _member(self, identifier: str) -> dict[str, str]:
        member = {"mixpanel_distinct_id": identifier}
        if self.identifier not in _NAMES:
            member[FIELDS.get(self.identifier, self.identifier)] = identifier
        return member


def account(settings: Mapping[str, object], secrets: Mapping[str, str]) -> Account:
    """Check the settings of a connection.

    Raises:
        BadSetting: One is missing or out of its bounds; it is named, a secret is not shown.
    """
    given = {setting.name: settings.get(setting.name, setting.default) for setting in SETTINGS if not setting.secret}
    return Account(
        url=_url(given["url"]),
        user=_user(secrets.get("username", ""), secrets.get("password", "")),
        identifier=_text("identifier", given["identifier"]),
        project=_text("project_id", given["project_id"]),
        page=int(_number("page_size", given["page_size"])),
        rate=_number("rate", given["rate"]),
        timeout=_number("timeout", given["timeout"]),
        retried=_statuses(given["retried"]),
    )


def _user(name: str, password: str) -> str:
    if ":" in name:
        raise BadSetting("`username` holds a colon, which ends it in Basic auth.", "Give the part before the colon alone.")
    return f"{name}:{password}" if name or password else ""


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise BadSetting(f"`{name}` must be a text, not {value!r}.", "Leave it out for its default.")
    return value


def _number(name: str, value: object) -> float:
    setting = next(setting for setting in SETTINGS if setting.name == name)
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if number is None or setting.least is None or setting.most is None or not setting.least <= number <= setting.most:
        raise BadSetting(f"`{name}` must be a number from {setting.least:g} to {setting.most:g}, not {value!r}.", setting.help)
    return float(number)


def _statuses(value: object) -> frozenset[int]:
    words = re.split(r"[\s,]+", str(value).strip()) if str(value).strip() else []
    if not all(re.fullmatch(r"4\d\d", word) for word in words):
        raise BadSetting(f"`retried` must be statuses from 400 to 499, not {value!r}.", "Write them with spaces: 404 409.")
    return frozenset(map(int, words))


def _url(value: object) -> str:
    try:
        parts = urlsplit(str(value))
        host = parts.hostname or ""
        host.encode("idna")
        _ = parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    if parts.scheme not in {"http", "https"} or not host or parts.username or parts.query or parts.fragment:
        raise BadSetting(f"`url` must be an https address, not {value!r}.", "Give the address of your receiver.")
    if parts.scheme == "http" and not _loopback(host):
        raise BadSetting(
            f"`url` may use http only on this machine, not at {host}: people's ids would travel in the clear.", "Use https."
        )
    return str(value)


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
