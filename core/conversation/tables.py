"""The tables of conversations. The queries are in `core.conversation.sessions`."""

from __future__ import annotations

import sqlalchemy as sa

tables = sa.MetaData()
conversations = sa.Table(
    "conversations",
    tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("key", sa.String(64), nullable=False),  # SHA-256 of the id
    sa.Column("personality", sa.String(100), nullable=False),
    sa.Column("user_key", sa.String(64)),  # SHA-256; null: any user may continue it
    sa.Column("context", sa.Text),  # the pasted lead context, shown in every turn
    sa.Column("used_at", sa.Float, nullable=False, index=True),  # seconds since 1970
    sa.UniqueConstraint("key", "personality"),
)
turns = sa.Table(
    "turns",
    tables,
    sa.Column("conversation", sa.ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),  # from 1
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("attachments", sa.Text, nullable=False),  # JSON of Attachment
    sa.Column("heard", sa.Text, nullable=False),  # JSON of Turn: the thread messages
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("reason", sa.String(16)),
)
turn_sources = sa.Table(
    "turn_sources",
    tables,
    sa.Column("conversation", sa.Integer, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("sources", sa.Text, nullable=False),  # JSON of Source
    sa.ForeignKeyConstraint(["conversation", "number"], ["turns.conversation", "turns.number"], ondelete="CASCADE"),
)
turn_keys = sa.Table(
    "turn_keys",
    tables,
    sa.Column("conversation", sa.Integer, primary_key=True),
    sa.Column("key", sa.String(64), primary_key=True),  # SHA-256 of the caller's key of the turn
    sa.Column("number", sa.Integer, nullable=False),
    sa.ForeignKeyConstraint(["conversation", "number"], ["turns.conversation", "turns.number"], ondelete="CASCADE"),
)
readings = sa.Table(
    "readings",
    tables,
    sa.Column("conversation", sa.ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),  # from 1
    sa.Column("reading", sa.Text, nullable=False),  # JSON of Reading
)
