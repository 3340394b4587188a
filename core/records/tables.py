"""The tables of records: accesses by administrators, and proofs of deletions."""

from __future__ import annotations

import sqlalchemy as sa

tables = sa.MetaData()
# Each entry's digest covers the one before it: `core.records.accesses` checks the chain.
accesses = sa.Table(
    "record_accesses",
    tables,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),  # from 1, without a gap
    sa.Column("at", sa.Float, nullable=False, index=True),  # seconds since 1970, as in the other tables
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("action", sa.String(32), nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
)
deletion_proofs = sa.Table(
    "deletion_proofs",
    tables,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("at", sa.Float, nullable=False, index=True),
    sa.Column("proof", sa.Text, nullable=False),  # JSON of `core.records.deletion.DeletionProof`
)
