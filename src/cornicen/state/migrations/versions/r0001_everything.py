"""Everything, from nothing."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

COUNTING = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make all tables."""
    _project()
    _service_account()
    _connection()
    _cohort()
    _sync()
    _tick()
    _run()
    _sync_set()
    _recipient()
    _member()


def _project() -> None:
    op.create_table(
        "project",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("managed", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project")),
        sa.UniqueConstraint("name", name=op.f("uq_project_name")),
        sa.UniqueConstraint("token", name=op.f("uq_project_token")),
    )


def _service_account() -> None:
    op.create_table(
        "service_account",
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["project"], ["project.id"], name=op.f("fk_service_account_project")),
        sa.PrimaryKeyConstraint("username", name=op.f("pk_service_account")),
    )


def _connection() -> None:
    op.create_table(
        "connection",
        sa.Column("number", COUNTING, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("vendor", sa.String(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("secrets", sa.LargeBinary(), nullable=False),
        sa.Column("managed", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["project"], ["project.id"], name=op.f("fk_connection_project")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_connection")),
        sa.UniqueConstraint("id", name=op.f("uq_connection_id")),
        sa.UniqueConstraint("project", "slug", name=op.f("uq_connection_project_slug")),
    )


def _cohort() -> None:
    op.create_table(
        "cohort",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("definition", sa.JSON(), nullable=False),
        sa.Column("folder", sa.String(), nullable=False),
        sa.Column("managed", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["project"], ["project.id"], name=op.f("fk_cohort_project")),
        sa.PrimaryKeyConstraint("project", "slug", name=op.f("pk_cohort")),
    )


def _sync() -> None:
    op.create_table(
        "sync",
        sa.Column("number", COUNTING, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("cohort", sa.String(), nullable=False),
        sa.Column("connection", sa.BigInteger(), nullable=False),
        sa.Column("cadence", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("guard_percent", sa.Float(), nullable=True),
        sa.Column("guard_count", sa.BigInteger(), nullable=True),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("last_as_of", sa.BigInteger(), nullable=True),
        sa.Column("last_load", sa.BigInteger(), nullable=False),
        sa.Column("evaluated", sa.String(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("released", sa.Boolean(), nullable=False),
        sa.Column("container", sa.JSON(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("fix", sa.String(), nullable=False),
        sa.Column("managed", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["connection"], ["connection.number"], name=op.f("fk_sync_connection")),
        sa.ForeignKeyConstraint(["project"], ["project.id"], name=op.f("fk_sync_project")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_sync")),
        sa.UniqueConstraint("id", name=op.f("uq_sync_id")),
    )
    op.create_index(op.f("ix_sync_connection"), "sync", ["connection"])
    op.create_index(op.f("ix_sync_project"), "sync", ["project"])


def _tick() -> None:
    op.create_table(
        "tick",
        sa.Column("id", COUNTING, nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("as_of", sa.BigInteger(), nullable=False),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.Column("events", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("requests", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("gap", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["project"], ["project.id"], name=op.f("fk_tick_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tick")),
    )
    op.create_index(op.f("ix_tick_project_ended"), "tick", ["project", "ended"])


def _run() -> None:
    op.create_table(
        "run",
        sa.Column("id", COUNTING, nullable=False),
        sa.Column("tick", sa.BigInteger(), nullable=False),
        sa.Column("sync", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("no_profile", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("no_id", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("shared", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("adding", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("removing", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("added", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("removed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("requests", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("why", sa.String(), server_default="", nullable=False),
        sa.Column("others", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["sync"], ["sync.number"], name=op.f("fk_run_sync")),
        sa.ForeignKeyConstraint(["tick"], ["tick.id"], name=op.f("fk_run_tick")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    op.create_index(op.f("ix_run_sync"), "run", ["sync"])
    op.create_index(op.f("ix_run_tick"), "run", ["tick"])


def _sync_set() -> None:
    op.create_table(
        "sync_set",
        sa.Column("sync", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("run", sa.BigInteger(), nullable=False),
        sa.Column("desired", sa.LargeBinary(), nullable=False),
        sa.Column("acknowledged", sa.LargeBinary(), nullable=False),
        sa.Column("open", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name=op.f("fk_sync_set_run")),
        sa.ForeignKeyConstraint(["sync"], ["sync.number"], name=op.f("fk_sync_set_sync")),
        sa.PrimaryKeyConstraint("sync", name=op.f("pk_sync_set")),
    )


def _recipient() -> None:
    op.create_table(
        "recipient",
        sa.Column("connection", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("identifier", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["connection"], ["connection.number"], name=op.f("fk_recipient_connection")),
        sa.PrimaryKeyConstraint("connection", "number", name=op.f("pk_recipient")),
        sa.UniqueConstraint("connection", "identifier", name=op.f("uq_recipient_connection_identifier")),
        sqlite_with_rowid=False,
    )


def _member() -> None:
    op.create_table(
        "member",
        sa.Column("connection", sa.BigInteger(), nullable=False),
        sa.Column("recipient", sa.BigInteger(), nullable=False),
        sa.Column("sync", sa.BigInteger(), nullable=False),
        sa.Column("want", sa.Boolean(), nullable=False),
        sa.Column("entered", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("acknowledged", sa.Boolean(), nullable=False),
        sa.Column("state", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("sent_want", sa.Boolean(), nullable=True),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("doubt", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("refusals", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reason", sa.String(), server_default="", nullable=False),
        sa.Column("words", sa.String(), server_default="", nullable=False),
        sa.Column("refused_until", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["connection"], ["connection.number"], name=op.f("fk_member_connection")),
        sa.ForeignKeyConstraint(["sync"], ["sync.number"], name=op.f("fk_member_sync")),
        sa.PrimaryKeyConstraint("connection", "recipient", "sync", name=op.f("pk_member")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_member_queue", "member", ["sync", "state", "want", "due", "recipient"])
    op.create_index(
        "ix_member_told",
        "member",
        ["sync"],
        sqlite_where=sa.text("sent_at IS NOT NULL"),
        postgresql_where=sa.text("sent_at IS NOT NULL"),
    )
