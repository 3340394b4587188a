"""One run over the rows of a job that are not answered yet. Knows files and the engine, and nobody to tell."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing

from bindings.toil.job_files import JobFiles, Plan
from core.contract import Engine, Usage
from core.toil.batch.answers import Outcome, ToilAnswers
from core.toil.batch.journal import BatchProgress, Journal, RecoveredRows
from core.toil.batch.pipeline import BoundedPipeline
from core.toil.batch.rows import AnyRow


class Run:
    """`go_on` may be asked again after ModelGone. `at_once`: rows. `clock` gives seconds."""

    def __init__(
        self, engine: Engine, plan: Plan, files: JobFiles, answer: str, at_once: int, clock: Callable[[], float]
    ) -> None:
        self._answers = ToilAnswers(engine, plan.job())
        self._plan = plan
        self._files = files
        self._answer = answer
        self._at_once = at_once
        self._clock = clock
        self.tally = BatchProgress(RecoveredRows(), plan.total, clock)
        self.usage = Usage()
        self.finished = False

    async def go_on(self, stop: asyncio.Event) -> AsyncGenerator[BatchProgress, None]:
        """Yields whenever rows are on disk; ends when all are, or at `stop`. Raises ModelGone, StorageError."""
        journal = await asyncio.to_thread(self._files.journal, self._answer, self._plan)
        try:
            self.tally = BatchProgress(journal.recovered, self._plan.total, self._clock)
            async with aclosing(self._flow(journal, stop)) as tallies:
                async for tally in tallies:
                    yield tally
        finally:
            await asyncio.to_thread(journal.close)

    async def _flow(self, journal: Journal, stop: asyncio.Event) -> AsyncGenerator[BatchProgress, None]:
        changed = asyncio.Event()
        rows = await asyncio.to_thread(list, self._files.rows(self._answer, self._plan.form))
        left = [row for row in rows if row.number not in journal.recovered.done]
        pipeline = BoundedPipeline(
            self._answers.answer, self._recording(journal, changed), self._at_once, in_order=True
        )
        flowing = asyncio.create_task(pipeline.run(each(left)))
        stopping = asyncio.create_task(stop.wait())
        for task in (flowing, stopping):
            task.add_done_callback(lambda _task: changed.set())
        try:
            while not flowing.done() and not stopping.done():
                await changed.wait()
                changed.clear()
                yield self.tally
        finally:
            flowing.cancel()
            stopping.cancel()
            await asyncio.wait({flowing, stopping})
        if not flowing.cancelled():
            flowing.result()
            self.finished = True

    def _recording(self, journal: Journal, changed: asyncio.Event) -> Callable[[Sequence[Outcome]], Awaitable[None]]:
        async def record(outcomes: Sequence[Outcome]) -> None:
            await asyncio.to_thread(journal.record, outcomes)
            self.tally.add(outcomes)
            self.usage = sum((outcome.usage for outcome in outcomes), self.usage)
            changed.set()

        return record


async def each(rows: Iterable[AnyRow]) -> AsyncIterator[AnyRow]:
    for row in rows:
        yield row
