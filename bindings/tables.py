"""The tables of the bots, and how what identifies somebody is written in them. Knows no query.

Events, conversations, workspaces and people are kept as hashes. What was said is in `payload` alone, which goes when
the conversation is forgotten.
"""

from __future__ import annotations

import sqlalchemy as sa

from bindings.incoming import Place
from core.runtime.digest import hash_id

NOTHING_SAID = "{}"  # a payload that was deleted, or never kept

tables = sa.MetaData()
deliveries = sa.Table(
    "deliveries",
    tables,
    sa.Column("number", sa.Integer, primary_key=True),  # in order of arrival
    sa.Column("event", sa.String(64), nullable=False, unique=True),
    sa.Column("answer", sa.String(40), nullable=False, index=True),
    sa.Column("platform", sa.String(16), nullable=False),
    sa.Column("workspace", sa.String(64), nullable=False, index=True),
    sa.Column("conversation", sa.String(64), nullable=False, index=True),  # "": it was forgotten
    sa.Column("source", sa.String(64), nullable=False),  # the message
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("process", sa.String(16), nullable=False),  # that took it
    sa.Column("payload", sa.Text, nullable=False),  # JSON of Incoming
    sa.Column("refs", sa.Text, nullable=False),  # JSON: the messages that the answer is in, in order
    sa.Column("heard", sa.Text),  # JSON of Turn: what others had said; null: not looked up yet
    sa.Column("uploaded", sa.Boolean, nullable=False),  # the file that goes with it is there
    sa.Column("at", sa.Float, nullable=False, index=True),  # seconds since 1970, as are all the others
)
feedback = sa.Table(
    "feedback",
    tables,
    sa.Column("answer", sa.String(40), primary_key=True),
    sa.Column("speaker", sa.String(64), primary_key=True),
    sa.Column("value", sa.String(8), nullable=False),
    sa.Column("comment", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False, index=True),
)
acquaintances = sa.Table(
    "acquaintances",
    tables,
    sa.Column("speaker", sa.String(64), primary_key=True),
    sa.Column("told", sa.String(16), primary_key=True),
    sa.Column("workspace", sa.String(64), nullable=False, index=True),
    sa.Column("at", sa.Float, nullable=False, index=True),
)
chosen = sa.Table(
    "chosen",
    tables,
    sa.Column("conversation", sa.String(64), primary_key=True),
    sa.Column("workspace", sa.String(64), nullable=False, index=True),
    sa.Column("personality", sa.String(100), nullable=False),
    sa.Column("at", sa.Float, nullable=False, index=True),
)
resumed = sa.Table(  # beside the deliveries: databases that are there already keep their columns
    "resumed",
    tables,
    sa.Column("answer", sa.String(40), primary_key=True),
    sa.Column("times", sa.Integer, nullable=False),  # that a process took it up which another had left, and died
)


def workspace_of(platform: str, tenant: str) -> str:
    return hash_id(f"{platform}:{tenant}")


def source_of(place: Place, message: str) -> str:
    """A message by its channel alone: who hears that it was deleted may not know its thread."""
    return hash_id(f"{place.platform}:{place.channel}:{message}")
