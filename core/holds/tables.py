"""The tables of holds."""

from __future__ import annotations

import sqlalchemy as sa

from core.storage.encryption import EncryptedText

tables = sa.MetaData()
holds = sa.Table(
    "record_holds",
    tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("placed_at", sa.Float, nullable=False),  # seconds since 1970, as in the other tables
    sa.Column("who", sa.Text, nullable=False),  # the administrator
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),  # "user 3f2a…" or "conversation 9c01…"
    sa.Column("from_at", sa.Float, nullable=False),  # what was used since then is held; 0: everything
    sa.Column("released_at", sa.Float),
    sa.Column("released_by", sa.Text),
)
# The SHA-256 of an owner, of an author on a platform, or of a conversation's id.
hold_keys = sa.Table(
    "record_hold_keys",
    tables,
    sa.Column("hold", sa.ForeignKey("record_holds.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("key", sa.String(64), primary_key=True, index=True),
)
held_copies = sa.Table(
    "held_copies",
    tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),  # "conversation", "exchange", "delivery"
    sa.Column("known_as", sa.Text, nullable=False),  # every key by which a hold may cover it, with blanks between
    sa.Column("at", sa.Float, nullable=False),  # when the original was used last
    sa.Column("copied_at", sa.Float, nullable=False),
    sa.Column("content", EncryptedText, nullable=False),  # JSON: the rows, by table
)
