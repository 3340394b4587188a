"""The engine that adapters talk to: personality → conversation → draft → answer → the turn is stored.

Owns the order of these and what is stored when. How each is done is in the module of its name; nothing here knows
HTTP, SQL or tokens.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, asynccontextmanager
from weakref import WeakValueDictionary

import structlog

from core.configuration.personalities import Personalities, Personality
from core.contract import (
    Attachment,
    Description,
    Done,
    Event,
    Json,
    Note,
    Prompt,
    Said,
    Sampling,
    Status,
    Task,
    Text,
    Toiled,
    ToilEvent,
    Usage,
)
from core.conversation.answering import Answering, Asked, asked_of
from core.conversation.composition import cleaned, told
from core.conversation.generation import Answer
from core.conversation.recording import Recorder
from core.conversation.sessions import Conversation, Exchange, Question, RunningTurn, Sessions
from core.errors import CspsError, ModelError, ModelUnavailable, OnlyThought
from core.model.client import ModelClient, ModelInfo
from core.rag.grounding import Grounding
from core.storage.database import Database
from core.toil.toiler import Toiler

log = structlog.get_logger()

DECISION_TOKENS = 128
DESCRIBE_WAIT_S = 3  # a page that names no model is better than none
WARMING = Sampling(temperature=0, max_tokens=1)
WARM_PAUSE_S = 30.0


class ChatEngine:
    """Implements `core.contract.Engine`. `wait_s`: how long an answer waits for a model that is away."""

    def __init__(
        self,
        personalities: Personalities,
        sessions: Sessions,
        database: Database,
        client: ModelClient,
        grounding: Grounding,
        wait_s: float,
    ) -> None:
        self._personalities = personalities
        self._sessions = sessions
        self._database = database
        self._client = client
        self._grounding = grounding
        self._answering = Answering(client, grounding, sessions, wait_s)
        self._wait_s = wait_s
        self._toiler = Toiler(client, wait_s)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._recorder = Recorder(sessions)
        self.cold = asyncio.Event()  # the personalities' prefixes are, or may be, not computed
        self.cold.set()

    async def reply(self, prompt: Prompt) -> AsyncGenerator[Event, None]:
        """Answer, and store the turn if the prompt names a conversation. `Done` comes when it is stored.

        Raises PersonalityUnknown, SessionUnknown, BadRequest, PromptTooLong, Overloaded, ModelError, StorageError.
        """
        prompt = cleaned(prompt)
        personality = self._personalities.get(prompt.personality)
        events = self._reply_once(prompt, personality)
        if prompt.conversation is not None:
            events = self._reply_in(prompt.conversation, prompt, personality)
        async with aclosing(events):
            async for event in events:
                self._watch_model(event)
                yield event

    async def _reply_once(self, prompt: Prompt, personality: Personality) -> AsyncGenerator[Event, None]:
        asked = asked_of(prompt, personality, told(prompt.history, personality.language))
        async with aclosing(self._answering.events(asked)) as events:
            async for event in events:
                yield event

    async def _reply_in(self, name: str, prompt: Prompt, personality: Personality) -> AsyncGenerator[Event, None]:
        async with self._turn(name, prompt, personality) as (asked, turn):
            if turn is None:
                async for event in self._answered_before(asked):
                    yield event
                return
            async with aclosing(self._recorder.reply(turn, self._answering.events(asked))) as events:
                async for event in events:
                    yield event

    @asynccontextmanager
    async def _turn(
        self, name: str, prompt: Prompt, personality: Personality
    ) -> AsyncGenerator[tuple[Asked, RunningTurn | None], None]:
        """A turn of a conversation, its question durable; None: it is answered already, and that answer stands.

        They follow one another: each must know the one before it.
        """
        async with self._turns.setdefault(name, asyncio.Lock()):
            conversation = await self._sessions.enter(name, personality.name, prompt.user, prompt.key)
            asked = asked_of(prompt, personality, conversation)
            if is_answered(conversation.repeated) and not prompt.again:
                yield asked, None
                return
            context = asked.conversation.context
            yield asked, await self._sessions.begin_turn(conversation.id, asked.question, context, prompt.key)

    async def _answered_before(self, asked: Asked) -> AsyncGenerator[Event, None]:
        """The answer and its sources as they were stored: whoever asked could not be told of it to its end."""
        exchange = asked.conversation.repeated
        assert exchange is not None
        await self._client.wait_ready(self._wait_s)
        model = (await self._client.info(asked.personality.model)).name
        for source in exchange.sources:
            yield source
        yield Text(exchange.answer)
        yield Done("length" if exchange.reason == "length" else "stop", model, Usage())

    def _watch_model(self, event: Event | ToilEvent) -> None:
        # A model process that was restarted has forgotten the prefixes.
        if isinstance(event, Status) and event.state == "reconnecting":
            self.cold.set()

    async def toil(self, task: Task) -> Toiled:
        """Raises what `toil_events` raises."""
        async with aclosing(self.toil_events(task)) as events:
            async for event in events:
                if isinstance(event, Toiled):
                    return event
        raise AssertionError("toil ends by Toiled or an exception")

    async def toil_events(self, task: Task) -> AsyncGenerator[ToilEvent, None]:
        """Raises SchemaRefused, BudgetExhausted, NonConforming besides what `reply` raises."""
        personality = self._personalities.get(task.personality)
        prompt = cleaned(await self._answering.with_files(prompt_of(task)))
        if task.conversation is None:
            asked = asked_of(prompt, personality, told(prompt.history, personality.language))
            request = await self._answering.request(asked)
            events = self._toiler.events(request, task, personality.language)
        else:
            events = self._toil_in(task.conversation, task, prompt, personality)
        async with aclosing(events):
            async for event in events:
                self._watch_model(event)
                yield event

    async def _toil_in(
        self, name: str, task: Task, prompt: Prompt, personality: Personality
    ) -> AsyncGenerator[ToilEvent, None]:
        async with self._turn(name, prompt, personality) as (asked, turn):
            assert turn is not None
            request = await self._answering.request(asked)
            toiling = self._toiler.events(request, task, personality.language)
            async with aclosing(self._recorder.toil(turn, toiling)) as events:
                async for event in events:
                    yield event

    async def decide(self, personality: Personality, prompt: str, schema: Mapping[str, Json]) -> Json:
        """What the model says to a question of our own, which nobody sees. None: it is too weak to be asked."""
        if (await self._client.info(personality.model)).starter:
            return None
        task = Task(personality.name, prompt, schema, sampling=Sampling(temperature=0, max_tokens=DECISION_TOKENS))
        return (await self.toil(task)).value

    async def check_schema(self, schema: Json) -> tuple[Note, ...]:
        return await self._toiler.report(schema)

    async def read(self, name: str, body: bytes, media_type: str) -> Attachment:
        return await self._grounding.file(name, body, media_type)

    async def open(self, personality: str, user: str | None = None) -> str:
        """A new conversation's id; raises PersonalityUnknown, StorageError."""
        return await self._sessions.open(self._personalities.get(personality).name, user)

    async def resume(self, conversation: str, personality: str, user: str | None = None) -> tuple[Said, ...]:
        """The latest turns, as people see them: an answer that was interrupted is there as far as it came."""
        resumed = await self._sessions.resume(conversation, self._personalities.get(personality).name, user)
        return tuple(said for exchange in resumed.exchanges for said in said_in(exchange))

    async def forget(self, conversation: str) -> None:
        await self._sessions.forget(conversation)

    def personalities(self) -> tuple[str, ...]:
        return self._personalities.names()

    async def describe(self, personality: str) -> Description:
        """Raises PersonalityUnknown."""
        of = self._personalities.get(personality)
        model = await self._model_of(of)
        return Description(
            personality=of.name,
            title=of.title,
            language=of.language,
            description={"en": of.description.en, "fr": of.description.fr},
            greeting=of.greeting,
            model=model.name if model else None,
            starter=model.starter if model else None,
            context_window=model.window if model else None,
        )

    async def _model_of(self, personality: Personality) -> ModelInfo | None:
        """None where no model answers in time, or the personality's own is not served."""
        try:
            async with asyncio.timeout(DESCRIBE_WAIT_S):
                return await self._client.info(personality.model)
        except (ModelError, TimeoutError):
            return None

    async def ready(self) -> None:
        await self._database.ping()
        await self._client.ready()

    async def keep_warm(self) -> None:
        """Has the personalities' prefixes computed whenever they may not be, until cancelled."""
        while True:
            await self.cold.wait()
            try:
                await self._client.wait_ready(self._wait_s)
            except ModelUnavailable as exc:
                log.info("model_awaited", problem=exc.message)
                continue
            except CspsError as exc:  # something else answers there; when it is mended, the prefixes are still cold
                log.warning("model_not_warmed", code=exc.code, problem=exc.message)
                await asyncio.sleep(WARM_PAUSE_S)
                continue
            self.cold.clear()
            await self.warm()

    async def warm(self) -> None:
        """One tiny request for each personality. A failure costs the first person some time and nothing else."""
        for name in self._personalities.names():
            try:
                personality = self._personalities.get(name)  # it may be gone meanwhile
                asked = Asked(personality, Conversation(id=0), Question("."), WARMING, user=None)
                async with aclosing(Answer(self._client, asked.request(), self._wait_s).events()) as events:
                    async for _event in events:
                        pass
            except OnlyThought:  # one token is enough of it
                pass
            except CspsError as exc:
                log.warning("personality_not_warmed", personality=name, problem=exc.message)
                continue
            log.info("personality_warmed", personality=name)

    async def close(self) -> None:
        """Returns when what is being stored is stored."""
        await self._recorder.close()
        await self._toiler.close()
        await self._grounding.close()


def prompt_of(task: Task) -> Prompt:
    return Prompt(
        task.personality,
        task.prompt,
        user=task.user,
        attachments=task.attachments,
        history=task.history,
        sampling=task.sampling,
        key=task.key,
        again=True,  # a value that was given is not known to have been checked against this schema
    )


def is_answered(exchange: Exchange | None) -> bool:
    """By the model, to the end."""
    return exchange is not None and exchange.reason in ("stop", "length")


def said_in(exchange: Exchange) -> tuple[Said, ...]:
    """Without an answer as long as it has not ended, which it never has if its process was killed."""
    asked, reason = exchange.question, exchange.reason
    question = Said("user", asked.text, attachments=tuple(file.name for file in asked.attachments))
    if reason is None:
        return (question,)
    return question, Said("assistant", exchange.answer, sources=exchange.sources, reason=reason)
