"""The tables of conversations. The queries are in `core.conversation.sessions`.

Stored names are older than the names in code, and stay: the table "turns" holds exchanges, "readings" the documents of
the lead context, and the column "heard" thread messages. A revision in `core/storage/versions/` changes a table.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from core.conversation.exchanges import ExchangeKey
from core.storage.encryption import EncryptedText

tables = sa.MetaData()
conversations = sa.Table(
    "conversations",
    tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("key", sa.String(64), nullable=False),  # SHA-256 of the id
    sa.Column("personality", sa.String(100), nullable=False),
    sa.Column("user_key", sa.String(64), index=True),  # SHA-256 of the owner; null: whoever has the id may continue it
    sa.Column("issued_id", sa.String(64)),  # the id itself, of a conversation with an owner
    sa.Column("title", EncryptedText),  # the owner's; null: the first question is shown
    sa.Column("pinned", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("context", EncryptedText),  # the pasted lead context, part of every prompt
    sa.Column("used_at", sa.Float, nullable=False, index=True),  # seconds since 1970
    sa.UniqueConstraint("key", "personality"),
)
exchanges = sa.Table(
    "turns",
    tables,
    sa.Column("conversation", sa.ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),  # from 1
    sa.Column("question", EncryptedText, nullable=False),
    sa.Column("attachments", EncryptedText, nullable=False),  # JSON list of Attachment
    sa.Column("heard", EncryptedText, nullable=False),  # JSON list of Turn: the thread messages
    sa.Column("answer", EncryptedText, nullable=False),
    sa.Column("reason", sa.String(16)),
    sa.Column("asked_at", sa.Float),  # seconds since 1970; null: before revision 0006
    sa.Column("model", sa.String(200)),  # the one that answered; null: unknown
    sa.Column("receipt", sa.String(64), index=True),  # the id of the answer's receipt; null: it has none
)
exchange_sources = sa.Table(
    "turn_sources",
    tables,
    sa.Column("conversation", sa.Integer, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("sources", EncryptedText, nullable=False),  # JSON list of Source
    sa.ForeignKeyConstraint(["conversation", "number"], ["turns.conversation", "turns.number"], ondelete="CASCADE"),
)
exchange_documents = sa.Table(
    "turn_documents",
    tables,
    sa.Column("conversation", sa.Integer, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("documents", EncryptedText, nullable=False),  # JSON list of NumberedDocument
    sa.ForeignKeyConstraint(["conversation", "number"], ["turns.conversation", "turns.number"], ondelete="CASCADE"),
)
exchange_keys = sa.Table(
    "turn_keys",
    tables,
    sa.Column("conversation", sa.Integer, primary_key=True),
    sa.Column("key", sa.String(64), primary_key=True),  # SHA-256 of the caller's key of the exchange
    sa.Column("number", sa.Integer, nullable=False),
    sa.ForeignKeyConstraint(["conversation", "number"], ["turns.conversation", "turns.number"], ondelete="CASCADE"),
)
exchange_ratings = sa.Table(
    "turn_ratings",
    tables,
    sa.Column("conversation", sa.Integer, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("verdict", sa.String(8), nullable=False),  # "good", "bad"
    sa.Column("comment", EncryptedText, nullable=False),
    sa.Column("rated_at", sa.Float, nullable=False),  # seconds since 1970
    sa.ForeignKeyConstraint(["conversation", "number"], ["turns.conversation", "turns.number"], ondelete="CASCADE"),
)
lead_documents = sa.Table(
    "readings",
    tables,
    sa.Column("conversation", sa.ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),  # from 1
    sa.Column("reading", EncryptedText, nullable=False),  # JSON of RetrievedDocument
)
# Only on PostgreSQL, where several processes answer: which of them does so in a conversation now.
turn_claims = sa.Table(
    "turn_claims",
    tables,
    sa.Column("conversation", sa.String(64), primary_key=True),  # the key of `conversations`
    sa.Column("turn", sa.String(32), nullable=False, index=True),  # a random token
    sa.Column("process", sa.String(16), nullable=False, index=True),
    sa.Column("signal", sa.String(8)),  # what another process asks: "stop"
)
turn_processes = sa.Table(
    "turn_processes",
    tables,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("expires_at", sa.Float, nullable=False),  # seconds since 1970 by the database's clock
)
# Deleted conversations whose computed states the model process may still have.
forgotten_states = sa.Table(
    "forgotten_states",
    tables,
    sa.Column("key", sa.String(64), primary_key=True),  # the conversation's prompt_cache_key
    sa.Column("forgotten_at", sa.Float, nullable=False, index=True),  # seconds since 1970
)


def exchange_matches(key: ExchangeKey, table: sa.Table = exchanges) -> tuple[Any, Any]:
    """Selects the exchange's rows in its own table, or in one that refers to it."""
    return table.c.conversation == key.conversation, table.c.number == key.number
