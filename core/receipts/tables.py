"""The table of receipts. A revision in `core/storage/versions/` changes it."""

from __future__ import annotations

import sqlalchemy as sa

from core.conversation.tables import conversations

tables = sa.MetaData()
receipts = sa.Table(
    "receipts",
    tables,
    sa.Column("id", sa.String(64), primary_key=True),
    # The receipt is deleted with it. Null: it has days of its own. `turns.receipt` leads to the exchange either way.
    sa.Column("conversation", sa.ForeignKey(conversations.c.id, ondelete="CASCADE"), index=True),
    sa.Column("at", sa.Float, nullable=False, index=True),  # seconds since 1970
    sa.Column("receipt", sa.Text, nullable=False),  # JSON of Receipt
)
