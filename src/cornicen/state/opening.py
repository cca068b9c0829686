"""Opens the state: the one entry point of this room."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cornicen.state.cohorts import Cohorts
from cornicen.state.connections import Connections
from cornicen.state.database import Database
from cornicen.state.leases import Leases
from cornicen.state.ledger.ledger import Ledger
from cornicen.state.migrating import migrate
from cornicen.state.notices import Notices
from cornicen.state.places import Places
from cornicen.state.projects import Projects
from cornicen.state.recipients import Recipients
from cornicen.state.runs import Runs
from cornicen.state.syncs import Syncs
from cornicen.state.vault import Vault


@dataclass(frozen=True)
class SqlState:
    """`cornicen.flows.ports.State` in a database.

    Any number of processes and threads may have it open; each call is one transaction of its own.
    """

    database: Database
    projects: Projects
    connections: Connections
    cohorts: Cohorts
    syncs: Syncs
    runs: Runs
    recipients: Recipients
    places: Places
    ledger: Ledger
    leases: Leases
    notices: Notices

    def close(self) -> None:
        """Close the database. Twice: does nothing."""
        self.database.close()


def open_state(where: Path | str, key: bytes) -> SqlState:
    """Open the state database, made or brought to the present schema where needed.

    Args:
        where: The path of an SQLite file, made when missing, or a PostgreSQL or SQLAlchemy URL.
        key: What encrypts credentials: one Fernet key a line; the first encrypts, all decrypt.

    Raises:
        BadSetting: The key is none, the URL is none, or the database's driver is not installed.
        Damaged: The file is no database of ours, or a newer Cornicen made it.
        Unavailable: The database does not answer.

    Twice: two views of the same state.
    """
    vault, database = Vault(key), Database(where)
    migrate(database)
    return SqlState(
        database,
        Projects(database),
        Connections(database, vault),
        Cohorts(database),
        Syncs(database),
        Runs(database),
        Recipients(database),
        Places(database),
        Ledger(database),
        Leases(database),
        Notices(database),
    )
