"""Searches the fastest settings, one dimension after the other. Knows no engine: it is given a function that measures.

Within a dimension the candidates take turns, so that a machine that becomes busy slows down all of them, and the worst
half leaves after each later round (successive halving). Medians are compared. A candidate replaces the best so far only
if it is faster by more than the noise; at the end the result must beat the default once more, or the default stays.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.model.hardware.tuning_space import PARTS, Dimension, Part, Timing, Trial

ROUNDS = 5
MOST_ROUNDS = 10  # while a candidate seems faster, but not by more than the noise
FULL_ROUNDS = 3  # before the first candidates leave: a median of two is no protection from an outlier
LAST_ROUNDS = 7
FEWEST_LAST_ROUNDS = 3
STANDARD_ERRORS = 2.0  # a difference below is noise
LAST_STANDARD_ERRORS = 1.0  # at the end: each change has passed the above already
SMALLEST_GAIN = 0.03
LOSSY_GAIN = 0.1  # a cache with fewer bits gives less exact answers, so it must be worth it
CONFIRM_SHARE = 0.3  # of the time, for the last comparison

Measure = Callable[[Trial, Sequence[Part]], Timing | None]  # None: the engine refuses the trial
Report = Callable[[str], None]  # the dimension that is tried now


@dataclass(frozen=True, slots=True)
class TuningResult:
    """`before`, `after`: medians of the default and the best. `gain`: the default's cost divided by the best's."""

    best: Trial
    before: Timing
    after: Timing
    gain: float
    measurements: int


class TuningSearch:
    """One search. `clock` counts seconds; `budget_s` is about how long the search may take."""

    def __init__(self, measure: Measure, clock: Callable[[], float], budget_s: float) -> None:
        self._measure = measure
        self._clock = clock
        self._started = clock()
        self._budget_s = budget_s
        self._count = 0

    def run(self, default: Trial, space: Sequence[Dimension], report: Report = lambda _: None) -> TuningResult:
        """Returns the fastest trial, which may be the default. Raises ValueError if the default cannot be measured."""
        best = default
        for number, dimension in enumerate(space):
            left_s = (1 - CONFIRM_SHARE) * self._budget_s - self._elapsed()
            if left_s <= 0:
                break
            report(dimension.name)
            best = self._race(best, dimension, self._elapsed() + left_s / (len(space) - number))
        report("confirm")
        return self._confirm(default, best)

    def _race(self, best: Trial, dimension: Dimension, until_s: float) -> Trial:
        """Returns the winner among `best` and the dimension's other trials. `until_s` counts from the start."""
        challengers = dimension.trials(best)
        samples: dict[Trial, list[Timing]] = {trial: [] for trial in (best, *challengers)}
        for number in range(MOST_ROUNDS):
            if not challengers or self._elapsed() > until_s:
                break
            refused = self._round([best, *challengers], dimension.parts, samples, number)
            challengers = [trial for trial in challengers if trial not in refused]
            if number + 1 >= FULL_ROUNDS:
                challengers.sort(key=lambda trial: median_cost(samples[trial]))
                challengers = challengers[: max((len(challengers) + 1) // 2, 1)]
            if number + 1 >= ROUNDS and not any(is_open(samples[each], samples[best]) for each in challengers):
                break
        winner = min(challengers, key=lambda trial: median_cost(samples[trial]), default=best)
        needed = LOSSY_GAIN if (winner.kv_type, best.kv_type) == ("q8_0", "f16") else SMALLEST_GAIN
        return winner if is_faster(samples[winner], samples[best], needed) else best

    def _round(
        self, trials: Sequence[Trial], parts: Sequence[Part], samples: dict[Trial, list[Timing]], number: int
    ) -> set[Trial]:
        """Measures each trial once, in an order that changes from round to round. Returns those that were refused."""
        refused = set()
        start = number % len(trials)
        for trial in (*trials[start:], *trials[:start]):
            self._count += 1
            timing = self._measure(trial, parts)
            if timing is None:
                refused.add(trial)
            else:
                samples[trial].append(timing)
        return refused

    def _confirm(self, default: Trial, best: Trial) -> TuningResult:
        samples: dict[Trial, list[Timing]] = {default: [], best: []}
        for number in range(MOST_ROUNDS):
            self._round(list(samples), PARTS, samples, number)
            late = best == default or self._elapsed() > self._budget_s
            enough = number + 1 >= LAST_ROUNDS and is_faster(
                samples[best], samples[default], errors=LAST_STANDARD_ERRORS
            )
            if enough or (late and number + 1 >= FEWEST_LAST_ROUNDS):
                break
        if not samples[default]:
            raise ValueError("the default settings could not be measured")
        if not is_faster(samples[best], samples[default], errors=LAST_STANDARD_ERRORS):
            best = default
        before, after = median_timing(samples[default]), median_timing(samples[best])
        return TuningResult(best, before, after, before.cost_s / after.cost_s, self._count)

    def _elapsed(self) -> float:
        return self._clock() - self._started


def is_faster(
    challenger: Sequence[Timing],
    incumbent: Sequence[Timing],
    needed: float = SMALLEST_GAIN,
    errors: float = STANDARD_ERRORS,
) -> bool:
    """Tells whether the challenger is faster by more than the noise, and by `needed` at the least.

    The measurements of one round are compared with each other: a machine that is busy for a while slows down both.
    Logarithms make twice as slow and twice as fast equally far from equal.
    """
    logs = [math.log(ours.cost_s / theirs.cost_s) for ours, theirs in zip(challenger, incumbent, strict=False)]
    if len(logs) < 2:
        return False
    return statistics.median(logs) < min(math.log(1 - needed), -errors * error_of_median(logs))


def is_open(challenger: Sequence[Timing], incumbent: Sequence[Timing]) -> bool:
    """Tells whether more measurements could show that the challenger is faster."""
    seems_faster = median_cost(challenger) < median_cost(incumbent) * (1 - SMALLEST_GAIN)
    return seems_faster and not is_faster(challenger, incumbent)


def median_cost(timings: Sequence[Timing]) -> float:
    return statistics.median(timing.cost_s for timing in timings) if timings else float("inf")


def median_timing(timings: Sequence[Timing]) -> Timing:
    return Timing(
        statistics.median(timing.prompt_s for timing in timings),
        statistics.median(timing.answer_s for timing in timings),
        statistics.median(timing.shared_s for timing in timings),
    )


def error_of_median(values: Sequence[float]) -> float:
    """Estimates the standard error of the median from the median deviation, as for a normal distribution."""
    middle = statistics.median(values)
    deviation = statistics.median(abs(value - middle) for value in values)
    return 1.4826 * 1.2533 * deviation / math.sqrt(len(values))
