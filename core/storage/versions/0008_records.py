"""Accesses by administrators, holds, proofs of deletions, and the author of each delivery."""

from __future__ import annotations

import hashlib
import json

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

DELIVERIES = sa.table("deliveries", sa.column("number", sa.Integer), sa.column("payload"), sa.column("author"))
BATCH_ROWS = 500


def upgrade() -> None:
    op.create_table(
        "record_accesses",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
    )
    op.create_index("ix_record_accesses_at", "record_accesses", ["at"])
    op.create_table(
        "deletion_proofs",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("proof", sa.Text, nullable=False),
    )
    op.create_index("ix_deletion_proofs_at", "deletion_proofs", ["at"])
    op.create_table(
        "record_state",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    create_holds()
    op.add_column("deliveries", sa.Column("author", sa.String(64)))
    op.create_index("ix_deliveries_author", "deliveries", ["author"])
    name_authors(op.get_bind())


def create_holds() -> None:
    op.create_table(
        "record_holds",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("placed_at", sa.Float, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("from_at", sa.Float, nullable=False),
        sa.Column("released_at", sa.Float),
        sa.Column("released_by", sa.Text),
    )
    op.create_table(
        "record_hold_keys",
        sa.Column("hold", sa.Integer, sa.ForeignKey("record_holds.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("key", sa.String(64), primary_key=True),
    )
    op.create_index("ix_record_hold_keys_key", "record_hold_keys", ["key"])
    op.create_table(
        "held_copies",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("known_as", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("copied_at", sa.Float, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
    )


def name_authors(db: sa.Connection) -> None:
    """Hashes "slack:U1", which stands in the message of each delivery that still has one."""
    numbers = db.execute(sa.select(DELIVERIES.c.number).where(DELIVERIES.c.payload != "{}")).scalars().all()
    for start in range(0, len(numbers), BATCH_ROWS):
        batch = numbers[start : start + BATCH_ROWS]
        rows = db.execute(
            sa.select(DELIVERIES.c.number, DELIVERIES.c.payload).where(DELIVERIES.c.number.in_(batch))
        ).all()
        for number, payload in rows:
            message = json.loads(payload)
            name = f"{message['place']['platform']}:{message['user']}"
            author = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
            db.execute(DELIVERIES.update().where(DELIVERIES.c.number == number).values(author=author))
