"""/gpt-socket: one connection is one conversation, in either dialect.

Decides the order: prompts are answered one after another, `stop` and `forget` take effect at once. The end of the
connection cancels its answer. `web.socket_frames` encodes and decodes the frames.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from core.contract import Description, Done, Prompt, TranscriptTurn
from core.errors import BadRequest, CspsError, SessionUnknown
from web.problems import InternalError, UpgradeRequired, person_text
from web.service import SERVICE, Service, open_reply
from web.socket_frames import (
    SUBPROTOCOL,
    AnswerFailed,
    AnswerFinished,
    Dialect,
    ForgetCommand,
    PlainDialect,
    PromptCommand,
    ResumeCommand,
    ServerMessage,
    SessionForgotten,
    SessionOpened,
    StopCommand,
    V1Dialect,
)
from web.streaming import ClientGone, reset
from web.visitor import find_owner

log = structlog.get_logger()

SOCKET = web.RequestKey("socket", web.WebSocketResponse)

InboxItem = PromptCommand | ResumeCommand | BadRequest  # answered in order; an invalid frame takes its turn too


async def gpt_socket(request: web.Request) -> web.WebSocketResponse:
    """GET /gpt-socket/<personality>. Refuses before the upgrade where it can, so that the client gets a status."""
    service = request.app[SERVICE]
    personality = service.check_personality(request.match_info["personality"])
    dialect = negotiate(request)
    socket = build_socket(service)
    if not socket.can_prepare(request):
        raise UpgradeRequired("this is a WebSocket endpoint: connect with a WebSocket client")
    await socket.prepare(request)
    request[SOCKET] = socket
    try:
        await SocketConversation(
            service, socket, dialect, personality, service.user_id(request), find_owner(request)
        ).run()
    finally:
        transport = request.transport
        if isinstance(transport, asyncio.Transport) and transport.get_write_buffer_size():
            reset(transport)  # closing would wait for a client that takes no data
    return socket


def build_socket(service: Service) -> web.WebSocketResponse:
    return web.WebSocketResponse(
        protocols=(SUBPROTOCOL,),
        heartbeat=service.limits.heartbeat_s,
        timeout=service.limits.close_timeout_s,
        max_msg_size=service.settings.body_limit_bytes,
        compress=False,  # frames of a few letters do not shrink
        writer_limit=0,  # each frame waits for a slow client
    )


def negotiate(request: web.Request) -> Dialect:
    offered = [name.strip() for name in ",".join(request.headers.getall("Sec-WebSocket-Protocol", [])).split(",")]
    if SUBPROTOCOL in offered:
        return V1Dialect()
    if any(offered):
        raise BadRequest(f"the only subprotocol is {SUBPROTOCOL}; offer none for plain text")
    return PlainDialect()


class SocketConversation:
    """One socket's tasks: receive frames, answer in order, and wait for the service to stop."""

    def __init__(
        self,
        service: Service,
        socket: web.WebSocketResponse,
        dialect: Dialect,
        personality: str,
        user: str,
        owner: str | None,
    ) -> None:
        self.service = service
        self.socket = socket
        self.dialect = dialect
        self.personality = personality
        self.user = user
        self.owner = owner
        self.session: str | None = None
        self.description: Description | None = None
        self.frames = 0
        self.inbox: asyncio.Queue[InboxItem] = asyncio.Queue()  # bounded by `enqueue`
        self.unanswered = 0  # in the inbox, or being answered
        self.sending_outcome = False  # the last frame about an item is being sent
        self.answer: asyncio.Task[AnswerFinished | CspsError] | None = None
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
            command = self.dialect.decode(frame)
        except BadRequest as error:
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
            if self.answer is not None:
                self.answer.cancel()

    async def forget(self) -> None:
        try:
            if self.session is not None:
                # An unknown session has expired, so it is already deleted.
                with suppress(SessionUnknown):
                    await self.service.engine.forget(self.session, self.owner)
        except CspsError as error:
            await self.send(self.build_failure(error, None))
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
        """Returns the last frame about the item; None for a `resume` that works: its `session` frame is the answer."""
        try:
            match item:
                case ResumeCommand(session):
                    turns = await self.service.engine.resume(session, self.personality, self.owner)
                    await self.send_session(session, turns)
                    return None
                case PromptCommand():
                    return await self.reply(item)
                case BadRequest():
                    raise item
        except CspsError as error:
            await self.load_description()
            return self.build_failure(error, item)

    async def reply(self, prompt: PromptCommand) -> AnswerFinished:
        """Raises CspsError."""
        self.service.gate.check_open()
        if not prompt.text.strip():
            raise BadRequest("the prompt is empty", "empty")
        self.description = None  # another model may have taken over since the last prompt
        if self.session is None:
            await self.send_session(await self.service.engine.open(self.personality, self.owner), ())
        await self.load_description()
        assert self.session is not None
        outcome = await self.stream_interruptibly(prompt, self.session)
        if isinstance(outcome, CspsError):
            raise outcome
        return outcome

    async def stream_interruptibly(self, prompt: PromptCommand, session: str) -> AnswerFinished | CspsError:
        if self.interruption is None:
            async with asyncio.TaskGroup() as tasks:
                task = self.answer = tasks.create_task(self.stream(prompt, session))
            self.answer = None
            if not task.cancelled():
                return task.result()
        if isinstance(self.interruption, CspsError):
            return self.interruption
        return AnswerFinished("stopped", self.description.model if self.description else None, session, None)

    async def stream(self, command: PromptCommand, session: str) -> AnswerFinished | CspsError:
        """Returns an error instead of raising it: the task group would wrap it. Raises ClientGone."""
        prompt = Prompt(
            self.personality,
            command.text,
            session,
            self.user,
            language=command.language,
            attachments=command.attachments,
            owner=self.owner,
            revises=command.revises,
        )
        outcome = None
        try:
            async with open_reply(self.service, prompt, sources_in_text=self.dialect.sources_in_text) as events:
                async for event in events:
                    if isinstance(event, Done):
                        outcome = AnswerFinished(event.reason, event.model, session, event.usage, event.exchange)
                    else:
                        await self.send(event)
            assert outcome is not None, "an answer ended without Done"
        except ClientGone:
            raise
        except CspsError as error:
            return error
        except Exception:  # a defect in one answer must not end the conversation
            log.exception("reply_failed")
            return InternalError()
        return outcome

    async def send_session(self, session: str, turns: Sequence[TranscriptTurn]) -> None:
        self.session = session
        await self.load_description()
        model, starter = (self.description.model, self.description.starter) if self.description else (None, None)
        await self.send(SessionOpened(session, self.personality, model, starter, tuple(turns)))

    async def load_description(self) -> None:
        if self.description is None or self.description.model is None:
            self.description = await self.service.description(self.personality)

    # ------------------------------------------------------------ sending and closing

    def build_failure(self, error: CspsError, item: InboxItem | None) -> AnswerFailed:
        self.service.metrics.count_error(error)
        log.info("prompt_failed", code=error.code, personality=self.personality)
        prompt_language = item.language if isinstance(item, PromptCommand) else None
        language = prompt_language or (self.description.language if self.description else None)
        detail = error.message if error.code == BadRequest.code else None
        return AnswerFailed(error.code, person_text(error, language), error.retry_after_s, detail)

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
