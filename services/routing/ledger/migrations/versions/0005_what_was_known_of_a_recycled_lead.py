"""What was known of a lead when sales recycled it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of leads that are recycled already, all that is known by now: what is replayed does not qualify them anew.

    Where a worker of the version before recycles a lead after this, nothing is noted, and the lead stays closed.
    """
    op.add_column("assignments", sa.Column("known_as_of", sa.DateTime(timezone=True), nullable=True))
    op.execute("""
        UPDATE assignments SET known_as_of = leads.as_of
        FROM leads WHERE leads.lead_id = assignments.lead_id AND outcome = 'recycled'
    """)


def downgrade() -> None:
    """Drop it."""
    op.drop_column("assignments", "known_as_of")
