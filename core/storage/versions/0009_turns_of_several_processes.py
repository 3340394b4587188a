"""Several processes answer in one conversation, one turn at a time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "turn_claims",
        sa.Column("conversation", sa.String(64), primary_key=True),
        sa.Column("turn", sa.String(32), nullable=False),
        sa.Column("process", sa.String(16), nullable=False),
        sa.Column("signal", sa.String(8)),
    )
    op.create_index("ix_turn_claims_turn", "turn_claims", ["turn"])
    op.create_index("ix_turn_claims_process", "turn_claims", ["process"])
    op.create_table(
        "turn_processes",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("expires_at", sa.Float, nullable=False),
    )
