"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "assignments",
        sa.Column("assignment_id", sa.Text(), nullable=False),
        sa.Column("lead_id", sa.Text(), nullable=False),
        sa.Column("qualification", sa.BigInteger(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("rep", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("turn", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("declined", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("escalated", sa.Boolean(), nullable=False),
        sa.Column("respond_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lane", sa.BigInteger(), nullable=False),
        sa.Column("routed", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("outcome_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("assignment_id", name=op.f("pk_assignments")),
        sa.UniqueConstraint("lead_id", "qualification", name=op.f("uq_assignments_lead_id_qualification")),
    )
    op.create_index("ix_assignments_created_at", "assignments", ["created_at", "assignment_id"], unique=False)
    op.create_index(
        "ix_assignments_due",
        "assignments",
        ["respond_by"],
        unique=False,
        postgresql_where=sa.text("status = 'offered' AND respond_by IS NOT NULL"),
    )
    op.create_index(
        "ix_assignments_open_offers",
        "assignments",
        ["queue"],
        unique=False,
        postgresql_where=sa.text("status = 'offered'"),
    )
    op.create_index("ix_assignments_rep_status", "assignments", ["rep", "status"], unique=False)
    op.create_index(
        "ix_assignments_waiting",
        "assignments",
        ["queue", "entered_at"],
        unique=False,
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.create_table(
        "leads",
        sa.Column("lead_id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("lead_id", name=op.f("pk_leads")),
    )
    op.create_index(op.f("ix_leads_email"), "leads", ["email"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("lane", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=True),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.Column("headers", sa.LargeBinary(), nullable=False),
        sa.Column("partition", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("lane", "sequence", name=op.f("uq_outbox_lane_sequence")),
    )
    op.create_table(
        "outbox_lanes",
        sa.Column("lane", sa.BigInteger(), nullable=False),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("lane", name=op.f("pk_outbox_lanes")),
    )
    op.create_table(
        "outcomes",
        sa.Column("outcome_id", sa.Text(), nullable=False),
        sa.Column("lead_id", sa.Text(), nullable=False),
        sa.Column("assignment_id", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("outcome_id", name=op.f("pk_outcomes")),
    )
    op.create_index(op.f("ix_outcomes_lead_id"), "outcomes", ["lead_id"], unique=False)
    op.create_table(
        "positions",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.BigInteger(), nullable=False),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition", name=op.f("pk_positions")),
    )
    op.create_table(
        "queues",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("turn", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("given", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("seats", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("had", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("last", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queues")),
    )
    op.create_table(
        "relay_positions",
        sa.Column("lane", sa.BigInteger(), nullable=False),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("lane", name=op.f("pk_relay_positions")),
    )
    op.create_table(
        "reps",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("open", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("taken", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("away", sa.Text(), nullable=True),
        sa.Column("away_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reps")),
    )
    op.create_table(
        "rosters",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_rosters")),
    )
    op.create_table(
        "suppressions",
        sa.Column("lead_id", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("rules_hash", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("lead_id", name=op.f("pk_suppressions")),
    )
    op.create_table(
        "assignment_events",
        sa.Column("assignment_id", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("rep", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["assignment_id"], ["assignments.assignment_id"], name=op.f("fk_assignment_events_assignment_id")
        ),
        sa.PrimaryKeyConstraint("assignment_id", "sequence", name=op.f("pk_assignment_events")),
    )
    op.create_table(
        "decisions",
        sa.Column("assignment_id", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("decision", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["assignment_id"], ["assignments.assignment_id"], name=op.f("fk_decisions_assignment_id")
        ),
        sa.PrimaryKeyConstraint("assignment_id", "sequence", name=op.f("pk_decisions")),
    )
    op.create_table(
        "ledger_identity",
        sa.Column("id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_identity")),
    )
    op.execute("INSERT INTO ledger_identity (id) VALUES (gen_random_uuid()::text)")


def downgrade() -> None:
    """Drop them."""
    op.drop_table("ledger_identity")
    op.drop_table("decisions")
    op.drop_table("assignment_events")
    op.drop_table("suppressions")
    op.drop_table("rosters")
    op.drop_table("reps")
    op.drop_table("relay_positions")
    op.drop_table("queues")
    op.drop_table("positions")
    op.drop_index(op.f("ix_outcomes_lead_id"), table_name="outcomes")
    op.drop_table("outcomes")
    op.drop_table("outbox_lanes")
    op.drop_table("outbox")
    op.drop_index(op.f("ix_leads_email"), table_name="leads")
    op.drop_table("leads")
    op.drop_index("ix_assignments_waiting", table_name="assignments", postgresql_where=sa.text("status = 'waiting'"))
    op.drop_index("ix_assignments_rep_status", table_name="assignments")
    op.drop_index(
        "ix_assignments_open_offers", table_name="assignments", postgresql_where=sa.text("status = 'offered'")
    )
    op.drop_index(
        "ix_assignments_due",
        table_name="assignments",
        postgresql_where=sa.text("status = 'offered' AND respond_by IS NOT NULL"),
    )
    op.drop_index("ix_assignments_created_at", table_name="assignments")
    op.drop_table("assignments")
