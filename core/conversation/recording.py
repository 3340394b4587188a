"""Runs the exchanges of a conversation one after another, and stores how each one ends.

A question is durable before the model is asked. An answer is stored however it ends: whole, stopped by the person, or
failed. Knows conversations only through `core.conversation.sessions`, and nothing about generating answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from weakref import WeakValueDictionary

import structlog

from core.configuration.personalities import Personality
from core.contract import Ending, Prompt, Source
from core.conversation.composition import PromptContext, build_context
from core.conversation.exchanges import Exchange, ExchangeKey
from core.conversation.revisions import StoredExchange
from core.conversation.sessions import Sessions
from core.errors import BadRequest, StorageError
from core.rag.rendering import NumberedDocument
from core.runtime.background_tasks import BackgroundTasks

log = structlog.get_logger()


@dataclass(slots=True)
class OpenExchange:
    """An exchange while it is answered: its context, and the answer so far."""

    context: PromptContext
    key: ExchangeKey | None = None  # None: nothing is stored
    repeated: Exchange | None = None  # the stored answer to a repeated prompt
    before: StoredExchange | None = None  # the exchange that this one replaces
    text: str = ""
    sources: list[Source] = field(default_factory=list)  # a repeated number replaces the earlier source
    shown: tuple[NumberedDocument, ...] = ()  # the documents of the answer's prompt that the next one may need
    model: str | None = None  # the one that answers, once it is known
    is_over: bool = False

    @property
    def number(self) -> int | None:
        """The number of the stored exchange, new or repeated."""
        if self.key:
            return self.key.number
        return self.repeated.number if self.repeated else None


class ExchangeRecorder:
    """One per engine. `close` waits for what is still being stored."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()  # by conversation
        self._storing = BackgroundTasks()

    @asynccontextmanager
    async def open_exchange(self, prompt: Prompt, personality: Personality) -> AsyncGenerator[OpenExchange, None]:
        """The prompt's exchange, once the conversation's earlier ones are over. Call `finish` with the whole answer.

        Leaving without `finish` stores the answer as stopped if the caller was cancelled or closed, else as failed;
        after BadRequest it removes the question, and puts back the exchange that it replaced. Raises BadRequest,
        SessionUnknown, StorageError.
        """
        if prompt.conversation is None:
            yield OpenExchange(build_context(prompt, personality))
            return
        async with self._locks.setdefault(prompt.conversation, asyncio.Lock()):
            conversation = await self._sessions.enter(
                prompt.conversation, personality.name, prompt.owner, prompt.key, revises=prompt.revises
            )
            repeated = conversation.repeated
            if prompt.keeps_attachments and prompt.revises and repeated:
                prompt = replace(prompt, attachments=(*repeated.question.attachments, *prompt.attachments))
            context = build_context(prompt, personality, conversation)
            asks_anew = prompt.again or prompt.revises
            if repeated and not asks_anew and repeated.reason in ("stop", "length"):
                yield OpenExchange(context, repeated=repeated)
                return
            lead = context.conversation.context
            revised = repeated.number if repeated and prompt.revises else None
            before = await self._sessions.copy_exchange(ExchangeKey(conversation.id, revised)) if revised else None
            key = await self._sessions.begin_exchange(
                conversation.id, context.question, lead, prompt.key, revised=revised
            )
            exchange = OpenExchange(context, key, before=before)
            try:
                yield exchange
            except BaseException as exc:
                if not exchange.is_over:
                    await self._break_off(exchange, key, exc)
                raise

    async def finish(self, exchange: OpenExchange, reason: Ending, text: str | None = None) -> None:
        """Stores the answer, or `text` in its place. Continues if the caller is cancelled."""
        exchange.is_over = True
        if exchange.key is None:
            return
        answer = exchange.text if text is None else text
        sources = {source.number: source for source in exchange.sources}
        await self._storing.shield(
            self._sessions.finish_exchange(
                exchange.key, answer, reason, tuple(sources.values()), exchange.shown, exchange.model
            )
        )

    async def close(self) -> None:
        await self._storing.join()

    async def _break_off(self, exchange: OpenExchange, key: ExchangeKey, exc: BaseException) -> None:
        if isinstance(exc, BadRequest):  # a refused question would have the next one refused too
            if exchange.before:
                await self._sessions.put_back(exchange.before)
            else:
                await self._sessions.withdraw_exchange(key)
            return
        reason: Ending = "stopped" if isinstance(exc, (asyncio.CancelledError, GeneratorExit)) else "failed"
        try:
            await self.finish(exchange, reason)
        except StorageError as error:  # the caller gets `exc`, which came first
            log.warning("exchange_store_failed", reason=reason, chars=len(exchange.text), problem=error.message)
