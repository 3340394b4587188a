"""The tables of API keys. A revision in `core/storage/versions/` changes them."""

from __future__ import annotations

import sqlalchemy as sa

tables = sa.MetaData()
api_keys = sa.Table(
    "api_keys",
    tables,
    sa.Column("id", sa.String(12), primary_key=True),
    sa.Column("name", sa.String(64), nullable=False, unique=True),
    sa.Column("digest", sa.String(64), nullable=False),  # SHA-256 of the whole key
    sa.Column("scopes", sa.Text, nullable=False),  # JSON list
    sa.Column("names", sa.Text, nullable=False),  # JSON list
    sa.Column("requests_per_minute", sa.Float),
    sa.Column("tokens_per_day", sa.BigInteger),
    sa.Column("created_at", sa.Float, nullable=False),  # times: seconds since 1970
    sa.Column("expires_at", sa.Float),
    sa.Column("revoked_at", sa.Float),
    sa.Column("used_at", sa.Float),
)
api_key_days = sa.Table(
    "api_key_days",
    tables,
    sa.Column("key", sa.ForeignKey(api_keys.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),  # since 1970, in UTC
    sa.Column("tokens", sa.BigInteger, nullable=False),
)
