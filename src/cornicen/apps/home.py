"""The home: one folder that holds everything one Cornicen keeps, and its settings.

::

    DIR/
      cornicen.toml       settings, made by `cornicen init`, yours to edit
      secret.key          encrypts credentials at rest; keep it out of backups of state.db
      state.db            what was decided, unless `database` names a PostgreSQL database
      projects/<id>/      one project's events: warehouse and spool
      imports/            how far each `cornicen import` has come
      run/                locks, addresses and sockets of the running roles
      runs/               audit files: everybody a run was about, and what became of each
      cohorts/ syncs.yml  the project folder that `cornicen apply` reads by default
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet

from cornicen.apps import addresses
from cornicen.errors import BadFolder, BadSetting, Fault, NotFound

SETTINGS_FILE = "cornicen.toml"
LONGEST_SOCKET_PATH = 100  # sun_path holds 108 bytes on Linux, 104 on macOS
LEAST = {"doors": 1, "spool_bytes": 1_000_000, "key_memory": 1_000_000, "retention_days": 0, "audit_days": 0, "smtp_port": 1}
"""The smallest number that a setting may be."""


@dataclass(frozen=True)
class Settings:
    """What ``cornicen.toml`` says; every key is optional there.

    Args:
        schedule: Whether the keeper evaluates syncs when they are due; False: only when asked (`cornicen sync run`).
        spool_bytes: How many bytes may wait in a project's spool before its door answers 429.
        keeper_memory: What the warehouse may use, as DuckDB writes it.
        key_memory: Bytes for the keys by which repeated events are found, eight each; what is beyond lies in files that the
            system may hold in memory.
        retention_days: How many whole UTC days of events are kept; 0: all.
        audit_days: How many days the audit files of runs are kept; 0: none is written.
        doors: How many processes take records side by side; each counts for itself what `throttle` limits.
        throttle: Whether the door limits how fast one user or device may send, as Amplitude does; False: nobody is too fast.
        listen_capture: Where `cornicen up` takes records, ``HOST:PORT``.
        listen_console: Where it shows its pages; the same place: one listener for both.
        public_url: What senders call the capture listener, e.g. ``https://events.example.com``; empty: its own address.
        trusted_proxies: Addresses and networks whose ``X-Forwarded-For`` is believed; nobody's otherwise, not even the
            machine's own.
        notify_webhook: Where people are told how syncs do: an address that takes Slack's ``{"text": …}``, or ``env:NAME`` or
            ``file:PATH`` of it; empty: nowhere.
        notify_mail_to: Mail addresses that are told, over `smtp_host`; nobody's otherwise.
        notify_mail_from: The address these mails are from.
        smtp_host: The mail server.
        smtp_port: Where it listens.
        smtp_security: How the line to it is kept secret: ``starttls``, ``tls`` or ``none``.
        smtp_user: As whom to log in there; empty: not at all.
        smtp_password: Likewise, as ``env:NAME`` or ``file:PATH``.
        database: Where the PostgreSQL database is that holds what was decided: ``env:NAME`` or ``file:PATH`` of its URL; empty:
            the file ``state.db``.
        clock: A clock file for tests; empty: the machine's clock.
    """

    schedule: bool = True
    spool_bytes: int = 8_000_000_000
    keeper_memory: str = "4GB"
    key_memory: int = 512 << 20
    retention_days: int = 0
    audit_days: int = 90
    doors: int = 1
    throttle: bool = False
    listen_capture: str = "127.0.0.1:8585"
    listen_console: str = "127.0.0.1:8585"
    public_url: str = ""
    trusted_proxies: tuple[str, ...] = ()
    notify_webhook: str = ""
    notify_mail_to: tuple[str, ...] = ()
    notify_mail_from: str = ""
    smtp_host: str = ""
    smtp_port: int = 587
    smtp_security: str = "starttls"
    smtp_user: str = ""
    smtp_password: str = ""
    database: str = ""
    clock: str = ""


TEMPLATE = """\
# Settings of this Cornicen home. Each line shows its default.

# Evaluate syncs when they are due; false: only when `cornicen sync run` asks.
# schedule = true

# How many bytes may wait in a project's spool before its door asks senders to come back later.
# spool_bytes = 8000000000

# Memory for the warehouse.
# keeper_memory = "4GB"

# Bytes for the keys by which repeated events are found (eight each); what is beyond lies in files.
# key_memory = 536870912

# How many whole days of events are kept; 0: all. Later than that an event is refused.
# retention_days = 0

# How many days the audit files of runs (`runs/`, a line a person) are kept; 0: none is written.
# audit_days = 90

# How many processes take records side by side; one takes some ten thousand events a second.
# doors = 1

# Answer one user or device that sends too fast to Amplitude's paths as Amplitude does: try again later.
# throttle = false

# Where `cornicen up` takes records, and where it shows its pages.
# listen_capture = "127.0.0.1:8585"
# listen_console = "127.0.0.1:8585"

# What senders call this house when a proxy stands in front of it, e.g. "https://events.example.com".
# public_url = ""

# Proxies whose X-Forwarded-For is believed: addresses or networks, e.g. ["127.0.0.1", "10.0.0.0/24"].
# trusted_proxies = []

# Who is told once when a sync is failing, held or late, and once when it is fine again: a webhook that Slack understands, which
# may be secret ("env:NAME" or "file:PATH", from this folder), and mail.
# notify_webhook = ""
# notify_mail_to = []
# notify_mail_from = ""

# The mail server; security is "starttls", "tls" or "none"; the password is "env:NAME" or "file:PATH".
# smtp_host = ""
# smtp_port = 587
# smtp_security = "starttls"
# smtp_user = ""
# smtp_password = ""

# The PostgreSQL database that holds what was decided, in place of state.db: where its URL is to be found, "env:NAME" or
# "file:PATH".
# database = ""
"""


@dataclass(frozen=True)
class Home:
    """A home on disk.

    Args:
        path: The folder, absolute.
        settings: As its file says.
    """

    path: Path
    settings: Settings

    @classmethod
    def find(cls, path: Path | str | None = None) -> Home:
        """Open a home: the one given, else ``CORNICEN_HOME``, else the current folder.

        Raises:
            NotFound: There is none.
            BadFolder: Its settings are wrong; all faults at once.
        """
        folder = Path(path or os.environ.get("CORNICEN_HOME") or ".").resolve()
        if not (folder / SETTINGS_FILE).is_file():
            raise NotFound(f"{folder} is no Cornicen home.", "Make one with `cornicen init DIR`, or name it with --home DIR.")
        return cls(folder, _read(folder / SETTINGS_FILE))

    @classmethod
    def make(cls, path: Path | str, settings: str = "") -> Home:
        """Make the folder, its settings and its key.

        Args:
            path: New or empty of a home.
            settings: Lines to add to the settings file.

        Raises:
            BadSetting: It is a home already.

        Twice: refuses.
        """
        folder = Path(path).resolve()
        if (folder / SETTINGS_FILE).exists():
            raise BadSetting(f"{folder} is a Cornicen home already.", "Choose another folder, or go on with this one.")
        folder.mkdir(parents=True, exist_ok=True)
        for part in ("projects", "run", "cohorts"):
            (folder / part).mkdir(exist_ok=True)
        key = os.open(folder / "secret.key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(key, "wb") as file:
            file.write(Fernet.generate_key())
        (folder / SETTINGS_FILE).write_text(TEMPLATE + settings)
        return cls.find(folder)

    @property
    def state_path(self) -> Path:
        """The state database, where it is a file."""
        return self.path / "state.db"

    def state_database(self, environment: Mapping[str, str]) -> str:
        """Where the state database is: a path, or the PostgreSQL URL that the setting `database` leads to.

        Args:
            environment: Of the process.

        Raises:
            BadSetting: It leads nowhere, or to something that is no PostgreSQL URL; what that is is never repeated.
        """
        if not self.settings.database:
            return str(self.state_path)
        from cornicen.flows.projects.settings import resolve

        try:
            url = resolve(self.settings.database, self.path, environment)
        except BadSetting as error:
            raise BadSetting(f"The setting `database` {error.what}", error.fix) from None
        if not url.startswith(("postgresql://", "postgres://")):
            what = "The setting `database` leads to something that is no PostgreSQL URL."
            raise BadSetting(what, "Let it hold postgresql://USER:PASSWORD@HOST/DATABASE.")
        return url

    @property
    def key(self) -> bytes:
        """The key that encrypts credentials; one key a line, the first encrypts. Raises: BadSetting."""
        try:
            return (self.path / "secret.key").read_bytes()
        except OSError as error:
            raise BadSetting(f"{self.path / 'secret.key'} cannot be read.", "Restore it: credentials need it.") from error

    def project_folder(self, project: str) -> Path:
        """One project's events."""
        return self.path / "projects" / project

    @property
    def run_folder(self) -> Path:
        """Locks, addresses and sockets of the running roles."""
        return self.path / "run"

    @property
    def audits_folder(self) -> Path:
        """The audit files of runs."""
        return self.path / "runs"

    def socket(self, project: str) -> Path:
        """Where the project's keeper answers; in a folder for temporary files when the home's path is too long for a socket.

        The one named by the environment may be too long itself; then it is the system's.
        """
        path = self.run_folder / f"keeper-{project[:12]}.sock"
        if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
            return path
        name = f"{hashlib.sha256(os.fsencode(path)).hexdigest()[:24]}.sock"
        folders = [Path(where) / f"cornicen-{os.getuid()}" for where in (tempfile.gettempdir(), "/tmp")]  # noqa: S108 - made 0700
        folder = next((one for one in folders if len(os.fsencode(one / name)) <= LONGEST_SOCKET_PATH), folders[-1])
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder / name


def _read(path: Path) -> Settings:
    try:
        document = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise BadFolder(f"{path} is no TOML.", [Fault(path.name, f"{error}.")]) from error
    known = {field.name: type(field.default) for field in fields(Settings)}
    given: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in document.items()}
    faults = [fault for name, value in given.items() for fault in _faults(path.name, name, value, known)]
    if faults:
        raise BadFolder(f"The settings in {path} are wrong.", faults)
    return Settings(**given)


_READERS: Mapping[str, Callable[[str], object]] = {
    "listen_capture": addresses.place,
    "listen_console": addresses.place,
    "public_url": lambda text: text and addresses.origin(text),
    "trusted_proxies": addresses.network,
    "notify_webhook": addresses.webhook,
    "notify_mail_to": addresses.mailbox,
    "notify_mail_from": addresses.mailbox,
    "smtp_security": addresses.security,
    "smtp_password": addresses.reference,
    "database": addresses.reference,
}
"""What the text of a setting, or of each of its items, must be."""


def _faults(file: str, name: str, value: object, known: Mapping[str, type]) -> list[Fault]:
    """What is wrong with one setting."""
    where = f"{file}: {name}"
    if name not in known:
        near = get_close_matches(name, known, 1)
        return [Fault(where, "is no setting.", f"Did you mean `{near[0]}`?" if near else "")]
    if type(value) is not known[name]:
        return [Fault(where, f"must be a {'list' if known[name] is tuple else known[name].__name__}.")]
    if isinstance(value, int) and value < (least := LEAST.get(name, value)):
        return [Fault(where, f"must be at least {least}.")]
    found = []
    for item in value if isinstance(value, tuple) else [value]:
        try:
            if name in _READERS:
                _READERS[name](str(item))
        except BadSetting as error:
            found.append(Fault(where, error.what, error.fix))
    return found
