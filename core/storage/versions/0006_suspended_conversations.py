"""When questions were asked, and the deleted conversations that the model process has yet to forget."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "forgotten_states",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("forgotten_at", sa.Float, nullable=False),
    )
    op.create_index("ix_forgotten_states_forgotten_at", "forgotten_states", ["forgotten_at"])
    op.add_column("turns", sa.Column("asked_at", sa.Float))
