"""The limits of keys and people: requests in a minute, and tokens in a day.

Each web process counts requests by itself, so that several processes admit that many each. The tokens of a key are
counted in the database, those of people in the process. An answer is counted when it is complete: the one that passes
the limit is still written whole.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from cachetools import LRUCache

from core.access.api_keys import ApiKey
from core.access.key_store import DAY_S
from core.access.rates import RequestBucket
from core.contract import Usage
from core.errors import LimitReached, StorageError
from web.identity.keys import KeyRing

log = structlog.get_logger()

CALLERS = 100_000  # that one process remembers; the longest silent ones are forgotten first


@dataclass(frozen=True, slots=True)
class Limited:
    """Who is limited, and how. None: without a limit. `key`: None for a person."""

    id: str
    requests_per_minute: float | None
    tokens_per_day: int | None
    key: ApiKey | None = None


class CallerLimits:
    """`per_minute`, `per_day`: of each person."""

    def __init__(
        self,
        keys: KeyRing,
        per_minute: float | None = None,
        per_day: int | None = None,
        *,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys = keys
        self._per_minute = per_minute
        self._per_day = per_day
        self._now = now
        self._clock = clock
        self._buckets: LRUCache[str, RequestBucket] = LRUCache(CALLERS)
        self._tokens: LRUCache[str, tuple[int, int]] = LRUCache(CALLERS)  # the day, and the tokens since it began

    async def admit(self, user: str | None, names: frozenset[str]) -> Limited:
        """Counts one request. `names`: the caller's. Raises LimitReached, StorageError; KeyRefused for a key that was
        revoked since its socket was opened.
        """
        key = await self._keys.of_names(names)
        if key is not None:
            who = Limited(f"key:{key.id}", key.requests_per_minute, key.tokens_per_day, key)
        else:
            who = Limited(user or "", self._per_minute, self._per_day)
        await self._check(who)
        return who

    async def _check(self, who: Limited) -> None:
        if who.tokens_per_day is not None and await self._used_today(who) >= who.tokens_per_day:
            left_s = DAY_S - self._now() % DAY_S
            raise LimitReached(f"the {who.tokens_per_day} tokens of today are used up", retry_after_s=left_s)
        if who.requests_per_minute is None:
            return
        bucket = self._buckets.get(who.id)
        if bucket is None or bucket.per_minute != who.requests_per_minute:
            bucket = RequestBucket.full(who.requests_per_minute, self._clock())
            self._buckets[who.id] = bucket
        if wait_s := bucket.take(self._clock()):
            raise LimitReached(f"at most {who.requests_per_minute:g} requests in a minute", retry_after_s=wait_s)

    async def count(self, who: Limited, usage: Usage) -> None:
        """Adds the tokens of a complete answer. A database that is away must not take the answer: it is logged."""
        tokens = usage.prompt_tokens + usage.completion_tokens
        store = self._keys.store
        if who.key is not None and store:
            try:
                await store.count_tokens(who.key.id, tokens)
            except StorageError as exc:
                log.warning("key_tokens_uncounted", key=who.key.name, tokens=tokens, problem=exc.message)
        elif who.tokens_per_day is not None:
            self._tokens[who.id] = (self._today(), self._person_tokens(who) + tokens)

    async def _used_today(self, who: Limited) -> int:
        store = self._keys.store
        if who.key is not None:
            return await store.tokens_today(who.key.id) if store else 0
        return self._person_tokens(who)

    def _person_tokens(self, who: Limited) -> int:
        day, tokens = self._tokens.get(who.id, (0, 0))
        return tokens if day == self._today() else 0

    def _today(self) -> int:
        return int(self._now() // DAY_S)
