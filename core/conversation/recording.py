"""Runs the exchanges of a conversation one after another, and stores how each one ends.

Several processes that share a database claim each turn there (`core.conversation.turn_claims`).

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
from core.conversation.kept_documents import MaySearch, drop_refused, may_search_all
from core.conversation.revisions import StoredExchange
from core.conversation.sessions import ISSUED_PREFIX, AnswerRecord, Sessions
from core.conversation.turn_claims import Turn, TurnClaims
from core.errors import BadRequest, ExchangeOutdated, StorageError
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
    sessions: Sessions | None = None  # through which its turn may write
    record: AnswerRecord | None = None  # stored with the answer, however it ends
    is_over: bool = False

    @property
    def number(self) -> int | None:
        """The number of the stored exchange, new or repeated."""
        if self.key:
            return self.key.number
        return self.repeated.number if self.repeated else None


def check_revised(prompt: Prompt, last: Exchange | None) -> None:
    """Raises ExchangeOutdated if another exchange is the last one by now."""
    if prompt.revises and prompt.revised is not None and (last is None or last.number != prompt.revised):
        raise ExchangeOutdated("the conversation has another last question by now; show it before it is replaced")


class ExchangeRecorder:
    """One per engine. `close` waits for what is still stored.

    `claims`: of the processes that share the database. `may_search`: tells which collections a caller may search.
    """

    def __init__(
        self, sessions: Sessions, claims: TurnClaims | None = None, may_search: MaySearch = may_search_all
    ) -> None:
        self._sessions = sessions
        self._claims = claims
        self._may_search = may_search
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
        async with self._own_turn(prompt.conversation) as turn:
            sessions = self._sessions.within(turn)
            conversation = await sessions.enter(
                prompt.conversation, personality.name, prompt.owner, prompt.key, revises=prompt.revises
            )
            conversation = drop_refused(conversation, prompt.names, self._may_search)
            repeated = conversation.repeated
            check_revised(prompt, repeated)
            if prompt.keeps_attachments and prompt.revises and repeated:
                prompt = replace(prompt, attachments=(*repeated.question.attachments, *prompt.attachments))
            context = build_context(prompt, personality, conversation)
            asks_anew = prompt.again or prompt.revises
            if repeated and not asks_anew and repeated.reason in ("stop", "length"):
                yield OpenExchange(context, repeated=repeated)
                return
            lead = context.conversation.context
            revised = repeated.number if repeated and prompt.revises else None
            before = await sessions.copy_exchange(ExchangeKey(conversation.id, revised)) if revised else None
            name = prompt.key or (turn.token if turn else None)  # under which a repeated write finds its exchange
            key = await sessions.begin_exchange(conversation.id, context.question, lead, name, revised=revised)
            exchange = OpenExchange(context, key, before=before, sessions=sessions)
            try:
                yield exchange
            except BaseException as exc:
                if not exchange.is_over:
                    await self._break_off(exchange, key, exc)
                raise

    @asynccontextmanager
    async def _own_turn(self, conversation: str) -> AsyncGenerator[Turn | None, None]:
        """Waits for the conversation's earlier exchanges, in this process and in others. Yields a claim, if one is due.

        A platform's conversation needs none: all its messages belong to one process (`bindings.intake.work_sharing`).
        """
        async with self._locks.setdefault(conversation, asyncio.Lock()):
            if self._claims is None or not conversation.startswith(ISSUED_PREFIX):
                yield None
                return
            async with self._claims.claim(conversation) as turn:
                yield turn

    async def finish(self, exchange: OpenExchange, reason: Ending, text: str | None = None) -> None:
        """Stores the answer, or `text` in its place. Continues if the caller is cancelled."""
        exchange.is_over = True
        if exchange.key is None or exchange.sessions is None:
            return
        answer = exchange.text if text is None else text
        sources = {source.number: source for source in exchange.sources}
        await self._storing.shield(
            exchange.sessions.finish_exchange(
                exchange.key, answer, reason, tuple(sources.values()), exchange.shown, exchange.model, exchange.record
            )
        )

    async def close(self) -> None:
        await self._storing.join()

    async def _break_off(self, exchange: OpenExchange, key: ExchangeKey, exc: BaseException) -> None:
        if isinstance(exc, BadRequest):  # a refused question would have the next one refused too
            sessions = exchange.sessions or self._sessions
            if exchange.before:
                await sessions.put_back(exchange.before)
            else:
                await sessions.withdraw_exchange(key)
            return
        reason: Ending = "stopped" if isinstance(exc, (asyncio.CancelledError, GeneratorExit)) else "failed"
        try:
            await self.finish(exchange, reason)
        except StorageError as error:  # the caller gets `exc`, which came first
            log.warning("exchange_store_failed", reason=reason, chars=len(exchange.text), problem=error.message)
