"""How far a batch is. Knows nothing of rows but their number, and shows nothing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence

from core.toil.batch.answers import Outcome
from core.toil.batch.recovery import Recovered


class Tally:
    """Rows done, in this run and those before."""

    def __init__(self, recovered: Recovered, total: int | None, clock: Callable[[], float] = time.monotonic) -> None:
        self.total = total
        self.before = len(recovered.done)
        self.done = self.before
        self.failures: Counter[str] = Counter(recovered.failures)
        self._clock = clock
        self._began_s = clock()

    def add(self, outcomes: Sequence[Outcome]) -> None:
        self.done += len(outcomes)
        self.failures.update(outcome.code for outcome in outcomes if outcome.code is not None)

    @property
    def failed(self) -> int:
        return self.failures.total()

    @property
    def rate(self) -> float:
        """Rows a second, of this run."""
        return (self.done - self.before) / max(self._clock() - self._began_s, 1e-3)

    @property
    def left_s(self) -> float | None:
        return None if self.total is None or not self.rate else (self.total - self.done) / self.rate
