"""/gpt-socket: one connection is one conversation, whichever dialect it speaks.

Owns the order of things: prompts are answered one after another, `stop` and `forget` at once, and however a connection
ends, its answer is cancelled. Knows nothing of how frames are written (`web.frames`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from core.contract import Description, Done, Prompt, TranscriptTurn
from core.errors import BadRequest, CspsError, SessionUnknown
from web.frames import (
    SUBPROTOCOL,
    V1,
    Ask,
    Dialect,
    Failed,
    Finished,
    Forget,
    Forgotten,
    Message,
    Opened,
    Plain,
    Resume,
    Stop,
)
from web.problems import Internal, UpgradeRequired, sentence
from web.service import SERVICE, Service, asking
from web.streaming import Gone, reset

log = structlog.get_logger()

SOCKET = web.RequestKey("socket", web.WebSocketResponse)

Item = Ask | Resume | BadRequest  # what is answered in order; a frame that was not understood has its turn, too


async def gpt_socket(request: web.Request) -> web.WebSocketResponse:
    """GET /gpt-socket/<personality>. What can be refused is refused before the upgrade, where a status can say why."""
    service = request.app[SERVICE]
    personality = service.personality(request.match_info["personality"])
    dialect = negotiate(request)
    socket = prepare(service)
    if not socket.can_prepare(request):
        raise UpgradeRequired("this is a WebSocket endpoint: connect with a WebSocket client")
    await socket.prepare(request)
    request[SOCKET] = socket
    try:
        await Conversation(service, socket, dialect, personality, service.user_of(request)).run()
    finally:
        transport = request.transport
        if isinstance(transport, asyncio.Transport) and transport.get_write_buffer_size():
            reset(transport)  # closing would wait for a client that takes nothing
    return socket


def prepare(service: Service) -> web.WebSocketResponse:
    return web.WebSocketResponse(
        protocols=(SUBPROTOCOL,),
        heartbeat=service.limits.heartbeat_s,
        timeout=service.limits.close_timeout_s,
        max_msg_size=service.settings.body_limit_bytes,
        compress=False,  # frames of a few letters do not shrink
        writer_limit=0,  # each frame waits for a client that is behind
    )


def negotiate(request: web.Request) -> Dialect:
    offered = [name.strip() for name in ",".join(request.headers.getall("Sec-WebSocket-Protocol", [])).split(",")]
    if SUBPROTOCOL in offered:
        return V1()
    if any(offered):
        raise BadRequest(f"of subprotocols, only {SUBPROTOCOL} is spoken here; offer none for plain text")
    return Plain()


class Conversation:
    """One socket's tasks: one listens, one answers, one waits for the service to stop."""

    def __init__(
        self, service: Service, socket: web.WebSocketResponse, dialect: Dialect, personality: str, user: str
    ) -> None:
        self.service = service
        self.socket = socket
        self.dialect = dialect
        self.personality = personality
        self.user = user
        self.session: str | None = None
        self.described: Description | None = None
        self.frames = 0
        self.inbox: asyncio.Queue[Item] = asyncio.Queue()  # bounded by `enqueue`
        self.unanswered = 0  # in the inbox, or being answered
        self.concluding = False  # the last frame about an item is being sent
        self.answer: asyncio.Task[Finished | CspsError] | None = None
        self.interruption: Stop | CspsError | None = None

    async def run(self) -> None:
        """Until the socket is closed, by whichever side."""
        try:
            async with asyncio.TaskGroup() as tasks:
                answering = tasks.create_task(self.answer_in_order())
                leaving = tasks.create_task(self.leave_when_stopping())
                await self.listen(answering)
                answering.cancel()
                leaving.cancel()
        except* Gone:
            log.info("socket_lost")
        except* Exception:
            log.exception("socket_failed")
            await self.close(WSCloseCode.INTERNAL_ERROR)

    # ------------------------------------------------------------ listening

    async def listen(self, answering: asyncio.Task[None]) -> None:
        async for message in self.socket:
            if message.type is WSMsgType.BINARY:
                await self.close(WSCloseCode.UNSUPPORTED_DATA)
            elif message.type is WSMsgType.TEXT:
                await self.take(message.data, answering)

    async def take(self, frame: str, answering: asyncio.Task[None]) -> None:
        self.frames += 1
        try:
            command = self.dialect.decode(frame)
        except BadRequest as error:
            await self.enqueue(error)
            return
        match command:
            case Stop():
                self.interrupt(command)
            case Forget():
                answering.cancel()
                await asyncio.wait([answering])
                await self.forget()
            case Resume() if self.frames > 1:
                await self.enqueue(BadRequest("`resume` must be the first frame", "resume"))
            case Ask() | Resume():
                await self.enqueue(command)

    async def enqueue(self, item: Item) -> None:
        if self.unanswered > self.service.limits.waiting_prompts:
            await self.close(WSCloseCode.POLICY_VIOLATION)
            return
        self.unanswered += 1
        self.inbox.put_nowait(item)

    def interrupt(self, reason: Stop | CspsError) -> None:
        """Ends the answer under way, also one whose prompt came just before and was not begun."""
        if self.unanswered and not self.concluding:
            self.interruption = reason
            if self.answer is not None:
                self.answer.cancel()

    async def forget(self) -> None:
        try:
            if self.session is not None:
                # Unknown means expired: what was asked for is already so.
                with suppress(SessionUnknown):
                    await self.service.engine.forget(self.session)
        except CspsError as error:
            await self.send(self.failure(error, None))
            await self.close(WSCloseCode.INTERNAL_ERROR)
            return
        await self.send(Forgotten())
        await self.close(WSCloseCode.OK)

    # ------------------------------------------------------------ answering

    async def answer_in_order(self) -> None:
        while True:
            item = await self.inbox.get()
            outcome = await self.outcome_of(item)
            self.concluding = True
            if outcome is not None:
                await self.send(outcome)
            self.concluding, self.interruption = False, None
            self.unanswered -= 1
            self.inbox.task_done()

    async def outcome_of(self, item: Item) -> Finished | Failed | None:
        """The frame that ends what `item` began. A `resume` that works has none: its `session` frame is the answer."""
        try:
            match item:
                case Resume(session):
                    turns = await self.service.engine.resume(session, self.personality)
                    await self.introduce(session, turns)
                    return None
                case Ask():
                    return await self.reply(item)
                case BadRequest():
                    raise item
        except CspsError as error:
            await self.learn()
            return self.failure(error, item)

    async def reply(self, ask: Ask) -> Finished:
        """Raises what went wrong, as CspsError."""
        self.service.life.refuse_when_stopping()
        if not ask.text.strip():
            raise BadRequest("the prompt is empty", "empty")
        if self.session is None:
            await self.introduce(await self.service.engine.open(self.personality), ())
        assert self.session is not None
        outcome = await self.interruptible(ask, self.session)
        if isinstance(outcome, CspsError):
            raise outcome
        return outcome

    async def interruptible(self, ask: Ask, session: str) -> Finished | CspsError:
        if self.interruption is None:
            async with asyncio.TaskGroup() as tasks:
                task = self.answer = tasks.create_task(self.stream(ask, session))
            self.answer = None
            if not task.cancelled():
                return task.result()
        if isinstance(self.interruption, CspsError):
            return self.interruption
        return Finished("stopped", self.described.model if self.described else None, session, None)

    async def stream(self, ask: Ask, session: str) -> Finished | CspsError:
        prompt = Prompt(
            self.personality, ask.text, session, self.user, language=ask.language, attachments=ask.attachments
        )
        outcome = None
        try:
            async with asking(self.service, prompt, text_alone=self.dialect.text_alone) as events:
                async for event in events:
                    if isinstance(event, Done):
                        outcome = Finished(event.reason, event.model, session, event.usage)
                    else:
                        await self.send(event)
            assert outcome is not None, "an answer ended without Done"
        except (CspsError, Gone) as error:
            if isinstance(error, Gone):
                raise
            return error
        except Exception:  # a defect in one answer must not take the conversation along
            log.exception("reply_failed")
            return Internal()
        return outcome

    async def introduce(self, session: str, turns: Sequence[TranscriptTurn]) -> None:
        self.session = session
        await self.learn()
        model, starter = (self.described.model, self.described.starter) if self.described else (None, None)
        await self.send(Opened(session, self.personality, model, starter, tuple(turns)))

    async def learn(self) -> None:
        if self.described is None or self.described.model is None:
            self.described = await self.service.description(self.personality)

    # ------------------------------------------------------------ sending, leaving

    def failure(self, error: CspsError, item: Item | None) -> Failed:
        self.service.metrics.errors.labels(error.code).inc()
        log.info("prompt_failed", code=error.code, personality=self.personality)
        asked = item.language if isinstance(item, Ask) else None
        language = asked or (self.described.language if self.described else None)
        detail = error.message if error.code == BadRequest.code else None
        return Failed(error.code, sentence(error, language), error.retry_after_s, detail)

    async def send(self, message: Message) -> None:
        try:
            async with asyncio.timeout(self.service.limits.send_timeout_s):
                for frame in self.dialect.encode(message):
                    await self.socket.send_str(frame)
        except (TimeoutError, ConnectionError) as exc:
            raise Gone from exc

    async def close(self, code: int) -> None:
        # A client that does not even take the closing frame is cut off by `gpt_socket`.
        with suppress(TimeoutError):
            async with asyncio.timeout(2 * self.service.limits.close_timeout_s):
                await self.socket.close(code=code)

    async def leave_when_stopping(self) -> None:
        """Once the service stops: what was asked is answered within the drain, then the socket is closed."""
        life = self.service.life
        await life.stopping.wait()
        try:
            async with asyncio.timeout(life.drain_s):
                await self.inbox.join()
        except TimeoutError:
            self.interrupt(life.refusal())
            await self.inbox.join()
        await self.close(WSCloseCode.GOING_AWAY)
