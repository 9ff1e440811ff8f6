"""Which topic the positions are of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Positions that are there count for the topics that are found at the next start."""
    op.create_table(
        "sources",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("topic", name="pk_sources"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("sources")
