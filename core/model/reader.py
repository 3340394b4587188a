"""The event loop's end of a sequence: what was written for one request, read by its handler."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from core.model.sequence import SequenceOutput

HIGH_WATER = 256  # outputs; above it the sequence is paused
LOW_WATER = 64


class OutputQueue:
    """Called with each output; read by one handler. A reader that falls behind pauses its sequence, loses nothing."""

    def __init__(self) -> None:
        self._outputs: deque[SequenceOutput] = deque()
        self._arrived = asyncio.Event()
        self._paused = False
        self.pause: Callable[[bool], None] = lambda paused: None

    def __call__(self, output: SequenceOutput) -> None:
        self._outputs.append(output)
        self._arrived.set()
        if not self._paused and len(self._outputs) > HIGH_WATER:
            self._paused = True
            self.pause(True)

    async def next(self, deadline_s: float) -> SequenceOutput | None:
        """The next output; None if none came within the deadline."""
        if not self._outputs:
            self._arrived.clear()
            try:
                async with asyncio.timeout(deadline_s):
                    await self._arrived.wait()
            except TimeoutError:
                return None
        output = self._outputs.popleft()
        if self._paused and len(self._outputs) < LOW_WATER:
            self._paused = False
            self.pause(False)
        return output
