"""The intake that all adapters hand their messages to: taken once, admitted or not, and brought to an end.

Owns who is served and when, what is under way, and what was left by a process that is gone. How work is brought to an
end is in `bindings.intake.performing`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import structlog

from bindings import words
from bindings.bot import Bot, Voice, spoken
from bindings.delivery.manner import Means
from bindings.delivery.outlet import Sentences
from bindings.incoming import Incoming, Place
from bindings.intake import notices, routing
from bindings.intake.admission import Limiter, Lists
from bindings.intake.answering import Answering
from bindings.intake.commanding import Commanding, limited
from bindings.intake.commands import command_of
from bindings.intake.notices import Greeting
from bindings.intake.performing import Performing
from bindings.intake.workload import Work, Workload
from bindings.metrics import Metrics
from bindings.platform import Platform
from bindings.store import Delivery, Feedback, Kind, Store
from bindings.tables import source_of
from bindings.toil.job_files import JobFiles
from bindings.toil.jobs import Jobs
from core.configuration.personalities import Personalities
from core.configuration.settings import Settings
from core.contract import Engine, Language
from core.errors import Stopping, StorageError
from core.runtime.digest import hash_id
from core.storage.purging import purge_daily

log = structlog.get_logger()

JOBS_AT_ONCE = 4  # beside the answers, for a job may take hours
LIMITED: tuple[Kind, ...] = ("message", "regenerate")  # what costs something


class Intake:
    """One per process. `clock` gives seconds that never jump back."""

    def __init__(
        self,
        engine: Engine,
        platform: Platform,
        store: Store,
        personalities: Personalities,
        settings: Settings,
        metrics: Metrics,
        means: Means | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises ConfigError if a personality that the settings name is not there."""
        means = means or Means()
        self._bot = bot = Bot(engine, platform, store, personalities, settings, metrics, means)
        routing.check(bot.section, personalities, platform.name, settings.origin)
        self._lists = Lists(bot.section.allow, bot.section.deny)
        self._limiter = Limiter(settings.bot.user_limit, clock)
        self._jobs = Jobs(
            engine,
            JobFiles(settings.data_folder / "jobs" / platform.name),
            settings.bot.row_limit,
            settings.model.slots,
            clock,
        )
        answering = Answering(bot, self._jobs)
        commanding = Commanding(bot, answering, self._limiter)
        performing = Performing(bot, answering, commanding, self._jobs, self._go_on_aside)
        self._workload = Workload(performing.perform, settings.bot.answers)
        self._aside = Workload(performing.perform, JOBS_AT_ONCE)

    async def take(self, incoming: Incoming) -> bool:
        """Durable when it returns; then the work goes on in the background. False: this event was taken before.

        Raises StorageError (then do not acknowledge, so that the platform delivers again) and Stopping.
        """
        if self._workload.draining:
            raise Stopping("the bot is being stopped", retry_after_s=5.0)
        admitted = self._lists.admit(incoming.place, incoming.user)
        if not admitted and incoming.place.kind != "personal":
            return True  # silence, and nothing of it is kept
        delivery = await (self._take(incoming) if admitted else self._bot.store.take(stripped(incoming), "refused"))
        (self._bot.metrics.repeats if delivery is None else self._bot.metrics.events).inc()
        if delivery and (admissible := await self._within_limit(incoming, delivery)):
            self._begin(Work(admissible))
        return delivery is not None

    def turned_away(self, incoming: Incoming) -> Sentences | None:
        """Why this would not be answered; None: it would be. For what others would see before it is taken.

        Raises Stopping.
        """
        if self._workload.draining:
            raise Stopping("the bot is being stopped", retry_after_s=5.0)
        if not self._lists.admit(incoming.place, incoming.user):
            return words.REFUSED
        is_limited = kind_of(incoming) in LIMITED
        wait_s = self._limiter.wait_s(incoming.speaker) if is_limited else 0.0
        return limited(wait_s) if wait_s else None

    async def _take(self, incoming: Incoming) -> Delivery | None:
        return await self._bot.store.take(incoming, kind_of(incoming))

    async def _within_limit(self, incoming: Incoming, delivery: Delivery) -> Delivery | None:
        """None: of what is beyond the limit, one is answered by saying so, and the others by nothing."""
        if delivery.kind not in LIMITED or self._limiter.count(incoming.speaker):
            return delivery
        limited = replace(delivery, kind="limited")
        try:
            await self._bot.store.limit(delivery.number)
            if not self._limiter.tell(incoming.speaker):
                await self._bot.store.finish(limited, "done")
                return None
        except StorageError as exc:  # it is taken, and the platform would give it again in vain
            log.warning("limit_not_kept", answer=delivery.answer, problem=exc.message)
        return limited

    def _begin(self, work: Work) -> None:
        if work.delivery.kind == "stop":
            self._stop(work)
        if work.delivery.kind == "forget":
            self._clear(work.delivery.conversation)
        self._line_up(work, self._workload)

    def _stop(self, wish: Work) -> None:
        """What is being written; else what would be written last; else the job. Commands are over in no time."""
        conversation = wish.delivery.conversation
        running, waiting = self._workload.running(conversation), self._workload.waiting(conversation)
        under_way = (running,) if running else ()
        works = (*under_way, *reversed(waiting), *reversed(self._aside.of(conversation)))
        latest = next((work for work in works if work.delivery.kind in LIMITED), None)
        if latest:
            latest.stop.set()
        says_so = latest and (latest.begun_before or latest in (running, self._aside.running(conversation)))
        if says_so or wish.begun_before:
            wish.withdrawn.set()
        wish.has_stopped = latest is not None

    def _clear(self, conversation: str) -> None:
        """Before a conversation is forgotten: the answer ends, and what nobody has seen anything of is dropped."""
        if running := self._workload.running(conversation):
            running.stop.set()
        for other in (*self._workload.waiting(conversation), *self._aside.of(conversation)):
            other.withdrawn.set()

    def _go_on_aside(self, work: Work) -> None:
        self._line_up(work, self._aside)

    def _line_up(self, work: Work, workload: Workload) -> None:
        self._bot.metrics.waiting.inc()
        workload.add(work)

    async def taking_part(self, place: Place) -> bool:
        """Whether the bot was asked in this conversation and answers there, so that a mention is not needed."""
        return await self._bot.store.taking_part(place)

    async def withdrawn(self, place: Place, message: str) -> None:
        """The question was deleted: what is under way for it ends quietly. Unknown ids are fine."""
        source = source_of(place, message)
        for work in (*self._workload.under_way(), *self._aside.under_way()):
            if work.delivery.source == source:
                work.withdrawn.set()

    async def stopped(self, place: Place, ref: str) -> None:
        """The platform's own stop was pressed on the answer message `ref`: it ends with a note."""
        for work in self._works(place):
            if work.ledger and ref in work.ledger.refs:
                work.stop.set()

    async def feedback(self, answer: str, speaker: str, value: Feedback, comment: str = "") -> bool:
        """False: there is no such answer."""
        known = await self._bot.store.judge(answer, speaker, value, comment)
        if known:
            self._bot.metrics.feedback.labels(value).inc()
        return known

    async def answer_at(self, place: Place, ref: str) -> str | None:
        """The id of the answer that is in the message `ref`, for platforms whose buttons carry no id of ours."""
        return await self._bot.store.answer_at(place, ref)

    async def greeting(self, place: Place, language: Language | None) -> Greeting:
        """What stands at the beginning of a conversation in which nothing was said."""
        name = await self._bot.answering(place, language)
        personality = self._bot.personalities.get(name)
        return await notices.greeting(self._bot, Voice(personality, language or personality.language))

    async def uninstalled(self, tenant: str) -> None:
        """What is known of a workspace is deleted."""
        if not tenant:
            return
        platform = self._bot.platform.name
        there = {place.conversation: place for place in await self._bot.store.places(platform, tenant)}
        for place in there.values():
            await self._taken_out(place)
        await self._bot.store.uninstalled(platform, tenant)
        log.info("workspace_deleted", platform=platform)

    async def left(self, tenant: str, is_left: Callable[[Place], bool]) -> None:
        """The bot was taken out of a part of a workspace: the conversations there are forgotten."""
        platform = self._bot.platform.name
        left = {place.conversation: place for place in await self._bot.store.places(platform, tenant) if is_left(place)}
        for place in left.values():
            await self._taken_out(place)
            await self._bot.store.forget(place)
        log.info("conversations_left", platform=platform, count=len(left))

    async def _taken_out(self, place: Place) -> None:
        """What is under way there ends first: it would be stored again."""
        for work in self._works(place):
            work.withdrawn.set()
        await self._bot.forget(place)

    def _works(self, place: Place) -> tuple[Work, ...]:
        """All that is under way in a conversation, jobs included."""
        conversation = hash_id(place.conversation)
        return (*self._workload.of(conversation), *self._aside.of(conversation))

    def personalities(self) -> tuple[str, ...]:
        return self._bot.personalities.names()

    async def run(self) -> None:
        """Until cancelled: what a process left that is gone is taken up, then what comes. Raises StorageError."""
        left = await self._bot.store.unfinished(self._bot.platform.name)
        await self._jobs.sweep({delivery.answer for delivery in left})
        if left:
            log.info("deliveries_taken_up", platform=self._bot.platform.name, count=len(left))
        for delivery in left:
            self._begin(Work(delivery, begun_before=True, uncounted=True))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._workload.run())
            tasks.create_task(self._aside.run())
            tasks.create_task(purge_daily("deliveries", self._purge))

    async def drain(self, limit_s: float) -> None:
        """Nothing is begun any more. What is not done in time stays in the database, for the next process."""
        self._workload.hold()
        self._aside.hold()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._workload.drain(limit_s))
            tasks.create_task(self._aside.drain(limit_s))

    async def _purge(self) -> int:
        count = await self._bot.store.purge(timedelta(days=self._bot.keep_days))
        await self._bot.platform.purge()
        return count


def kind_of(incoming: Incoming) -> Kind:
    command = command_of(incoming)
    return command.name if command else "message"


def stripped(incoming: Incoming) -> Incoming:
    """Of whom the bot does not serve it keeps nothing that was said."""
    bare = replace(incoming, text="", files=(), quoted=(), command=None)
    return replace(bare, language=spoken(incoming))
