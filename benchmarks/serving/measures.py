"""Percentiles, ratios and targets of samples. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

TOKENS_PER_S = "tokens_per_s"
FIRST_WORDS_S = "first_words_s"
GAP_P50_MS = "gap_p50_ms"
GAP_P99_MS = "gap_p99_ms"
CPU_S = "cpu_s"  # of the server in one turn; other processes change it less than they change times


@dataclass(frozen=True)
class Sample:
    """One turn of one server. Round 0 tries settings; it does not count."""

    round: int
    server: str
    case: str  # of the workload, such as its number of clients
    values: Mapping[str, float]
    setting: str = ""


@dataclass(frozen=True)
class Ratio:
    """Ours divided by another server's, round by round."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f}× ({self.low:.2f}–{self.high:.2f})"


@dataclass(frozen=True)
class Target:
    """A bound for a figure of ours: as a ratio to the servers whose names start with `against`, or by itself."""

    metric: str
    case: str
    against: str = ""
    at_least: float = -math.inf
    at_most: float = math.inf

    def __str__(self) -> str:
        bound = f"≥ {self.at_least:g}" if self.at_most == math.inf else f"≤ {self.at_most:g}"
        return f"{self.metric} at {self.case} {bound}" + (f" × {self.against}" if self.against else "")


@dataclass(frozen=True)
class Verdict:
    """A target with the figure found. Without one, nothing was measured and nothing was missed."""

    target: Target
    found: Ratio | None
    server: str = ""  # the one whose ratio decides

    @property
    def reached(self) -> bool | None:
        if self.found is None:
            return None
        return self.target.at_least <= self.found.median <= self.target.at_most

    def __str__(self) -> str:
        word = {None: "not measured", True: "reached", False: "missed"}[self.reached]
        found = f"{self.found.median:.2f} ({self.found.low:.2f}–{self.found.high:.2f})" if self.found else "–"
        server = f", against {self.server}" if self.server else ""
        return f"{word}: {self.target}: {found}{server}"


@dataclass
class Measurement:
    """The samples of one workload."""

    samples: list[Sample] = field(default_factory=list)

    @property
    def servers(self) -> list[str]:
        return list(dict.fromkeys(sample.server for sample in self.counted))

    @property
    def cases(self) -> list[str]:
        return list(dict.fromkeys(sample.case for sample in self.counted))

    @property
    def counted(self) -> list[Sample]:
        return [sample for sample in self.samples if sample.round > 0]

    def by_round(self, server: str, case: str, metric: str) -> dict[int, float]:
        return {
            sample.round: sample.values[metric]
            for sample in self.counted
            if (sample.server, sample.case) == (server, case) and metric in sample.values
        }

    def median(self, server: str, case: str, metric: str) -> float | None:
        values = self.by_round(server, case, metric).values()
        return statistics.median(values) if values else None

    def ratio(self, ours: str, other: str, case: str, metric: str) -> Ratio | None:
        """Returns the median of the ratios within each round: a busy round disturbs both sides alike."""
        mine, theirs = (self.by_round(server, case, metric) for server in (ours, other))
        return spread(mine[each] / theirs[each] for each in mine.keys() & theirs.keys() if theirs[each])

    def judge(self, ours: str, target: Target) -> Verdict:
        """Compares with the server against which ours does worst."""
        if not target.against:
            return Verdict(target, spread(self.by_round(ours, target.case, target.metric).values()))
        others = [name for name in self.servers if name.startswith(target.against)]
        ratios = {name: self.ratio(ours, name, target.case, target.metric) for name in others}
        found = {name: ratio for name, ratio in ratios.items() if ratio}
        if not found:
            return Verdict(target, None)
        choose = max if target.at_least == -math.inf else min
        worst = choose(found, key=lambda name: found[name].median)
        return Verdict(target, found[worst], worst)


def spread(values: Iterable[float]) -> Ratio | None:
    """Returns the median, the smallest and the largest of the values; None without any."""
    all_values = sorted(values)
    return Ratio(statistics.median(all_values), all_values[0], all_values[-1]) if all_values else None


def percentile(values: Sequence[float], percent: float) -> float:
    """Returns the smallest value that at least `percent` of the values do not exceed; 0 without any."""
    if not values:
        return 0.0
    rank = math.ceil(percent / 100 * len(values))
    return sorted(values)[max(rank, 1) - 1]


def best_setting(samples: Iterable[Sample], metric: str) -> str:
    """Returns the setting with the highest geometric mean of a rate over all cases, of those that failed in none."""
    rates: dict[str, list[float]] = {}
    for sample in samples:
        rates.setdefault(sample.setting, []).append(sample.values[metric])
    return max(rates, key=lambda setting: (len(rates[setting]), statistics.geometric_mean(rates[setting])))
