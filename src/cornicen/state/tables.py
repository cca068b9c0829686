"""The tables. Times are integer microseconds since 1970 UTC; sets of recipients are serialized roaring bitmaps.

Syncs and connections have short numbers beside their ids: the ledger holds millions of rows, and a number is a tenth of an id.
Nothing here differs between SQLite and PostgreSQL but the type of a number that counts up.
"""

from __future__ import annotations

from enum import IntEnum

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    false,
)

REVISION = "0005"
"""The schema below, as the newest migration names it."""


class Stand(IntEnum):
    """Where a row of the ledger stands."""

    WAITING = 0
    """To be sent when its time comes."""
    FLIGHT = 1
    """A request left and is not settled."""
    SETTLED = 2
    """Nothing is to be sent before the next tick decides anew."""


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

COUNTING = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only in a column of type INTEGER


def _text(name: str) -> Column[str]:
    return Column(name, String, nullable=False, server_default="")


def _count(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0")


project = Table(
    "project",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("token", String, nullable=False, unique=True),
    Column("zone", String, nullable=False),
    Column("managed", String, nullable=False),
    Column("identity", String, nullable=False, server_default="simplified"),
)

service_account = Table(
    "service_account",
    metadata,
    Column("username", String, primary_key=True),
    Column("project", String, ForeignKey("project.id"), nullable=False),
    Column("digest", LargeBinary, nullable=False),
)

connection = Table(
    "connection",
    metadata,
    Column("number", COUNTING, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("project", String, ForeignKey("project.id"), nullable=False),
    Column("slug", String, nullable=False),
    Column("vendor", String, nullable=False),
    Column("settings", JSON, nullable=False),
    Column("secrets", LargeBinary, nullable=False),
    Column("managed", String, nullable=False),
    UniqueConstraint("project", "slug"),
)

cohort = Table(
    "cohort",
    metadata,
    Column("project", String, ForeignKey("project.id"), nullable=False),
    Column("slug", String, nullable=False),
    Column("name", String, nullable=False),
    Column("definition", JSON, nullable=False),
    Column("folder", String, nullable=False),
    Column("managed", String, nullable=False),
    PrimaryKeyConstraint("project", "slug"),
)

sync = Table(
    "sync",
    metadata,
    Column("number", COUNTING, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("project", String, ForeignKey("project.id"), nullable=False),
    Column("cohort", String, nullable=False),
    Column("connection", BigInteger, ForeignKey("connection.number"), nullable=False, index=True),
    Column("cadence", String, nullable=False),
    Column("status", String, nullable=False),
    Column("guard_percent", Float),
    Column("guard_count", BigInteger),
    Column("next_at", BigInteger),
    Column("last_as_of", BigInteger),
    Column("last_load", BigInteger, nullable=False),
    Column("evaluated", String, nullable=False),
    Column("held", Boolean, nullable=False),
    Column("released", Boolean, nullable=False),
    Column("container", JSON, nullable=False),
    Column("words", String, nullable=False),
    Column("what", String, nullable=False),
    Column("fix", String, nullable=False),
    Column("managed", String, nullable=False),
    Column("backdated", Boolean, nullable=False, server_default=false()),
    Index(None, "project"),
)

tick = Table(
    "tick",
    metadata,
    Column("id", COUNTING, primary_key=True),
    Column("project", String, ForeignKey("project.id"), nullable=False),
    Column("as_of", BigInteger, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("ended", BigInteger),
    _count("events"),
    _count("requests"),
    _count("gap"),
    Index(None, "project", "ended"),
)

run = Table(
    "run",
    metadata,
    Column("id", COUNTING, primary_key=True),
    Column("tick", BigInteger, ForeignKey("tick.id"), nullable=False, index=True),
    Column("sync", BigInteger, ForeignKey("sync.number"), nullable=False, index=True),
    Column("status", String, nullable=False),
    _count("size"),
    _count("no_profile"),
    _count("no_id"),
    _count("shared"),
    _count("adding"),
    _count("removing"),
    _count("added"),
    _count("removed"),
    _count("requests"),
    _text("why"),
    Column("others", JSON, nullable=False),
    _count("differing"),
)

sync_set = Table(
    # What a sync's last run that was not held decided, and what has been acknowledged up to the end of the last run that ended.
    "sync_set",
    metadata,
    Column("sync", BigInteger, ForeignKey("sync.number"), primary_key=True, autoincrement=False),
    Column("run", BigInteger, ForeignKey("run.id"), nullable=False),
    Column("desired", LargeBinary, nullable=False),
    Column("acknowledged", LargeBinary, nullable=False),
    Column("open", LargeBinary, nullable=False),  # the recipients that have a row in the ledger
)

recipient = Table(
    "recipient",
    metadata,
    Column("connection", BigInteger, ForeignKey("connection.number"), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("identifier", String, nullable=False),
    PrimaryKeyConstraint("connection", "number"),
    UniqueConstraint("connection", "identifier"),
    sqlite_with_rowid=False,
)

place = Table(
    # What was learnt about recipients that a destination does not know by their identifier alone.
    "place",
    metadata,
    Column("connection", BigInteger, ForeignKey("connection.number"), nullable=False),
    Column("identifier", String, nullable=False),
    Column("user", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("created", Boolean, nullable=False),
    PrimaryKeyConstraint("connection", "identifier"),
    sqlite_with_rowid=False,
)

member = Table(
    # The ledger: one row for each (sync, recipient) of which anything is open.
    "member",
    metadata,
    Column("connection", BigInteger, ForeignKey("connection.number"), nullable=False),
    Column("recipient", BigInteger, nullable=False),
    Column("sync", BigInteger, ForeignKey("sync.number"), nullable=False),
    Column("want", Boolean, nullable=False),
    _count("entered"),  # Unix seconds
    Column("acknowledged", Boolean, nullable=False),
    Column("state", SmallInteger, nullable=False, server_default="0"),
    Column("due", BigInteger, nullable=False),  # nothing is sent for the recipient before, whatever the state
    Column("sent_want", Boolean),
    Column("sent_at", BigInteger),  # null: nothing was ever sent
    Column("doubt", Boolean, nullable=False, server_default=false()),
    _count("attempts"),  # answers in a row that were no definite yes or no
    _count("refusals"),  # refusals in a row
    _text("reason"),  # empty: no refusal since the last yes
    _text("words"),
    Column("refused_until", BigInteger),
    PrimaryKeyConstraint("connection", "recipient", "sync"),  # everything of one recipient lies together
    sqlite_with_rowid=False,
)
# The queue of a sync, by direction; the recipient last, so that rows due together leave in the order of their numbers.
Index("ix_member_queue", member.c.sync, member.c.state, member.c.want, member.c.due, member.c.recipient)
# The rows that say more than the bitmaps do: a first sync of millions has few of them at any time.
Index(
    "ix_member_told",
    member.c.sync,
    sqlite_where=member.c.sent_at.isnot(None),
    postgresql_where=member.c.sent_at.isnot(None),
)

notice = Table(
    "notice",
    metadata,
    Column("id", COUNTING, primary_key=True),
    Column("sync", BigInteger, ForeignKey("sync.number"), nullable=False),
    Column("channel", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("text", String, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("due", BigInteger),  # null: nothing more is to be done
    _count("attempts"),
    Column("said_at", BigInteger),  # null: not yet, or given up
    Index(None, "sync", "channel"),
)

run_delay = Table(
    # How many of a run's changes were acknowledged how long after it began.
    "run_delay",
    metadata,
    Column("run", BigInteger, ForeignKey("run.id"), nullable=False),
    Column("step", BigInteger, nullable=False),  # of the scale in state.delays
    _count("changes"),
    PrimaryKeyConstraint("run", "step"),
    sqlite_with_rowid=False,
)

lease = Table(
    # Who delivers for a connection. Times are the database's own, not a role's.
    "lease",
    metadata,
    Column("connection", BigInteger, ForeignKey("connection.number"), primary_key=True, autoincrement=False),
    Column("holder", String, nullable=False),  # empty: given back
    Column("term", BigInteger, nullable=False),  # one more each time it is taken
    Column("until", BigInteger, nullable=False),
)

courier = Table(
    # The couriers there are, whether they hold a lease or not.
    "courier",
    metadata,
    Column("holder", String, primary_key=True),
    Column("until", BigInteger, nullable=False),
)
