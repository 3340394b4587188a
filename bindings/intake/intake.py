"""The intake, to which all adapters pass their messages: takes each once, and runs it until it is finished.

Knows the running and waiting deliveries, and those that earlier processes left unfinished. Each delivery runs in
`bindings.intake.delivery_runner`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from bindings.delivery.context import DeliveryContext
from bindings.delivery_records import Delivery, DeliveryKind, DeliveryState
from bindings.incoming import IncomingMessage, Place, Platform
from bindings.intake.admission import BOT_PAUSE_S, AccessLists, ReplyRules, UserRateLimit, check_personality_names
from bindings.intake.bot import Bot, Greeting, LocalizedPersonality
from bindings.intake.command_handler import CommandHandler, explain_limit
from bindings.intake.commands import find_command, message_language
from bindings.intake.conversation_queue import ConversationQueue, DeliveryTask
from bindings.intake.delivery_runner import DeliveryRunner
from bindings.intake.message_handler import MessageHandler
from bindings.intake.screening import MessageScreening
from bindings.intake.work_sharing import WorkSharing
from bindings.metrics import BotMetrics
from bindings.process_lease import ProcessLease
from bindings.shared_deliveries import SharedDeliveries
from bindings.store import FeedbackValue, Store
from bindings.tables import hash_message
from bindings.toil.job_files import JobFiles
from bindings.toil.jobs import Jobs
from core.configuration.personalities import Personalities
from core.configuration.settings import Settings
from core.contract import Engine, Language
from core.errors import LeaseLost, PersonalInformationRefused, Stopping
from core.language import detect_language
from core.rag.facts.editing import FactsEditing
from core.runtime.background_tasks import purge_daily
from core.runtime.digest import hash_id
from core.runtime.keyed_limiter import KeyedLimiter
from core.screening import Screener
from core.texts import text

log = structlog.get_logger()

JOB_LIMIT = 4  # jobs at a time, besides the answers, because a job may take hours
MODEL_KINDS: tuple[DeliveryKind, ...] = ("message", "regenerate")  # they use the model, so the user limit applies


@dataclass(frozen=True, slots=True)
class TakenMessage:
    delivery: Delivery
    is_over: bool  # it gets no answer


class Intake:
    """Takes messages and runs deliveries, once per process. `clock` gives monotonic seconds."""

    def __init__(
        self,
        engine: Engine,
        platform: Platform,
        store: Store,
        personalities: Personalities,
        settings: Settings,
        metrics: BotMetrics,
        context: DeliveryContext | None = None,
        clock: Callable[[], float] = time.monotonic,
        editing: FactsEditing | None = None,
        screener: Screener | None = None,
    ) -> None:
        """`screener`: takes personal information out of messages; None: by the default policy.

        Raises ConfigError if the settings name an unknown personality.
        """
        screener = screener or Screener()
        context = context or DeliveryContext()
        health = context.health
        metrics.credentials_refused.set_function(lambda: float(health.credentials_problem is not None))
        if store.lease:
            context = replace(context, check_lease=store.lease.check)
        self._bot = bot = Bot(engine, platform, store, personalities, settings, metrics, context, editing, screener)
        self._screening = MessageScreening(bot)
        check_personality_names(bot.section, personalities, platform.name, settings.origin)
        section = bot.section
        self._access = AccessLists(section.allow, section.deny, section.bots)
        self._replies = ReplyRules(
            section.reply_in_threads, section.reply_in_threads_of, section.answer_without_mention
        )
        self._rate_limit = UserRateLimit(settings.bot.user_limit, clock)
        job_files = JobFiles(settings.data_folder / "jobs" / platform.name)
        self._jobs = Jobs(engine, job_files, settings.bot.row_limit, settings.model.slots, clock, screener)
        messages = MessageHandler(bot, self._jobs)
        commands = CommandHandler(bot, messages, self._rate_limit)
        runner = DeliveryRunner(bot, messages, commands, self._jobs, self._queue_job)
        self._answer_queue = ConversationQueue(runner.run, settings.bot.answers)
        self._job_queue = ConversationQueue(runner.run, JOB_LIMIT)
        self._takes: KeyedLimiter[None] = KeyedLimiter(1)  # by speaker
        self._shared = SharedDeliveries(store.lease) if store.lease else None
        self._sharing = self._build_sharing(store.lease, self._shared) if store.lease and self._shared else None

    def _build_sharing(self, lease: ProcessLease, shared: SharedDeliveries) -> WorkSharing:
        return WorkSharing(lease, shared, self._begin, self._running_conversations)

    async def take(self, incoming: IncomingMessage) -> bool:
        """Stores a message durably, and answers it in the background. False: this event was taken before.

        Raises Stopping and StorageError; then the adapter must not acknowledge, so that the platform delivers again.
        """
        self._check_open()
        admitted = self._access.admit(incoming)
        if "bots" in incoming.groups and not (admitted and await self._may_answer_bot(incoming.place)):
            return True  # neither an answer nor a refusal, which would be an answer to a bot
        taken = await self._store_new(incoming, admitted=admitted)
        (self._bot.metrics.repeats if taken is None else self._bot.metrics.events).inc()
        if taken and self._sharing:
            self._sharing.wake()  # it begins what this process owns
        elif taken and not taken.is_over:
            self._begin(DeliveryTask(taken.delivery))
        return taken is not None

    def rejection(self, incoming: IncomingMessage, language: Language | None = None) -> str | None:
        """The reason why this message would get no answer, before others see it. None: it would be answered.

        Raises Stopping.
        """
        self._check_open()
        language = language or message_language(incoming) or "en"
        if not self._access.admit(incoming):
            return text("bot-refused", language)
        uses_model = delivery_kind(incoming) in MODEL_KINDS
        wait_s = self._rate_limit.wait_s(incoming.speaker) if uses_model else 0.0
        return explain_limit(wait_s, language) if wait_s else None

    def _check_open(self) -> None:
        if self._answer_queue.draining:
            raise Stopping("the bot is stopping", retry_after_s=5.0)

    async def _store_new(self, incoming: IncomingMessage, *, admitted: bool) -> TakenMessage | None:
        """None: this event was taken before."""
        if not admitted:
            return await self._store(without_content(incoming), "refused")
        try:
            incoming = await self._screening.screen(incoming)
        except PersonalInformationRefused as exc:
            return await self._store(replace(without_content(incoming), masked=exc.found), "blocked")
        kind = delivery_kind(incoming)
        if kind in MODEL_KINDS:
            async with self._takes.slot(incoming.speaker):
                return await self._store_within_limit(incoming, kind)
        return await self._store(incoming, kind)

    async def _store_within_limit(self, incoming: IncomingMessage, kind: DeliveryKind) -> TakenMessage | None:
        """Over the limit, the first message becomes a notice, and later ones get no answer.

        Decided before the message is stored, because another process may answer it from then on.
        """
        limit, speaker, taken = self._rate_limit, incoming.speaker, None
        is_counted = limit.count(speaker)
        is_notice = not is_counted and limit.take_notice(speaker)
        try:
            if is_counted or is_notice:
                taken = await self._store(incoming, kind if is_counted else "limited")
            else:
                taken = await self._store(without_content(incoming), "limited", "done")
        finally:
            if taken is None and is_counted:
                limit.uncount(speaker)
            elif taken is None and is_notice:
                limit.return_notice(speaker)
        return taken

    async def _store(
        self, incoming: IncomingMessage, kind: DeliveryKind, state: DeliveryState = "received"
    ) -> TakenMessage | None:
        delivery = await self._bot.store.take(incoming, kind, state)
        return TakenMessage(delivery, is_over=state != "received") if delivery else None

    def _begin(self, task: DeliveryTask) -> None:
        if task.delivery.kind == "stop":
            self._stop_latest(task)
        if task.delivery.kind == "forget":
            self._end_conversation(task.delivery.conversation)
        self._enqueue(task, self._answer_queue)

    def _stop_latest(self, command: DeliveryTask) -> None:
        """Stops the running answer, else the last waiting one, else the job. Commands are not stopped: they are short.

        The command posts no notice of its own if the stopped answer says that it was stopped: one that is visible
        already.
        """
        conversation = command.delivery.conversation
        running, waiting = self._answer_queue.running(conversation), self._answer_queue.waiting(conversation)
        candidates = (
            *((running,) if running else ()),
            *reversed(waiting),
            *reversed(self._job_queue.of_conversation(conversation)),
        )
        latest = next((task for task in candidates if task.delivery.kind in MODEL_KINDS), None)
        if latest:
            latest.stop.set()
        shows_stop = latest and (latest.resumed or latest in (running, self._job_queue.running(conversation)))
        if shows_stop or command.resumed:
            command.withdrawn.set()
        command.stopped_another = latest is not None

    def _end_conversation(self, conversation: str) -> None:
        """Stops the running answer and drops waiting answers and jobs, before the conversation is deleted."""
        if running := self._answer_queue.running(conversation):
            running.stop.set()
        for other in (*self._answer_queue.waiting(conversation), *self._job_queue.of_conversation(conversation)):
            other.withdrawn.set()

    def _queue_job(self, task: DeliveryTask) -> None:
        self._enqueue(task, self._job_queue)

    def _enqueue(self, task: DeliveryTask, queue: ConversationQueue) -> None:
        self._bot.metrics.waiting.inc()
        queue.add(task)

    def listens(self, place: Place) -> bool:
        """True for a channel or group chat that the settings list as one where no message needs a mention."""
        return self._replies.listens(place)

    async def answers_without_mention(self, incoming: IncomingMessage) -> bool:
        """True if a message gets an answer although it does not mention the bot. Bots always need a mention."""
        place, store = incoming.place, self._bot.store
        if "bots" in incoming.groups:
            return False
        if place.kind == "personal" or self._replies.listens(place):
            return True
        mode = self._replies.thread_mode(place)
        if mode == "all":
            return await store.is_participating(place)
        return mode == "asked" and await store.has_asked(incoming)

    async def _may_answer_bot(self, place: Place) -> bool:
        """False after an answer to a bot, until a person asks or BOT_PAUSE_S pass: two bots must not form a loop."""
        latest = await self._bot.store.latest_question(place)
        return latest is None or "bots" not in latest[0].groups or self._bot.store.age_s(latest[1]) >= BOT_PAUSE_S

    async def withdraw_question(self, place: Place, message: str) -> None:
        """Ends the delivery of a deleted question silently. Ignores unknown ids."""
        message_hash = hash_message(place, message)
        for task in (*self._answer_queue.all(), *self._job_queue.all()):
            if task.delivery.message_hash == message_hash:
                task.withdrawn.set()
        if self._shared:
            await self._shared.withdraw_question(message_hash)

    async def stop_answer(self, place: Place, ref: str | None) -> None:
        """Ends the answer in message `ref` with a note: somebody pressed the platform's own stop button.

        None: all answers of the conversation, also those that wait for their turn.
        """
        for task in self._tasks(place):
            if ref is None or (task.ledger and ref in task.ledger.refs):
                task.stop.set()
        if self._shared:
            await self._shared.stop_answer(place, ref)

    async def record_feedback(self, answer: str, speaker: str, value: FeedbackValue, comment: str = "") -> bool:
        """Stores feedback, without personal information in the comment. False: no such answer exists."""
        language = detect_language(comment) or "en"
        comment = await self._bot.screener.note(comment, "", self._bot.platform_name, language)
        is_known = await self._bot.store.save_feedback(answer, speaker, value, comment)
        if is_known:
            self._bot.metrics.feedback.labels(value).inc()
        return is_known

    async def find_answer(self, place: Place, ref: str) -> str | None:
        """The id of the answer in message `ref`, for platforms whose buttons carry no id of ours."""
        return await self._bot.store.find_answer(place, ref)

    async def greeting(self, place: Place, language: Language | None) -> Greeting:
        """The greeting for an empty conversation."""
        name = await self._bot.personality_name(place, language)
        personality = self._bot.personalities.get(name)
        return await self._bot.greeting(LocalizedPersonality(personality, language or personality.language))

    async def forget_workspace(self, tenant: str) -> None:
        """Deletes everything about a workspace that removed the bot."""
        if not tenant:
            return
        platform = self._bot.platform.name
        places = {place.conversation: place for place in await self._bot.store.places(platform, tenant)}
        for place in places.values():
            await self._end_and_forget(place)
        await self._bot.store.delete_workspace(platform, tenant)
        log.info("workspace_deleted", platform=platform)

    async def forget_places(self, tenant: str, is_left: Callable[[Place], bool]) -> None:
        """Forgets the conversations in the parts of a workspace that removed the bot."""
        platform = self._bot.platform.name
        places = await self._bot.store.places(platform, tenant)
        left_places = {place.conversation: place for place in places if is_left(place)}
        for place in left_places.values():
            await self._end_and_forget(place)
            await self._bot.store.forget(place)
        log.info("conversations_deleted", platform=platform, count=len(left_places))

    async def _end_and_forget(self, place: Place) -> None:
        """Ends running deliveries first: they would store the conversation again."""
        for task in self._tasks(place):
            task.withdrawn.set()
        await self._bot.forget(place)

    def _tasks(self, place: Place) -> tuple[DeliveryTask, ...]:
        """All deliveries of a conversation, jobs included."""
        conversation = hash_id(place.conversation)
        return (*self._answer_queue.of_conversation(conversation), *self._job_queue.of_conversation(conversation))

    def editor_ids(self) -> frozenset[str]:
        """The ids and groups of people who may add documents to collections, or use what others may not."""
        editing, platform = self._bot.editing, self._bot.platform.name
        allowed = self._bot.engine.allowed_ids(platform)
        return allowed | editing.editor_ids(platform) if editing else allowed

    def personality_names(self) -> tuple[str, ...]:
        """Those that everybody may use: platforms list them before they know who asks."""
        return self._bot.engine.personalities(frozenset())

    async def join(self) -> None:
        """Makes this process one of those that share the work, where they do. Before that, no message can be taken."""
        if self._sharing:
            await self._sharing.join()

    async def run(self) -> None:
        """Resumes what earlier processes left, then runs new deliveries until cancelled. Raises StorageError."""
        if not self._sharing:
            await self._sweep_jobs()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._run_shared(self._sharing) if self._sharing else self._run_alone())
            group.create_task(purge_daily("files", self._bot.platform.purge))

    async def _run_alone(self) -> None:
        unfinished = await self._bot.store.unfinished(self._bot.platform.name)
        if unfinished:
            log.info("deliveries_resumed", platform=self._bot.platform.name, count=len(unfinished))
        for delivery in unfinished:
            self._begin(DeliveryTask(delivery, resumed=True, uncounted=True))
        async with asyncio.TaskGroup() as group:
            group.create_task(self._answer_queue.run())
            group.create_task(self._job_queue.run())

    async def _run_shared(self, sharing: WorkSharing) -> None:
        """A lost lease ends all that runs: other processes may do it now. The process then joins them anew."""
        while not self._answer_queue.draining:
            await sharing.join()
            await self._sweep_jobs()
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._answer_queue.run())
                    group.create_task(self._job_queue.run())
                    group.create_task(sharing.run())
            except* LeaseLost as lost:
                log.warning("lease_lost", platform=self._bot.platform.name, problem=str(lost.exceptions[0]))
                self._answer_queue.clear()
                self._job_queue.clear()
                self._bot.metrics.waiting.set(0)

    async def _sweep_jobs(self) -> None:
        """Removes the files of finished jobs. Lists them first: a job that begins meanwhile is unfinished."""
        jobs = await self._jobs.stored()
        for job in jobs - await self._bot.store.unfinished_answers(self._bot.platform.name):
            await self._jobs.remove(job)

    def _running_conversations(self) -> frozenset[str]:
        return self._answer_queue.running_conversations() | self._job_queue.running_conversations()

    async def drain(self, limit_s: float) -> None:
        """Starts nothing new and waits up to `limit_s`. Another process resumes the unfinished deliveries."""
        self._answer_queue.hold()
        self._job_queue.hold()
        if self._sharing:
            self._sharing.hold()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._answer_queue.drain(limit_s))
            group.create_task(self._job_queue.drain(limit_s))
        if self._sharing:
            await self._sharing.leave()


def delivery_kind(incoming: IncomingMessage) -> DeliveryKind:
    command = find_command(incoming)
    return command.name if command else "message"


def without_content(incoming: IncomingMessage) -> IncomingMessage:
    """The message of a person whom the bot does not serve, without content; its language is kept for the refusal."""
    empty = replace(incoming, text="", files=(), quoted=(), unread=(), groups=(), command=None)
    return replace(empty, language=message_language(incoming))
