"""Brings what was taken to an end, however often it takes: through a full disk, and a platform that stays down.

Owns what an end means for the delivery. What the work is, `answering` and `commanding` know.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping

import structlog

from bindings.bot import Bot
from bindings.delivery.manner import Ending
from bindings.desk.answering import Answering
from bindings.desk.commanding import Commanding
from bindings.desk.workload import Work
from bindings.store import State
from bindings.toil.jobs import Jobs
from core.errors import StorageError

log = structlog.get_logger()

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

    async def perform(self, work: Work) -> None:
        """Returns when it is finished, or goes on aside; tries again for as long as it takes."""
        self._bot.metrics.waiting.dec()
        with self._bot.metrics.running.track_inprogress():
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
        record = await self._bot.store.record(work.delivery.number)
        if record is None:
            return "gone"  # it was forgotten meanwhile
        if work.delivery.kind != "message":
            return await self._commanding.perform(work, record)
        ending = await self._answering.answer(work, record)
        if ending:
            self._bot.metrics.answers.labels(ending).inc()
        return ending

    async def _give_up(self, work: Work) -> bool:
        try:
            await self._bot.store.finish(work.delivery, "failed")
        except StorageError as exc:
            log.warning("delivery_waits", answer=work.delivery.answer, problem=exc.message)
            return False
        return True
