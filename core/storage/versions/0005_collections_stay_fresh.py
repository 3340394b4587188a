"""When collections of facts were synchronised, and who added a document."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "fact_refreshes",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("succeeded_at", sa.Float),
        sa.Column("failed_at", sa.Float),
        sa.Column("problem", sa.Text),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("retry_at", sa.Float),
        sa.Column("holder", sa.String(16)),
        sa.Column("held_until", sa.Float),
        sa.Column("origins", sa.Text, nullable=False),
    )
    op.add_column("fact_documents", sa.Column("added_by", sa.String(64)))
