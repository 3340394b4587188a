"""Brings what was taken to an end, however often it takes: through a full disk, and a platform that stays down.

Owns what an end means for the delivery, and when it is given up: a message that ends every process that takes it up
would end them for ever, and nobody else would be answered. What the work is, `answering` and `commanding` know.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping
from contextlib import nullcontext

import structlog

from bindings import words
from bindings.bot import Bot
from bindings.delivery.manner import Ending
from bindings.intake.answering import Answering
from bindings.intake.commanding import Commanding
from bindings.intake.workload import Work
from bindings.store import Record, State
from bindings.toil.jobs import Jobs
from core.errors import StorageError
from core.texts import LANGUAGES, text

log = structlog.get_logger()

DEATHS_LIMIT = 3
STATES: Mapping[Ending, State] = {
    "delivered": "done",
    "stopped": "done",
    "failed": "failed",
    "refused": "failed",
    "withdrawn": "gone",
    "gone": "gone",
}


class Performing:
    """`go_on_aside` takes over work that turned out to be long."""

    def __init__(
        self, bot: Bot, answering: Answering, commanding: Commanding, jobs: Jobs, go_on_aside: Callable[[Work], None]
    ) -> None:
        self._bot = bot
        self._answering = answering
        self._commanding = commanding
        self._jobs = jobs
        self._go_on_aside = go_on_aside
        # What died twice goes one by one, so that what died beside it by chance is not given up with it.
        self._suspects = asyncio.Lock()

    async def perform(self, work: Work) -> None:
        """Returns when it is finished, or goes on aside; tries again for as long as it takes."""
        self._bot.metrics.waiting.dec()
        with self._bot.metrics.running.track_inprogress():
            try:
                async with self._suspects if is_suspect(work) else nullcontext():
                    await self._bring_to_an_end(work)
            except asyncio.CancelledError:
                await self._put_down(work)
                raise

    async def _bring_to_an_end(self, work: Work) -> None:
        for attempt in itertools.count(1):
            if await self._attempt(work):
                return
            work.begun_before = True  # what it posted may be there, and not be known
            await asyncio.sleep(self._bot.means.patience.pause_s(attempt))

    async def _attempt(self, work: Work) -> bool:
        """False: it has to be tried again, later."""
        try:
            ending = await self._end(work)
            if ending is None:
                await self._put_down(work)
                work.aside = True
                self._go_on_aside(work)
                return True
            if ending == "undelivered":
                return False
            await self._bot.store.finish(work.delivery, STATES[ending])
            await self._jobs.remove(work.delivery.answer)
        except StorageError as exc:
            log.warning("delivery_waits", answer=work.delivery.answer, problem=exc.message)
            return False
        except Exception:
            log.exception("delivery_failed", answer=work.delivery.answer, kind=work.delivery.kind)
            return await self._give_up(work)
        return True

    async def _end(self, work: Work) -> Ending | None:
        """What became of it. None: it is a job, which goes on aside."""
        quiet = work.delivery.kind == "stop" or not work.begun_before
        if work.ended and quiet:
            return "withdrawn"  # before a word of it was written
        times = await self._taken_up(work)
        record = await self._bot.store.record(work.delivery.number)
        if record is None:
            return "gone"  # it was forgotten meanwhile
        if times > DEATHS_LIMIT:
            return await self._given_up(work, record, told=times == DEATHS_LIMIT + 1)
        if work.delivery.kind != "message":
            return await self._commanding.perform(work, record)
        ending = await self._answering.answer(work, record)
        if ending:
            self._bot.metrics.answers.labels(ending).inc()
        return ending

    async def _taken_up(self, work: Work) -> int:
        """Of how many processes this may be the last that takes it up, as known before it is begun."""
        if work.uncounted:
            work.times = await self._bot.store.taken_up(work.delivery.answer)
            work.uncounted = False
        return work.times

    async def _put_down(self, work: Work) -> None:
        """This process stops in order, or goes on with it later: nothing has died."""
        if work.times:
            work.times, work.uncounted = 0, True
            try:
                await self._bot.store.put_down(work.delivery.answer)
            except StorageError as exc:
                log.warning("delivery_stays_counted", answer=work.delivery.answer, problem=exc.message)

    async def _given_up(self, work: Work, record: Record, *, told: bool) -> Ending:
        """`told`: unless it was telling that the last one died of."""
        log.error("delivery_given_up", answer=work.delivery.answer, kind=work.delivery.kind, processes=DEATHS_LIMIT)
        ending = await self._commanding.tell(work, record, words.GIVEN_UP) if told else "failed"
        return "failed" if ending == "delivered" else ending

    async def _give_up(self, work: Work) -> bool:
        await self._tell_defect(work)
        try:
            await self._bot.store.finish(work.delivery, "failed")
            await self._jobs.remove(work.delivery.answer)
        except StorageError as exc:
            log.warning("delivery_waits", answer=work.delivery.answer, problem=exc.message)
            return False
        return True

    async def _tell_defect(self, work: Work) -> None:
        """Who asked, if that is not what the program fails at."""
        try:
            if record := await self._bot.store.record(work.delivery.number):
                await self._commanding.tell(work, record, {each: text("error-internal", each) for each in LANGUAGES})
        except Exception:  # whatever was defective before may be so here
            log.exception("defect_not_told", answer=work.delivery.answer)


def is_suspect(work: Work) -> bool:
    """Two processes died while it was under way. A job goes on beside others, as it may take hours."""
    return work.uncounted and work.delivery.deaths > 0 and not work.aside
