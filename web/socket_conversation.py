"""One connection to /gpt-socket is one conversation, in either dialect.

Decides the order: prompts are answered one after another, `stop` and `forget` take effect at once. The end of the
connection cancels its answer, unless the prompt asked that it goes on (`web.running_answers`). `web.socket_frames`
encodes and decodes the frames.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from functools import partial

import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from core.contract import Description, Language, Masked, Prompt, TranscriptTurn
from core.errors import BadRequest, CspsError, Overloaded, SessionUnknown
from core.rag.context import CONTEXT_END
from core.texts import masked_text
from web.problems import person_text
from web.running_answers import AnswerEvent, Outcome, RunningAnswer, RunningAnswers, answer_events
from web.service import Service
from web.socket_frames import (
    AnswerFailed,
    AnswerFinished,
    Dialect,
    ForgetCommand,
    InformationMasked,
    PromptCommand,
    ResumeCommand,
    ServerMessage,
    SessionForgotten,
    SessionOpened,
    StopCommand,
)
from web.streaming import ClientGone

log = structlog.get_logger()

Unread = BadRequest | Overloaded  # the error of a frame that was not read: it takes its turn too
InboxItem = PromptCommand | ResumeCommand | Unread  # answered in order


@dataclass(frozen=True, slots=True)
class Client:
    user: str  # an opaque id, for fairness
    owner: str | None  # of the conversations; None: a program
    names: frozenset[str] = frozenset()  # by which access lists know it


class SocketConversation:
    """One socket's tasks: receive frames, answer in order, and wait for the service to stop."""

    def __init__(
        self,
        service: Service,
        answers: RunningAnswers,
        socket: web.WebSocketResponse,
        dialect: Dialect,
        personality: str,
        client: Client,
    ) -> None:
        self.service = service
        self.answers = answers
        self.socket = socket
        self.dialect = dialect
        self.personality = personality
        self.client = client
        self.session: str | None = None
        self.description: Description | None = None
        self.frames = 0
        self.inbox: asyncio.Queue[InboxItem] = asyncio.Queue()  # bounded by `enqueue`
        self.unanswered = 0  # in the inbox, or being answered
        self.sending_outcome = False  # the last frame about an item is being sent
        self.answer: asyncio.Task[Outcome] | RunningAnswer | None = None
        self.language: Language | None = None  # of the prompt that is being answered
        self.interruption: StopCommand | CspsError | None = None

    async def run(self) -> None:
        """Runs until either side closes the socket."""
        try:
            async with asyncio.TaskGroup() as tasks:
                answering = tasks.create_task(self.answer_in_order())
                closing = tasks.create_task(self.close_when_stopping())
                await self.receive(answering)
                answering.cancel()
                closing.cancel()
        except* ClientGone:
            log.info("socket_disconnected")
        except* Exception:
            log.exception("socket_failed")
            await self.close(WSCloseCode.INTERNAL_ERROR)

    # ------------------------------------------------------------ receiving

    async def receive(self, answering: asyncio.Task[None]) -> None:
        async for message in self.socket:
            if message.type is WSMsgType.BINARY:
                await self.close(WSCloseCode.UNSUPPORTED_DATA)
            elif message.type is WSMsgType.TEXT:
                await self.handle_frame(message.data, answering)

    async def handle_frame(self, frame: str, answering: asyncio.Task[None]) -> None:
        self.frames += 1
        try:
            decode = partial(self.dialect.decode, frame)
            command = await self.service.large_inputs.run(self.client.user, len(frame), decode)
        except (BadRequest, Overloaded) as error:
            await self.enqueue(error)
            return
        match command:
            case StopCommand():
                self.interrupt(command)
            case ForgetCommand():
                answering.cancel()
                await asyncio.wait([answering])
                await self.forget()
            case ResumeCommand() if self.frames > 1:
                await self.enqueue(BadRequest("`resume` must be the first frame", "resume"))
            case PromptCommand() | ResumeCommand():
                await self.enqueue(command)

    async def enqueue(self, item: InboxItem) -> None:
        if self.unanswered > self.service.limits.waiting_prompts:
            await self.close(WSCloseCode.POLICY_VIOLATION)
            return
        self.unanswered += 1
        self.inbox.put_nowait(item)

    def interrupt(self, reason: StopCommand | CspsError) -> None:
        """Ends the running answer, also one whose prompt has just arrived and has not started."""
        if self.unanswered and not self.sending_outcome:
            self.interruption = reason
            if isinstance(self.answer, RunningAnswer):
                self.answer.interrupt(reason if isinstance(reason, CspsError) else None)
            elif self.answer is not None:
                self.answer.cancel()

    async def forget(self) -> None:
        try:
            if self.session is not None:
                if self.client.owner:
                    await self.answers.end(self.client.owner, self.session)
                # An unknown session has expired, so it is already deleted.
                with suppress(SessionUnknown):
                    await self.service.engine.forget(self.session, self.client.owner)
        except CspsError as error:
            await self.send(self.build_failure(error))
            await self.close(WSCloseCode.INTERNAL_ERROR)
            return
        await self.send(SessionForgotten())
        await self.close(WSCloseCode.OK)

    # ------------------------------------------------------------ answering

    async def answer_in_order(self) -> None:
        while True:
            item = await self.inbox.get()
            outcome = await self.answer_item(item)
            self.sending_outcome = True
            if outcome is not None:
                await self.send(outcome)
            self.sending_outcome, self.interruption = False, None
            self.unanswered -= 1
            self.inbox.task_done()

    async def answer_item(self, item: InboxItem) -> AnswerFinished | AnswerFailed | None:
        """Returns the last frame about the item; None for a `resume` without a running answer."""
        self.language = item.language if isinstance(item, PromptCommand) else None
        try:
            outcome = await self.take(item)
        except CspsError as error:
            outcome = error
        if isinstance(outcome, CspsError):
            await self.load_description()
            return self.build_failure(outcome)
        return outcome

    async def take(self, item: InboxItem) -> Outcome | None:
        """Raises CspsError."""
        match item:
            case ResumeCommand(session):
                return await self.resume(session)
            case PromptCommand():
                return await self.reply(item)
            case BadRequest() | Overloaded():
                return item

    async def resume(self, session: str) -> Outcome | None:
        """Raises CspsError."""
        while True:
            running = self.answers.find(session, self.client.owner)
            turns = await self.service.engine.resume(session, self.personality, self.client.owner)
            if running is self.answers.find(session, self.client.owner):
                break  # else an answer began or ended meanwhile, and the turns may lack it
        if running is None and turns and turns[-1].role == "user":
            running = await self.answers.follow(self.build_prompt(PromptCommand(turns[-1].text), session))
        if running is None:
            await self.send_session(session, turns)
            return None
        await self.send_session(session, add_question(turns, running.prompt), answering=True)
        return await self.watch(running)

    async def reply(self, command: PromptCommand) -> Outcome:
        """Raises CspsError."""
        self.service.gate.check_open()
        if not command.text.strip():
            raise BadRequest("the prompt is empty", "empty")
        self.description = None  # another model may have taken over since the last prompt
        if self.session is None:
            await self.send_session(await self.service.engine.open(self.personality, self.client.owner), ())
        await self.load_description()
        assert self.session is not None
        prompt = self.build_prompt(command, self.session)
        if command.goes_on and self.client.owner:
            return await self.watch(self.answers.start(prompt, self.model))
        return await self.stream_interruptibly(prompt, self.session)

    def build_prompt(self, command: PromptCommand, session: str) -> Prompt:
        return Prompt(
            self.personality,
            command.text,
            session,
            self.client.user,
            language=command.language,
            attachments=command.attachments,
            owner=self.client.owner,
            revises=command.revises,
            revised=command.revised,
            keeps_attachments=command.keeps_attachments,
            channel="web",
            names=self.client.names,
        )

    async def watch(self, answer: RunningAnswer) -> Outcome:
        """Sends an answer that goes on without this connection. Raises ClientGone."""
        self.answer, self.language = answer, answer.prompt.language
        if self.interruption is not None:
            self.interrupt(self.interruption)
        async with aclosing(self.answers.watch(answer)) as events:
            async for event in events:
                await self.send_event(event)
        self.answer = None
        assert answer.outcome is not None
        return answer.outcome

    async def stream_interruptibly(self, prompt: Prompt, session: str) -> Outcome:
        if self.interruption is None:
            async with asyncio.TaskGroup() as tasks:
                task = self.answer = tasks.create_task(self.stream(prompt))
            self.answer = None
            if not task.cancelled():
                return task.result()
        if isinstance(self.interruption, CspsError):
            return self.interruption
        return AnswerFinished("stopped", self.model, session, None)

    async def stream(self, prompt: Prompt) -> Outcome:
        """Sends an answer that ends with this connection. Raises ClientGone."""
        outcome = None
        async with aclosing(
            answer_events(self.service, prompt, sources_in_text=self.dialect.sources_in_text)
        ) as events:
            async for event in events:
                if isinstance(event, AnswerFinished | CspsError):
                    outcome = event
                else:
                    await self.send_event(event)
        assert outcome is not None, "an answer ended without Done"
        return outcome

    async def send_session(self, session: str, turns: Sequence[TranscriptTurn], *, answering: bool = False) -> None:
        self.session = session
        await self.load_description()
        starter = self.description.starter if self.description else None
        await self.send(SessionOpened(session, self.personality, self.model, starter, tuple(turns), answering))

    async def load_description(self) -> None:
        if self.description is None or self.description.model is None:
            self.description = await self.service.description(self.personality)

    @property
    def model(self) -> str | None:
        return self.description.model if self.description else None

    # ------------------------------------------------------------ sending and closing

    def build_failure(self, error: CspsError) -> AnswerFailed:
        self.service.metrics.count_error(error)
        log.info("prompt_failed", code=error.code, personality=self.personality)
        detail = error.message if error.code == BadRequest.code else None
        return AnswerFailed(error.code, person_text(error, self.reader_language), error.retry_after_s, detail)

    @property
    def reader_language(self) -> Language | None:
        """The language of the prompt, else of the personality, if it is known."""
        return self.language or (self.description.language if self.description else None)

    async def send_event(self, event: AnswerEvent) -> None:
        """Raises ClientGone."""
        if isinstance(event, Masked):
            message = masked_text(event.found, self.reader_language or "en")
            question = event.question.rpartition(CONTEXT_END)[2].strip()
            await self.send(InformationMasked(event.found, question, message))
        else:
            await self.send(event)

    async def send(self, message: ServerMessage) -> None:
        """Raises ClientGone."""
        try:
            async with asyncio.timeout(self.service.limits.send_timeout_s):
                for frame in self.dialect.encode(message):
                    await self.socket.send_str(frame)
        except (TimeoutError, ConnectionError) as exc:
            raise ClientGone from exc

    async def close(self, code: int) -> None:
        # If the client does not take the closing frame either, `gpt_socket` resets the connection.
        with suppress(TimeoutError):
            async with asyncio.timeout(2 * self.service.limits.close_timeout_s):
                await self.socket.close(code=code)

    async def close_when_stopping(self) -> None:
        """When the service stops, answers the inbox within the drain time, then closes the socket."""
        gate = self.service.gate
        await gate.stopping.wait()
        try:
            async with asyncio.timeout(gate.drain_s):
                await self.inbox.join()
        except TimeoutError:
            self.interrupt(gate.build_error())
            await self.inbox.join()
        await self.close(WSCloseCode.GOING_AWAY)


def add_question(turns: Sequence[TranscriptTurn], prompt: Prompt) -> Sequence[TranscriptTurn]:
    """Adds the question of a running answer if it is not stored yet, because it waits for an earlier answer."""
    if turns and turns[-1].role == "user":
        return turns
    return (*turns, TranscriptTurn("user", prompt.text, tuple(file.name for file in prompt.attachments)))
