"""The home: one folder that holds everything one Cornicen keeps, and its settings.

::

    DIR/
      cornicen.toml       settings, made by `cornicen init`, yours to edit
      secret.key          encrypts credentials at rest; keep it out of backups of state.db
      state.db            what was decided
      projects/<id>/      one project's events: warehouse and spool
      run/                locks, addresses and sockets of the running roles
      cohorts/ syncs.yml  the project folder that `cornicen apply` reads by default
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import tomllib
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path

from cryptography.fernet import Fernet

from cornicen.errors import BadFolder, BadSetting, Fault, NotFound

SETTINGS_FILE = "cornicen.toml"
LONGEST_SOCKET_PATH = 100  # sun_path holds 108 bytes on Linux, 104 on macOS
LEAST_SPOOL = 1_000_000


@dataclass(frozen=True)
class Settings:
    """What ``cornicen.toml`` says; every key is optional there.

    Args:
        schedule: Whether the keeper evaluates syncs when they are due; False: only when asked (`cornicen sync run`).
        spool_bytes: How many bytes may wait in a project's spool before its door answers 429.
        keeper_memory: What the warehouse may use, as DuckDB writes it.
        clock: A clock file for tests; empty: the machine's clock.
    """

    schedule: bool = True
    spool_bytes: int = 8_000_000_000
    keeper_memory: str = "4GB"
    clock: str = ""


TEMPLATE = """\
# Settings of this Cornicen home. Each line shows its default.

# Evaluate syncs when they are due; false: only when `cornicen sync run` asks.
# schedule = true

# How many bytes may wait in a project's spool before its door asks senders to come back later.
# spool_bytes = 8000000000

# Memory for the warehouse.
# keeper_memory = "4GB"
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
        """The state database."""
        return self.path / "state.db"

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
    faults = []
    for name, value in document.items():
        if name not in known:
            near = get_close_matches(name, known, 1)
            faults.append(Fault(f"{path.name}: {name}", "is no setting.", f"Did you mean `{near[0]}`?" if near else ""))
        elif type(value) is not known[name]:
            faults.append(Fault(f"{path.name}: {name}", f"must be a {known[name].__name__}."))
    if isinstance(size := document.get("spool_bytes"), int) and size < LEAST_SPOOL:
        faults.append(Fault(f"{path.name}: spool_bytes", f"must be at least {LEAST_SPOOL}."))
    if faults:
        raise BadFolder(f"The settings in {path} are wrong.", faults)
    return Settings(**document)
