"""When each collection was synchronised, how it ended, and which process does it now. One row for each collection.

A process claims a collection in one transaction and renews the claim while it works. Claims are compared by the
database's clock, so processes of several machines agree. The claim itself counts as a failed attempt until the end: a
synchronisation that kills its process is repeated after pauses that grow, as one that fails is.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from core.rag.facts.tables import refreshes
from core.runtime.backoff import Backoff
from core.storage.database import Database, put_new

CLAIM_S = 60.0
RENEWAL_S = CLAIM_S / 4
RETRY = Backoff(first_s=300.0, limit_s=6 * 3600.0)
PROBLEM_LIMIT_CHARS = 500
INTERRUPTED = "it was interrupted: its process ended before it was finished"
Clock = Callable[[sa.Connection], float]


@dataclass(frozen=True, slots=True)
class RefreshState:
    """The row of a collection. Times are seconds since 1970, by the database's clock."""

    name: str
    succeeded_at: float | None = None
    failed_at: float | None = None
    problem: str | None = None  # of the latest attempt, also if it succeeded with documents unread
    failures: int = 0  # in a row
    retry_at: float | None = None
    holder: str | None = None
    held_until: float | None = None
    origins: tuple[str, ...] = ()  # all that were named since the last success

    def is_running(self, now: float) -> bool:
        """False also for a claim longer than there are: the clock was wrong when it was made."""
        return self.holder is not None and self.held_until is not None and now < self.held_until <= now + CLAIM_S

    def due_at(self, interval_s: float | None, now: float) -> float | None:
        """The time of the next attempt. None: only when somebody asks for one.

        A past attempt in the future shows that the clock was wrong. The collection is due then.
        """
        if interval_s is None:
            return None
        if max(self.succeeded_at or 0.0, self.failed_at or 0.0) > now:
            return 0.0
        if self.failures and self.retry_at is not None:
            return min(self.retry_at, (self.failed_at or self.retry_at) + max(interval_s, RETRY.first_s))
        return 0.0 if self.succeeded_at is None else self.succeeded_at + interval_s

    def is_overdue(self, interval_s: float | None, now: float) -> bool:
        """True if two intervals passed without a success, as far as the clock can tell."""
        return interval_s is not None and (self.succeeded_at is None or now > self.succeeded_at + 2 * interval_s)


@dataclass(frozen=True, slots=True)
class RefreshClaim:
    """The right to synchronise a collection. `before`: its state when the claim was made."""

    name: str
    holder: str
    before: RefreshState


class RefreshLedger:
    """`clock` is for tests."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock or database_time

    async def states(self) -> tuple[dict[str, RefreshState], float]:
        """Returns the state of each collection that was ever synchronised, and the present time."""

        def read(db: sa.Connection) -> tuple[dict[str, RefreshState], float]:
            return {row.name: parse_state(row) for row in db.execute(sa.select(refreshes))}, self._clock(db)

        return await self._database.read(read)

    async def now(self) -> float:
        return await self._database.read(self._clock)

    async def claim(
        self, name: str, interval_s: float | None, *, only_due: bool, origins: Iterable[str] = ()
    ) -> RefreshClaim | None:
        """Returns None while another process has the collection and, with `only_due`, before it is due.

        `origins`: the present ones. They are recorded before any of their documents is stored, so that these are found
        when an origin leaves the file, even if no synchronisation ever succeeded.
        """

        listed = tuple(origins)

        def write(db: sa.Connection) -> RefreshClaim | None:
            put_new(db, refreshes, {"name": name, "failures": 0, "origins": "[]"})
            own = refreshes.c.name == name
            state = parse_state(db.execute(sa.select(refreshes).where(own).with_for_update()).one())
            now = self._clock(db)
            due_at = state.due_at(interval_s, now)
            if state.is_running(now) or (only_due and (due_at is None or due_at > now)):
                return None
            claim = RefreshClaim(name, secrets.token_hex(8), state)
            attempt = {
                "failures": state.failures + 1,
                "failed_at": now,
                "problem": INTERRUPTED,
                "retry_at": now + RETRY.pause_s(state.failures + 1),
                "origins": json.dumps(sorted({*state.origins, *listed})),
            }
            db.execute(refreshes.update().where(own).values(**attempt, **held(claim.holder, now)))
            return claim

        return await self._database.write(write)

    async def renew(self, claim: RefreshClaim) -> bool:
        """False: another process has the collection now."""
        return await self._update(claim, lambda now: held(claim.holder, now))

    async def succeed(self, claim: RefreshClaim, origins: Iterable[str], problem: str | None) -> bool:
        """Records a success. `problem`: the documents that were not read."""
        values = {"failures": 0, "retry_at": None, "failed_at": claim.before.failed_at, "problem": shorten(problem)}
        listed = json.dumps(sorted(origins))
        return await self._update(claim, lambda now: {**values, "succeeded_at": now, "origins": listed, **FREE})

    async def fail(self, claim: RefreshClaim, problem: str) -> bool:
        return await self._update(claim, lambda now: {"failed_at": now, "problem": shorten(problem), **FREE})

    async def give_back(self, claim: RefreshClaim) -> bool:
        """Undoes the claim of a process that is stopped in order: the attempt does not count."""
        before = claim.before
        values = {key: getattr(before, key) for key in ("failures", "failed_at", "problem", "retry_at")}
        return await self._update(claim, lambda _now: {**values, **FREE})

    async def _update(self, claim: RefreshClaim, values: Callable[[float], Mapping[str, Any]]) -> bool:
        own = (refreshes.c.name == claim.name, refreshes.c.holder == claim.holder)

        def write(db: sa.Connection) -> bool:
            update = refreshes.update().where(*own).values(**values(self._clock(db)))
            return bool(db.execute(update).rowcount)

        return await self._database.write(write)


FREE: Mapping[str, Any] = {"holder": None, "held_until": None}


def held(holder: str, now: float) -> dict[str, Any]:
    return {"holder": holder, "held_until": now + CLAIM_S}


def shorten(problem: str | None) -> str | None:
    return problem and problem[:PROBLEM_LIMIT_CHARS]


def parse_state(row: Any) -> RefreshState:
    fields = {**row._mapping, "origins": tuple(json.loads(row.origins))}
    return RefreshState(**fields)


def database_time(db: sa.Connection) -> float:
    """Seconds since 1970: by PostgreSQL's clock, which its machines share; else by this machine's."""
    if db.dialect.name != "postgresql":
        return time.time()
    return float(db.execute(sa.select(sa.extract("epoch", sa.func.clock_timestamp()))).scalar_one())
