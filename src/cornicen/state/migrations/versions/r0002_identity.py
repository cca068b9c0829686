"""Each project has its identity rule."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Projects so far had the simplified rule."""
    op.add_column("project", sa.Column("identity", sa.String(), server_default="simplified", nullable=False))
