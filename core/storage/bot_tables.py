"""The bots' database tables. The queries are in `bindings.store`, the hashes for identities in `bindings.tables`.

They are here, not in `bindings`, because retention, holds and exports (`core.records`) know every table.

Events, conversations, workspaces and people are stored as SHA-256 hashes. Only `payload` and `heard` hold people's
texts; both are emptied when the conversation is forgotten.

Stored names are older than some names in code, and stay: "acquaintances", "chosen", "resumed", "told", "heard" (thread
messages). A revision in `core/storage/versions/` changes a table.
"""

from __future__ import annotations

import sqlalchemy as sa

from core.storage.encryption import EncryptedText

EMPTY_PAYLOAD = "{}"  # the payload was deleted, or never stored

tables = sa.MetaData()
deliveries = sa.Table(
    "deliveries",
    tables,
    sa.Column("number", sa.Integer, primary_key=True),  # in order of arrival
    sa.Column("event", sa.String(64), nullable=False, unique=True),
    sa.Column("answer", sa.String(40), nullable=False, index=True),
    sa.Column("platform", sa.String(16), nullable=False),
    sa.Column("workspace", sa.String(64), nullable=False, index=True),
    sa.Column("conversation", sa.String(64), nullable=False, index=True),  # "": forgotten
    sa.Column("source", sa.String(64), nullable=False),  # `hash_message` of the question
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("process", sa.String(16), nullable=False),  # that took the message; if processes share: that owns it
    sa.Column("payload", EncryptedText, nullable=False),  # IncomingMessage as JSON
    sa.Column("refs", sa.Text, nullable=False),  # JSON: ids of the messages that hold the answer, see `LedgerState`
    sa.Column("heard", EncryptedText),  # the thread's messages, Turns as JSON; null: not requested yet
    sa.Column("uploaded", sa.Boolean, nullable=False),  # the answer's file was sent
    sa.Column("at", sa.Float, nullable=False, index=True),  # seconds since 1970, as in the other tables
    sa.Column("reason", sa.Text),  # why it failed or is gone, for the operator; null: it is neither
    # Another process owned it before. Only where processes share the deliveries, as the next column.
    sa.Column("adopted", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("signal", sa.String(16)),  # what another process asks of the owner: "stop" or "withdrawn"
    sa.Column(
        "author", sa.String(64), index=True
    ),  # the hash of "slack:U1"; null: taken before revision 0008, forgotten
)
bot_processes = sa.Table(
    "bot_processes",
    tables,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("platform", sa.String(16), nullable=False),
    sa.Column("expires_at", sa.Float, nullable=False),  # seconds since 1970 by the database's clock
)
feedback = sa.Table(
    "feedback",
    tables,
    sa.Column("answer", sa.String(40), primary_key=True),
    sa.Column("speaker", sa.String(64), primary_key=True),
    sa.Column("value", sa.String(8), nullable=False),
    sa.Column("comment", EncryptedText, nullable=False),
    sa.Column("at", sa.Float, nullable=False, index=True),
)
one_time_notices = sa.Table(
    "acquaintances",
    tables,
    sa.Column("speaker", sa.String(64), primary_key=True),
    sa.Column("told", sa.String(16), primary_key=True),  # the notice that this person has seen
    sa.Column("workspace", sa.String(64), nullable=False, index=True),
    sa.Column("at", sa.Float, nullable=False, index=True),
)
personality_choices = sa.Table(
    "chosen",
    tables,
    sa.Column("conversation", sa.String(64), primary_key=True),
    sa.Column("workspace", sa.String(64), nullable=False, index=True),
    sa.Column("personality", sa.String(100), nullable=False),
    sa.Column("at", sa.Float, nullable=False, index=True),
)
attempts = sa.Table(
    "resumed",
    tables,
    sa.Column("answer", sa.String(40), primary_key=True),
    sa.Column("times", sa.Integer, nullable=False),  # processes that resumed the delivery and crashed, or may crash
)


def delete_unused_attempts(db: sa.Connection) -> None:
    """Deletes the counts of deliveries that no process will resume."""
    unfinished = sa.select(deliveries.c.answer).where(deliveries.c.state == "received")
    db.execute(attempts.delete().where(attempts.c.answer.not_in(unfinished)))
