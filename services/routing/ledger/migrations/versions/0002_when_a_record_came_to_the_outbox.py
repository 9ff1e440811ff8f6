"""When a record came to the outbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Records that wait already count from now."""
    op.add_column(
        "outbox", sa.Column("written_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_column("outbox", "written_at")
