"""Lists of conversations: their titles and pins, the models of answers, and ratings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("conversations", sa.Column("issued_id", sa.String(64)))
    op.add_column("conversations", sa.Column("title", sa.Text))
    op.add_column("conversations", sa.Column("pinned", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_index("ix_conversations_user_key", "conversations", ["user_key"])
    op.add_column("turns", sa.Column("model", sa.String(200)))
    op.create_table(
        "turn_ratings",
        sa.Column("conversation", sa.Integer, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("verdict", sa.String(8), nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("rated_at", sa.Float, nullable=False),
        sa.ForeignKeyConstraint(["conversation", "number"], ["turns.conversation", "turns.number"], ondelete="CASCADE"),
    )
