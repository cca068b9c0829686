"""What was learnt about recipients by asking, and how many persons a run's identifier does not agree with."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Nothing was learnt so far, and nobody counted."""
    op.add_column("run", sa.Column("differing", sa.BigInteger(), server_default="0", nullable=False))
    op.create_table(
        "place",
        sa.Column("connection", sa.BigInteger(), nullable=False),
        sa.Column("identifier", sa.String(), nullable=False),
        sa.Column("user", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["connection"], ["connection.number"], name=op.f("fk_place_connection")),
        sa.PrimaryKeyConstraint("connection", "identifier", name=op.f("pk_place")),
        sqlite_with_rowid=False,
    )
