"""What people are told of syncs, how long the changes of a run took, and which runs were about the past."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

COUNTING = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Two tables, empty at first; no run so far is known to have been about the past."""
    op.add_column("sync", sa.Column("backdated", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "notice",
        sa.Column("id", COUNTING, nullable=False),
        sa.Column("sync", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("said_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["sync"], ["sync.number"], name=op.f("fk_notice_sync")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    op.create_index(op.f("ix_notice_sync_channel"), "notice", ["sync", "channel"])
    op.create_table(
        "run_delay",
        sa.Column("run", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("changes", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name=op.f("fk_run_delay_run")),
        sa.PrimaryKeyConstraint("run", "step", name=op.f("pk_run_delay")),
        sqlite_with_rowid=False,
    )
