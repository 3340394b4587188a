"""CPU time by stage: functions are wrapped, and each moment counts for the innermost one that runs."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Stage = tuple[Any, str, str]  # an owner (class or module), the name of its function, and the stage for which it counts


class StageTimers:
    """The CPU seconds of each stage, of all threads that call wrapped functions together."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._running = threading.local()

    @contextmanager
    def wrapping(self, stages: list[Stage]) -> Iterator[None]:
        """Times the functions while the block runs."""
        originals = [(owner, name, getattr(owner, name)) for owner, name, _stage in stages]
        for (owner, name, original), (_owner, _name, stage) in zip(originals, stages, strict=True):
            setattr(owner, name, self._timed(original, stage))
        try:
            yield
        finally:
            for owner, name, original in originals:
                setattr(owner, name, original)

    def _timed(self, function: Callable[..., Any], stage: str) -> Callable[..., Any]:
        running, seconds = self._running, self.seconds

        def call(*arguments: Any, **named: Any) -> Any:
            outer = getattr(running, "inner_s", 0.0)
            running.inner_s = 0.0  # the time of the timed functions that this one calls
            started_s = time.thread_time()
            try:
                return function(*arguments, **named)
            finally:
                took_s = time.thread_time() - started_s
                seconds[stage] += took_s - running.inner_s
                running.inner_s = outer + took_s

        return call
