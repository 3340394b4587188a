"""The tables of statistics: sums of five minutes each. No text, no conversation; of people, only hashes for one day.

`SpanKey` names a row of sums: the beginning of its five minutes, the channel, the personality and the model.
"""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

Expire = Callable[[sa.Connection, float, float], int]  # deletes what is older than a time; returns the number of rows
DAY_S = 24 * 60 * 60
SPAN_S = 300  # the length of a span; spans begin at multiples of it

tables = sa.MetaData()


def span_columns() -> tuple[sa.Column[object], ...]:
    """The columns of `SpanKey`. Each table needs columns of its own."""
    return (
        sa.Column("began_at", sa.Integer, primary_key=True, autoincrement=False),  # seconds since 1970
        sa.Column("channel", sa.String(16), primary_key=True),
        sa.Column("personality", sa.String(100), primary_key=True),
        sa.Column("model", sa.String(200), primary_key=True),  # "": no model answered
    )


answers = sa.Table(
    "answer_statistics",
    tables,
    *span_columns(),
    sa.Column("answers", sa.Integer, nullable=False),  # complete ones
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("stopped", sa.Integer, nullable=False),  # by the person, or with the connection
    sa.Column("prompt_tokens", sa.BigInteger, nullable=False),
    sa.Column("cached_tokens", sa.BigInteger, nullable=False),  # of the prompt tokens, those that were not computed
    sa.Column("answer_tokens", sa.BigInteger, nullable=False),
    sa.Column("writing_s", sa.Float, nullable=False),  # from first text to the end, of all answers together
)
first_texts = sa.Table(
    "first_text_statistics",
    tables,
    *span_columns(),
    sa.Column("bucket", sa.Integer, primary_key=True, autoincrement=False),  # an index in `figures.BUCKETS_S`
    sa.Column("answers", sa.Integer, nullable=False),
)
errors = sa.Table(
    "error_statistics",
    tables,
    *span_columns(),
    sa.Column("code", sa.String(64), primary_key=True),
    sa.Column("count", sa.Integer, nullable=False),
)
people = sa.Table(
    "people_of_days",
    tables,
    sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),  # days since 1970, in UTC
    sa.Column("channel", sa.String(16), primary_key=True),
    sa.Column("person", sa.String(64), primary_key=True),  # a hash with the day: it links no two days
)


def expire_spans(table: sa.Table) -> Expire:
    return lambda db, before, _now: db.execute(table.delete().where(table.c.began_at < before)).rowcount


def expire_people(db: sa.Connection, before: float, _now: float) -> int:
    return db.execute(people.delete().where(people.c.day < before // DAY_S)).rowcount


EXPIRING: tuple[tuple[sa.Table, Expire], ...] = (
    *((table, expire_spans(table)) for table in (answers, first_texts, errors)),
    (people, expire_people),
)
