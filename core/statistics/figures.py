"""The figures of a period, computed from sums of spans. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

# The upper ends of the buckets of the time to first text, in seconds. The last bucket has no end.
BUCKETS_S = (0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0, 30.0, 60.0, 120.0)
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """The price of a million tokens, in the operator's currency."""

    prompt: float = 0.0
    answer: float = 0.0


@dataclass(frozen=True, slots=True)
class Sums:
    """The sums of some spans, as in `tables.answers`."""

    answers: int = 0
    failures: int = 0
    stopped: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    answer_tokens: int = 0
    writing_s: float = 0.0

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.answers + other.answers,
            self.failures + other.failures,
            self.stopped + other.stopped,
            self.prompt_tokens + other.prompt_tokens,
            self.cached_tokens + other.cached_tokens,
            self.answer_tokens + other.answer_tokens,
            self.writing_s + other.writing_s,
        )

    @property
    def requests(self) -> int:
        return self.answers + self.failures + self.stopped

    @property
    def tokens_per_s(self) -> float | None:
        """The pace of one answer while it is written. None: no answer was written."""
        return self.answer_tokens / self.writing_s if self.writing_s > 0 else None

    @property
    def cached_share(self) -> float | None:
        """The share of prompt tokens that were not computed again. None: there were none."""
        return self.cached_tokens / self.prompt_tokens if self.prompt_tokens else None

    def cost(self, price: Price) -> float:
        return (self.prompt_tokens * price.prompt + self.answer_tokens * price.answer) / MILLION


@dataclass(frozen=True, slots=True)
class Group:
    """The sums of one channel, personality or model."""

    name: str
    sums: Sums
    cost: float


@dataclass(frozen=True, slots=True)
class Point:
    """A part of the period, for plots. `began_at`: seconds since 1970."""

    began_at: int
    sums: Sums
    first_text_s: float | None  # the median


@dataclass(frozen=True, slots=True)
class Figures:
    """All figures of a period."""

    sums: Sums
    people: int  # on the busiest day
    cost: float
    first_text_s: Mapping[str, float | None] = field(default_factory=dict)  # "median", "p95"
    channels: Sequence[Group] = ()
    personalities: Sequence[Group] = ()
    models: Sequence[Group] = ()
    errors: Mapping[str, int] = field(default_factory=dict)  # by code, the most frequent first
    points: Sequence[Point] = ()


def bucket_of(seconds: float) -> int:
    """The index of the bucket; `len(BUCKETS_S)` for the last one."""
    return bisect_left(BUCKETS_S, seconds)


def quantile(counts: Mapping[int, int], share: float) -> float | None:
    """The time below which this share of the answers began, in seconds: linear within its bucket. None: no answer.

    The last bucket has no end, so that its times count as its beginning.
    """
    wanted = share * sum(counts.values())
    if not wanted:
        return None
    passed = 0
    for bucket in sorted(counts):
        if counts[bucket] and passed + counts[bucket] >= wanted:
            low = BUCKETS_S[bucket - 1] if bucket else 0.0
            high = BUCKETS_S[bucket] if bucket < len(BUCKETS_S) else low
            return low + (high - low) * (wanted - passed) / counts[bucket]
        passed += counts[bucket]
    return BUCKETS_S[-1]
