"""Reads the figures of a period from the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Literal

import sqlalchemy as sa

from core.statistics.figures import Figures, Group, Point, Price, Sums, quantile
from core.statistics.tables import DAY_S, SPAN_S, answers, errors, first_texts, people
from core.storage.database import Database

Period = Literal["hour", "day", "month"]
# The length of each period, and of the parts that plots show, in seconds.
PERIODS: Mapping[Period, tuple[int, int]] = {
    "hour": (60 * 60, SPAN_S),
    "day": (DAY_S, 60 * 60),
    "month": (30 * DAY_S, DAY_S),
}
ERRORS_SHOWN = 20
SUMS = tuple(field.name for field in fields(Sums))
FREE = Price()


async def read_figures(database: Database, period: Period, now: float, prices: Mapping[str, Price]) -> Figures:
    """The figures of the period that ends now. `prices`: by the model's name; other models cost nothing."""
    return await database.read(lambda db: collect(db, period, now, prices))


def collect(db: sa.Connection, period: Period, now: float, prices: Mapping[str, Price]) -> Figures:
    length, part = PERIODS[period]
    since = int(now) - length
    rows = select_sums(db, since)
    waits = select_buckets(db, since, part)
    everything: dict[int, int] = defaultdict(int)
    for counts in waits.values():
        for bucket, count in counts.items():
            everything[bucket] += count
    groups = {name: group_by(rows, name, prices) for name in ("channel", "personality", "model")}
    return Figures(
        sums=sum((sums_of(row) for row in rows), Sums()),
        people=count_people(db, since),
        cost=sum(group.cost for group in groups["model"]),
        first_text_s={"median": quantile(everything, 0.5), "p95": quantile(everything, 0.95)},
        channels=groups["channel"],
        personalities=groups["personality"],
        models=[group for group in groups["model"] if group.name],
        errors=count_errors(db, since),
        points=build_points(select_parts(db, since, part), waits, since, int(now), part),
    )


def select_sums(db: sa.Connection, since: int) -> Sequence[sa.Row[Any]]:
    names = (answers.c.channel, answers.c.personality, answers.c.model)
    columns = [sa.func.sum(answers.c[name]).label(name) for name in SUMS]
    return db.execute(sa.select(*names, *columns).where(answers.c.began_at > since - SPAN_S).group_by(*names)).all()


def select_parts(db: sa.Connection, since: int, part: int) -> dict[int, Sums]:
    """The sums of each part, by its beginning."""
    began = (answers.c.began_at - answers.c.began_at % part).label("began")
    columns = [sa.func.sum(answers.c[name]).label(name) for name in SUMS]
    found = db.execute(sa.select(began, *columns).where(answers.c.began_at > since - SPAN_S).group_by(began))
    return {row.began: sums_of(row) for row in found}


def select_buckets(db: sa.Connection, since: int, part: int) -> dict[int, dict[int, int]]:
    """The number of first texts in each bucket, by the part's beginning."""
    began = (first_texts.c.began_at - first_texts.c.began_at % part).label("began")
    count = sa.func.sum(first_texts.c.answers).label("number")
    found = db.execute(
        sa.select(began, first_texts.c.bucket, count)
        .where(first_texts.c.began_at > since - SPAN_S)
        .group_by(began, first_texts.c.bucket)
    )
    parts: dict[int, dict[int, int]] = defaultdict(dict)
    for row in found:
        parts[row.began][row.bucket] = int(row.number)
    return parts


def count_people(db: sa.Connection, since: int) -> int:
    """The number of people on the busiest day: nobody can be recognised on another day."""
    of_day = sa.select(sa.func.count(sa.distinct(people.c.person)).label("number"))
    days = of_day.where(people.c.day >= since // DAY_S).group_by(people.c.day).subquery()
    return db.execute(sa.select(sa.func.max(days.c.number))).scalar_one() or 0


def count_errors(db: sa.Connection, since: int) -> dict[str, int]:
    count = sa.func.sum(errors.c.count).label("number")
    found = db.execute(
        sa.select(errors.c.code, count)
        .where(errors.c.began_at > since - SPAN_S)
        .group_by(errors.c.code)
        .order_by(count.desc(), errors.c.code)
        .limit(ERRORS_SHOWN)
    )
    return {row.code: int(row.number) for row in found}


# ---------------------------------------------------------------- pure


def sums_of(row: sa.Row[Any]) -> Sums:
    return Sums(
        answers=int(row.answers),
        failures=int(row.failures),
        stopped=int(row.stopped),
        prompt_tokens=int(row.prompt_tokens),
        cached_tokens=int(row.cached_tokens),
        answer_tokens=int(row.answer_tokens),
        writing_s=float(row.writing_s),
    )


def group_by(rows: Sequence[sa.Row[Any]], column: str, prices: Mapping[str, Price]) -> list[Group]:
    """One group for each value of the column, the one with most requests first."""
    sums: dict[str, Sums] = defaultdict(Sums)
    costs: dict[str, float] = defaultdict(float)
    for row in rows:
        name, of_row = getattr(row, column), sums_of(row)
        sums[name] += of_row
        costs[name] += of_row.cost(prices.get(row.model, FREE))
    groups = [Group(name, sums[name], costs[name]) for name in sums]
    return sorted(groups, key=lambda group: (-group.sums.requests, group.name))


def build_points(
    parts: Mapping[int, Sums], waits: Mapping[int, Mapping[int, int]], since: int, now: int, part: int
) -> list[Point]:
    """All parts of the period, also those without requests."""
    first = since - since % part + part
    return [
        Point(began, parts.get(began, Sums()), quantile(waits.get(began, {}), 0.5))
        for began in range(first, now + 1, part)
    ]
