"""Who delivers for a connection, and which couriers there are."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Two tables, empty at first."""
    op.create_table(
        "lease",
        sa.Column("connection", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("term", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["connection"], ["connection.number"], name=op.f("fk_lease_connection")),
        sa.PrimaryKeyConstraint("connection", name=op.f("pk_lease")),
    )
    op.create_table(
        "courier",
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("holder", name=op.f("pk_courier")),
    )
