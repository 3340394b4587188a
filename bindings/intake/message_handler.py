"""Answers one message: reads its files and its thread, then replies, returns JSON or runs a job.

Does not decide who gets an answer, or when: the intake did.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace

import structlog

from bindings.content import describe_unread
from bindings.delivery.context import DeliveryEnding, DeliveryOptions
from bindings.delivery.deliver import deliver, deliver_file, deliver_notice
from bindings.delivery.outlet import DeliveryError, Outlet, Refused, Upload
from bindings.delivery_records import DeliveryRecord
from bindings.files import ROW_FORMATS, MessageFiles, TextFile, explain_unread, read_files
from bindings.incoming import AttachedFile, IncomingMessage, ThreadMessages, UnreadPart
from bindings.intake.bot import Bot, LocalizedPersonality, build_footer
from bindings.intake.conversation_queue import DeliveryTask
from bindings.intake.screening import MessageScreening, masked_in
from bindings.store import DeliveryLedger
from bindings.toil.job_files import JobPlan
from bindings.toil.jobs import JobRefused, JobRequest, Jobs
from bindings.toil.schema_reply import (
    SchemaRequest,
    answer_with_json,
    error_events,
    find_schema,
    require_schema,
    with_error_detail,
)
from core.contract import Attachment, Event, Prompt, Task
from core.errors import BadRequest
from core.texts import text

log = structlog.get_logger()

THREAD_LIMIT_S = 20.0
SEEN_ENDINGS = ("delivered", "stopped", "failed")  # the person saw how the answer ended


@dataclass(frozen=True, slots=True)
class MessageContext:
    """A message with everything that its answer is made from."""

    record: DeliveryRecord
    localized: LocalizedPersonality
    files: MessageFiles
    thread: ThreadMessages
    thread_files: MessageFiles  # they are read as documents, and never as a schema or rows
    again: bool

    @property
    def incoming(self) -> IncomingMessage:
        return self.record.incoming

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        files = tuple(file.attachment for file in (*self.files.readable, *self.thread_files.readable))
        return (*self.thread.found.quoted, *files)

    @property
    def unread(self) -> tuple[UnreadPart, ...]:
        """The parts of the message that cannot be read, without those that the platform found with the thread."""
        parts = list(self.incoming.unread)
        for part in self.thread.found.unread:
            if part in parts:
                parts.remove(part)
        return tuple(parts)

    @property
    def unread_note(self) -> tuple[Attachment, ...]:
        """Tells the model which parts of the message cannot be read, so that it does not invent them."""
        note = describe_unread(self.unread, self.localized.language)
        return (Attachment(text("prompt-unread-name", self.localized.language), note),) if note else ()

    def material(self, files: Sequence[TextFile]) -> tuple[Attachment, ...]:
        """The quotes, files and thread from which JSON is made, besides the message itself."""
        lines = [f"{turn.speaker or turn.role}: {turn.text}" for turn in self.thread.turns]
        name = text("prompt-thread-name", self.localized.language)
        thread = (Attachment(name, "\n".join(lines)),) if lines else ()
        readable = (*files, *self.thread_files.readable)
        return (*self.incoming.quoted, *self.thread.found.quoted, *(file.attachment for file in readable), *thread)

    def explain_unread(self, limit_bytes: int) -> list[str]:
        """A sentence for each reason why a part of the message or of its thread was not read."""
        language = self.localized.language
        files = MessageFiles(
            (*self.files.readable, *self.thread_files.readable), (*self.files.unread, *self.thread_files.unread)
        )
        note = describe_unread((*self.unread, *self.thread.unread), language)
        return [*([note] if note else []), *explain_unread(files, limit_bytes, language)]


class ReplyInstead(Exception):
    """The answer is a notice of the bot, not the model's."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class MessageHandler:
    """Answers one message at a time, until it is finished."""

    def __init__(self, bot: Bot, jobs: Jobs) -> None:
        self._bot = bot
        self._jobs = jobs
        self._screening = MessageScreening(bot)

    async def handle(self, task: DeliveryTask, record: DeliveryRecord, *, again: bool = False) -> DeliveryEnding | None:
        """Answers a message. `again`: replaces its previous answer, in the same place.

        None: the message is a job, which is planned now, and runs when a long-running task calls this once more.

        Raises StorageError; then retry.
        """
        localized = await self._bot.choose_personality(record.incoming, pin=True)
        may_be_planned = task.resumed or task.long_running
        plan = await self._jobs.load_plan(task.delivery.answer_id) if may_be_planned else None
        thread = await self._read_thread(record)
        files, thread_files = MessageFiles(), MessageFiles()
        if not plan:
            files = await self._read_files((*record.incoming.files, *thread.found.files))
            thread_files = await self._read_files(thread.files)
        context = MessageContext(record, localized, files, thread, thread_files, again)
        delivery = AnswerDelivery(self._bot, task, context)
        if task.withdrawn.is_set():
            return await delivery.deliver(no_events())  # with a prompt, the engine would store the question
        try:
            if plan:
                return await self._run_job(delivery, plan)
            return await self._answer(delivery, context)
        except ReplyInstead as notice:
            return await delivery.deliver_notice(notice.text)
        except BadRequest as exc:
            return await delivery.deliver(error_events(exc))

    async def _answer(self, delivery: AnswerDelivery, context: MessageContext) -> DeliveryEnding | None:
        """Raises ReplyInstead, and BadRequest for a request that is wrong from the start."""
        request = find_request(context)
        if request is None:
            return await delivery.deliver(self._bot.engine.reply(await self._build_prompt(context)))
        tables = [file for file in request.files if file.format in ROW_FORMATS]
        if not tables:
            task = build_task(context, request)
            events = answer_with_json(self._bot.engine, task, delivery.send, context.localized.language)
            return await delivery.deliver(with_error_detail(events))
        if len(tables) > 1:
            raise ReplyInstead(text("bot-rows-several", context.localized.language))
        return await self._run_job(delivery, await self._plan(delivery, context, request, tables[0]))

    async def _plan(
        self, delivery: AnswerDelivery, context: MessageContext, request: SchemaRequest, rows: TextFile
    ) -> JobPlan:
        try:
            return await self._jobs.plan(delivery.job, build_job_request(context, request, rows))
        except JobRefused as exc:
            raise ReplyInstead(exc.text(context.localized.language)) from exc

    async def _run_job(self, delivery: AnswerDelivery, plan: JobPlan) -> DeliveryEnding | None:
        """Runs a job. It handles `stop` itself, because the finished rows are still delivered."""
        if not delivery.task.long_running:
            return None
        language = delivery.context.localized.language
        model = await delivery.model() or ""
        events = self._jobs.run(delivery.job, plan, delivery.send, delivery.task.stop, language, model)
        return await delivery.deliver(with_error_detail(events), stops=False)

    async def _build_prompt(self, context: MessageContext) -> Prompt:
        """Raises ReplyInstead for an empty message."""
        incoming, localized = context.incoming, context.localized
        question = incoming.text.strip()
        if not question and (context.attachments or incoming.quoted):
            question = text("prompt-about-files", localized.language)
        elif not question and context.thread.turns:
            question = text("prompt-about-thread", localized.language)
        elif not question:
            unread = context.explain_unread(self._bot.settings.bot.file_limit_bytes)
            raise ReplyInstead("\n".join(unread) or await self._bot.help_text(localized))
        attachments = (*context.attachments, *context.unread_note)
        prompt = incoming.build_prompt(localized.personality.name, attachments, context.thread.turns)
        receipt = context.record.delivery.answer_id  # feedback names the answer by it
        return replace(prompt, text=question, language=localized.language, again=context.again, receipt=receipt)

    async def question_files(self, record: DeliveryRecord) -> tuple[AttachedFile, ...]:
        """The files attached to a message, also those that its event did not have."""
        thread = await self._read_thread(record)
        return (*record.incoming.files, *thread.found.files)

    async def thread_files(self, record: DeliveryRecord) -> tuple[AttachedFile, ...]:
        """The files of the thread's other messages that the bot has not answered yet."""
        return (await self._read_thread(record)).files

    async def _read_files(self, files: Sequence[AttachedFile]) -> MessageFiles:
        limit_bytes = self._bot.settings.bot.file_limit_bytes
        return await read_files(self._bot.engine, self._bot.platform, files, limit_bytes)

    async def _read_thread(self, record: DeliveryRecord) -> ThreadMessages:
        """The thread's messages. If the platform does not return them, the message is answered without."""
        if record.thread_messages is not None:
            return record.thread_messages
        name = self._bot.platform.name
        try:
            async with asyncio.timeout(THREAD_LIMIT_S):
                messages = await self._bot.platform.thread_messages(record.incoming)
        except DeliveryError as exc:
            log.warning("thread_read_failed", platform=name, problem=exc.message)
            return ThreadMessages()
        except TimeoutError:
            log.warning("thread_read_failed", platform=name, limit_s=THREAD_LIMIT_S)
            return ThreadMessages()
        localized = await self._bot.choose_personality(record.incoming)
        messages = await self._screening.screen_thread(messages, record.incoming, localized)
        await self._bot.store.save_thread_messages(record.delivery.number, messages)
        return messages


class AnswerDelivery:
    """Delivers the answer to one message, with its footer, notices and files."""

    def __init__(self, bot: Bot, task: DeliveryTask, context: MessageContext) -> None:
        self._bot = bot
        self.task = task
        self.context = context
        self.job = task.delivery.answer_id  # not the replaced answer's id: a repeated job has files of its own
        self._outlet: Outlet = bot.outlet(context.incoming, context.localized)
        self._ledger = DeliveryLedger(bot.store, context.record, resumed=task.resumed)
        self._file_sent = context.record.uploaded
        self._options = DeliveryOptions(
            context.localized.language, context.record.delivery.answer_id, context=bot.delivery_context
        )
        task.ledger = self._ledger

    async def model(self) -> str | None:
        """The name of the model, if the engine knows it before the answer."""
        described = await self._bot.describe(self.context.localized.personality)
        return described.model if described else None

    async def deliver(self, events: AsyncGenerator[Event, None], *, stops: bool = True) -> DeliveryEnding:
        """Delivers events. `stops`: the stop command ends the delivery; otherwise the events handle it."""
        outcome = await deliver(events, self._outlet, self._ledger, await self._build_options(stops=stops))
        self.task.reason = outcome.reason
        if outcome.done:
            self._bot.metrics.count_answer(outcome.done)
        store, incoming = self._bot.store, self.context.incoming
        if outcome.ending in SEEN_ENDINGS and not await store.has_seen_notice(incoming, "privacy"):
            await store.record_notice(incoming, "privacy")
        return outcome.ending

    async def deliver_notice(self, notice: str) -> DeliveryEnding:
        outcome = await deliver_notice(notice, self._outlet, self._ledger, self._options)
        self.task.reason = outcome.reason
        return outcome.ending

    async def send(self, upload: Upload) -> bool:
        """Sends the answer's file once. False: show its content instead."""
        if self._file_sent:
            return True
        try:
            options = replace(self._options, answer_id=self.job)
            self._file_sent = await deliver_file(upload, self._outlet, self._ledger, options)
        except Refused as exc:
            log.warning("upload_refused", answer=self._options.answer_id, problem=exc.message)
            return False
        if self._file_sent:
            await self._bot.store.record_upload(self.task.delivery.number)
        return self._file_sent

    async def _build_options(self, *, stops: bool) -> DeliveryOptions:
        language, model = self.context.localized.language, await self.model()
        return replace(
            self._options,
            channel=self.context.incoming.place.channel,
            footer=build_footer(language, model, labelled=False),
            labelled_footer=build_footer(language, model, labelled=True),
            notice=await self._build_notice() or None,
            masked=masked_in(self.context.incoming, self.context.thread),
            stop=self.task.stop if stops else asyncio.Event(),
            withdrawn=self.task.withdrawn,
        )

    async def _build_notice(self) -> str:
        """Lists unread files, and at first contact adds the privacy notice."""
        language = self.context.localized.language
        lines = self.context.explain_unread(self._bot.settings.bot.file_limit_bytes)
        if not await self._bot.store.has_seen_notice(self.context.incoming, "privacy"):
            lines.append(text("bot-privacy", language, days=self._bot.keep_days))
        return "\n".join(lines)


def find_request(context: MessageContext) -> SchemaRequest | None:
    """The schema in the message, if there is one.

    Raises ReplyInstead if the command for JSON came without one, and BadRequest if it is broken.
    """
    message, files = context.incoming.text, context.files.readable
    if not context.incoming.toil:
        return find_schema(message, files)
    if request := require_schema(message, files):
        return request
    raise ReplyInstead(text("bot-schema-missing", context.localized.language))


def build_task(context: MessageContext, request: SchemaRequest) -> Task:
    """Raises ReplyInstead if there is nothing to make a value from."""
    incoming, localized = context.incoming, context.localized
    attachments = context.material(request.files)
    if not request.prompt and not attachments:
        raise ReplyInstead(text("bot-schema-alone", localized.language))
    return Task(
        localized.personality.name,
        request.prompt or text("prompt-fill-in", localized.language),
        request.schema,
        user=incoming.speaker,
        conversation=incoming.place.conversation,
        attachments=attachments,
        key=incoming.event,
        channel=incoming.place.platform,
        names=incoming.names,
        receipt=context.record.delivery.answer_id,
    )


def build_job_request(context: MessageContext, request: SchemaRequest, rows: TextFile) -> JobRequest:
    return JobRequest(
        context.localized.personality.name,
        request.schema,
        request.prompt,
        rows,
        context.material([file for file in request.files if file is not rows]),
        context.incoming.speaker,
        context.localized.language,
        context.incoming.place.platform,
        context.incoming.names,
    )


async def no_events() -> AsyncGenerator[Event, None]:
    """The events of a withdrawn question."""
    return
    yield
