"""Statistics of answers that survive restarts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def span_columns() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("began_at", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("channel", sa.String(16), primary_key=True),
        sa.Column("personality", sa.String(100), primary_key=True),
        sa.Column("model", sa.String(200), primary_key=True),
    )


def upgrade() -> None:
    op.create_table(
        "answer_statistics",
        *span_columns(),
        sa.Column("answers", sa.Integer, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("stopped", sa.Integer, nullable=False),
        sa.Column("prompt_tokens", sa.BigInteger, nullable=False),
        sa.Column("cached_tokens", sa.BigInteger, nullable=False),
        sa.Column("answer_tokens", sa.BigInteger, nullable=False),
        sa.Column("writing_s", sa.Float, nullable=False),
    )
    op.create_table(
        "first_text_statistics",
        *span_columns(),
        sa.Column("bucket", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("answers", sa.Integer, nullable=False),
    )
    op.create_table(
        "error_statistics",
        *span_columns(),
        sa.Column("code", sa.String(64), primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
    )
    op.create_table(
        "people_of_days",
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("channel", sa.String(16), primary_key=True),
        sa.Column("person", sa.String(64), primary_key=True),
    )
