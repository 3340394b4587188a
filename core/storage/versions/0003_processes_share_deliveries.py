"""The bots' processes and their leases, and what a delivery needs when several processes share it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "bot_processes",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("platform", sa.String(16), nullable=False),
        sa.Column("expires_at", sa.Float, nullable=False),
    )
    op.add_column("deliveries", sa.Column("adopted", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("deliveries", sa.Column("signal", sa.String(16)))
