"""Runs a delivery until it is finished, with retries while the disk is full or the platform is down.

Stores how it ended. A delivery that crashed four processes is dropped: it would crash every further one, and
nobody else would get an answer. The handlers do the work itself.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping
from contextlib import nullcontext

import structlog

from bindings.delivery.context import DeliveryEnding
from bindings.delivery_records import DeliveryRecord, DeliveryState
from bindings.intake.bot import Bot
from bindings.intake.command_handler import CommandHandler
from bindings.intake.conversation_queue import DeliveryTask
from bindings.intake.message_handler import MessageHandler
from bindings.toil.jobs import Jobs
from core.errors import LeaseLost, StorageError

log = structlog.get_logger()

CRASH_LIMIT = 3  # of processes that resumed the delivery
CRASHED = f"dropped: it crashed more than {CRASH_LIMIT} processes"
STATES: Mapping[DeliveryEnding, DeliveryState] = {
    "delivered": "done",
    "stopped": "done",
    "failed": "failed",
    "refused": "failed",
    "withdrawn": "gone",
    "gone": "gone",
}


class DeliveryRunner:
    """Runs deliveries. `queue_job` takes over a delivery that turned out to be a job."""

    def __init__(
        self,
        bot: Bot,
        messages: MessageHandler,
        commands: CommandHandler,
        jobs: Jobs,
        queue_job: Callable[[DeliveryTask], None],
    ) -> None:
        self._bot = bot
        self._messages = messages
        self._commands = commands
        self._jobs = jobs
        self._queue_job = queue_job
        # After two crashes deliveries run one at a time, so that one that ran beside the culprit is not dropped too.
        self._suspects = asyncio.Lock()

    async def run(self, task: DeliveryTask) -> None:
        """Returns when the delivery is finished or continues as a job. Retries without a limit."""
        self._bot.metrics.waiting.dec()
        with self._bot.metrics.running.track_inprogress():
            try:
                async with self._suspects if is_suspect(task) else nullcontext():
                    await self._retry(task)
            except asyncio.CancelledError:
                await self._clear_attempt(task)
                raise

    async def _retry(self, task: DeliveryTask) -> None:
        for attempt in itertools.count(1):
            if await self._attempt(task):
                return
            task.resumed = True  # it may have posted pages that are not in the ledger
            await asyncio.sleep(self._bot.delivery_context.retry.pause_s(attempt))

    async def _attempt(self, task: DeliveryTask) -> bool:
        """Makes one attempt. False: retry later."""
        try:
            ending = await self._handle(task)
            if ending is None:
                await self._clear_attempt(task)
                task.long_running = True
                self._queue_job(task)
                return True
            if ending == "undelivered":
                return False
            await self._bot.store.finish(task.delivery, STATES[ending], task.reason)
            if ending == "refused":
                self._bot.metrics.undeliverable.inc()
            await self._jobs.remove(task.delivery.answer_id)
        except LeaseLost:
            return True  # for this process: another one continues it
        except StorageError as exc:
            log.warning("delivery_postponed", answer=task.delivery.answer_id, problem=exc.message)
            return False
        except Exception:
            log.exception("delivery_failed", answer=task.delivery.answer_id, kind=task.delivery.kind)
            return await self._fail(task)
        return True

    async def _handle(self, task: DeliveryTask) -> DeliveryEnding | None:
        """Passes the delivery to its handler. None: a job, which continues as a long-running delivery."""
        unseen = task.delivery.kind == "stop" or not task.resumed
        if task.ended and unseen:
            return "withdrawn"  # nothing of it was posted yet
        attempts = await self._record_attempt(task)
        record = await self._bot.store.record(task.delivery.number)
        if record is None:
            return "gone"  # the conversation was forgotten meanwhile
        if attempts > CRASH_LIMIT:
            return await self._drop(task, record, notify=attempts == CRASH_LIMIT + 1)
        if task.delivery.kind != "message":
            return await self._commands.handle(task, record)
        ending = await self._messages.handle(task, record)
        if ending:
            self._bot.metrics.answers.labels(ending).inc()
        return ending

    async def _record_attempt(self, task: DeliveryTask) -> int:
        """The number of processes that resumed it and may crash with it, stored before the work begins."""
        if task.uncounted:
            task.attempts = await self._bot.store.record_attempt(task.delivery.answer_id)
            task.uncounted = False
        return task.attempts

    async def _clear_attempt(self, task: DeliveryTask) -> None:
        """Uncounts this process, which stops in order or continues the delivery later."""
        if task.attempts:
            task.attempts, task.uncounted = 0, True
            try:
                await self._bot.store.clear_attempt(task.delivery.answer_id)
            except StorageError as exc:
                log.warning("attempt_clear_failed", answer=task.delivery.answer_id, problem=exc.message)

    async def _drop(self, task: DeliveryTask, record: DeliveryRecord, *, notify: bool) -> DeliveryEnding:
        """Drops a delivery. `notify`: posts a notice, unless the previous process crashed with the notice itself."""
        log.error("delivery_dropped", answer=task.delivery.answer_id, kind=task.delivery.kind, crashes=CRASH_LIMIT)
        ending = await self._commands.post_notice(task, record, "bot-dropped") if notify else "failed"
        task.reason = task.reason or CRASHED
        return "failed" if ending == "delivered" else ending

    async def _fail(self, task: DeliveryTask) -> bool:
        await self._post_defect(task)
        try:
            await self._bot.store.finish(task.delivery, "failed", "a defect; the log has its traceback")
            await self._jobs.remove(task.delivery.answer_id)
        except StorageError as exc:
            log.warning("delivery_postponed", answer=task.delivery.answer_id, problem=exc.message)
            return False
        return True

    async def _post_defect(self, task: DeliveryTask) -> None:
        """Posts an error to the person, unless the same defect prevents that too."""
        try:
            if record := await self._bot.store.record(task.delivery.number):
                await self._commands.post_notice(task, record, "error-internal")
        except Exception:
            log.exception("defect_notice_failed", answer=task.delivery.answer_id)


def is_suspect(task: DeliveryTask) -> bool:
    """True if two processes crashed with it. A job is exempt, because it may take hours."""
    return task.uncounted and task.delivery.crashes > 0 and not task.long_running
