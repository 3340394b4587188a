"""The engine that adapters call: it chooses the personality, opens the exchange, has it answered, and stores it.

Owns the order of these steps; the modules of `core.conversation` and `core.toil` do each of them. Knows no HTTP, no SQL
and no tokens.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from core.access.gate import AccessGate, AllowLists, no_lists
from core.configuration.personalities import Personalities, Personality
from core.contract import (
    DESCRIBE_WAIT_S,
    Attachment,
    ConversationSummary,
    Description,
    Done,
    EngineHealth,
    Event,
    Json,
    KeywordReport,
    Language,
    ModelProgress,
    Prompt,
    Rating,
    Sampling,
    Source,
    Status,
    Task,
    Text,
    ToilEvent,
    ToilResult,
    ToolEvent,
    TranscriptTurn,
    Usage,
    WebPage,
)
from core.conversation.answer_facts import AnswerFacts
from core.conversation.composition import build_context
from core.conversation.exchanges import Exchange
from core.conversation.explanation import Explanation, explain
from core.conversation.generation import AnswerPipeline, has_documents
from core.conversation.owned import OwnedConversations
from core.conversation.prefix_warming import PrefixWarmer
from core.conversation.recording import ExchangeRecorder, OpenExchange
from core.conversation.sessions import Sessions, is_named, is_open_to, is_owned_by
from core.conversation.turn_claims import TurnClaims
from core.errors import AnswerLost, ModelError
from core.local_time import Clock
from core.model.client import ModelClient, ModelInfo
from core.rag.embeddings import Embedder
from core.rag.rendering import NumberedDocument
from core.rag.retrieval import Retriever
from core.receipts.draft import ReceiptDraft
from core.receipts.replay import Replay, Replayer
from core.receipts.store import ReceiptPolicy, ReceiptStore, StoredReceipt
from core.screening import Screener
from core.statistics.recorder import AnswerStatistics
from core.storage.database import Database
from core.toil.decisions import Decisions
from core.toil.toiler import ATTEMPTS, Toiler
from core.toil.tools.similarity import ToolSimilarity
from core.toil.tools.tool_caller import ToolCaller

SEED_BITS = 31  # every engine takes a positive number of 32 bits


class ChatEngine:
    """Implements `core.contract.Engine`.

    `wait_s`: the seconds that an answer waits for a model that is away. `clock`: the date that prompts tell; None: the
    machine's. `encoder`: the bundled one, which chooses tools where the model is too weak; None: the model chooses.
    `screener`: takes personal information out of requests; None: by the default policy.
    `claims`: of the processes that share the database; None: no other process answers in its conversations.
    `allow_lists`: of the collections.
    `receipts`: how long the answers' receipts are kept.
    """

    def __init__(
        self,
        personalities: Personalities,
        sessions: Sessions,
        database: Database,
        client: ModelClient,
        retriever: Retriever,
        wait_s: float,
        clock: Clock | None = None,
        encoder: Embedder | None = None,
        screener: Screener | None = None,
        claims: TurnClaims | None = None,
        receipts: ReceiptPolicy | None = None,
        allow_lists: AllowLists = no_lists,
    ) -> None:
        self._screener = screener or Screener()
        self._personalities = personalities
        self.access = AccessGate(personalities, allow_lists)
        self._sessions = sessions
        self._database = database
        self._client = client
        self._retriever = retriever
        self._wait_s = wait_s
        self._pipeline = AnswerPipeline(client, retriever, sessions, wait_s, clock)
        self._toiler = Toiler(client, wait_s)
        self._tool_caller = ToolCaller(self._toiler, client, ToolSimilarity(encoder) if encoder else None)
        self._decisions = Decisions(client, self._toil_once)
        self._claims = claims
        self.receipts = ReceiptStore(database, receipts)
        self._recorder = ExchangeRecorder(sessions, claims, self.access.may_search)
        self._owned = OwnedConversations(database)
        self.statistics = AnswerStatistics(database)
        self.warmer = PrefixWarmer(personalities, client, self._pipeline, wait_s)

    def reply(self, prompt: Prompt) -> AsyncGenerator[Event, None]:
        """Answers the prompt. Stores the exchange if the prompt names a conversation; `Done` comes when it is stored.

        Raises PersonalityUnknown, AccessRefused, SessionUnknown, BadRequest, PersonalInformationRefused, PromptTooLong,
        Overloaded, ModelError, StorageError.
        """
        return self.statistics.observe(prompt, self._reply(prompt))

    async def _reply(self, prompt: Prompt) -> AsyncGenerator[Event, None]:
        personality = self._choose(prompt)
        prompt, masked = await self._screener.prompt(prompt, personality.language)
        if masked:
            yield masked
        prompt = replace(prompt, sampling=with_seed(prompt.sampling))
        async with self.warmer.yielding(), self._recorder.open_exchange(prompt, personality) as exchange:
            draft = exchange.record = ReceiptDraft(self.receipts, prompt, personality)
            adapt = partial(self._tool_caller.tell_answer, prompt=prompt, language=personality.language)
            is_new = exchange.repeated is None
            answer = self._pipeline.events(exchange.context, adapt) if is_new else self._repeat(exchange)
            async with aclosing(answer) as events:
                async for event in events:
                    if isinstance(event, AnswerFacts):
                        draft.note_facts(event, exchange.context)
                        exchange.shown = documents_to_keep(event)
                        continue
                    match event:
                        case Text(text):
                            draft.note_text()
                            exchange.text += text
                        case Source():
                            exchange.sources.append(event)
                        case Status():
                            self._watch_model(event)
                        case Done(reason, model, usage):
                            exchange.model = model
                            draft.note_usage(usage)
                            await self._recorder.finish(exchange, reason)
                            event = replace(event, exchange=exchange.number, receipt=await self._keep(exchange, draft))
                    yield event

    def _choose(self, asked: Prompt | Task) -> Personality:
        """The personality that answers this caller. Raises PersonalityUnknown, AccessRefused."""
        personality = self.access.choose(asked.personality, asked.names)
        return personality.model_copy(update={"model": asked.model}) if asked.model else personality

    async def _keep(self, exchange: OpenExchange, draft: ReceiptDraft) -> str | None:
        """The id of the finished answer's receipt, once it is stored; None: none is kept."""
        if exchange.repeated is not None:
            return exchange.repeated.receipt
        return draft.id if exchange.key else await self.receipts.keep_unstored(draft)

    async def _repeat(self, exchange: OpenExchange) -> AsyncGenerator[Event | AnswerFacts, None]:
        """The stored answer and its sources: the connection of a repeated prompt may have broken before the end."""
        stored = exchange.repeated
        assert stored is not None
        name = exchange.context.personality.model_id
        await self._client.wait_ready(self._wait_s, name)
        model = (await self._client.info(name)).title
        for source in stored.sources:
            yield source
        yield Text(stored.answer)
        yield Done("length" if stored.reason == "length" else "stop", model, Usage())

    def _watch_model(self, status: Status) -> None:
        if status.state == "reconnecting":
            self.warmer.forget()  # a restarted model process has lost the prefixes

    async def explain(self, prompt: Prompt, window: int) -> Explanation:
        """Explains the prompt that the model would get, without asking it and without storing anything.

        `window`: the tokens of the context window if no model answers.
        """
        personality = self._personalities.get(prompt.personality)
        prompt, _ = await self._screener.prompt(prompt, personality.language)
        context = build_context(prompt, personality)
        return await explain(self._pipeline, self._client, context, window)

    async def toil(self, task: Task, attempts: int = ATTEMPTS) -> ToilResult:
        """Raises what `toil_events` raises."""
        return await last_value(self.toil_events(task, attempts))

    def toil_events(
        self, task: Task, attempts: int = ATTEMPTS, *, has_receipt: bool = True
    ) -> AsyncGenerator[ToilEvent, None]:
        """Stores only a whole value, because half a JSON document is useless. Yields it when it is stored.

        Raises SchemaRefused, BudgetExhausted, NonConforming besides what `reply` raises.
        """
        return self.statistics.observe(task, self._toil_events(task, attempts, has_receipt=has_receipt))

    async def _toil_events(self, task: Task, attempts: int, *, has_receipt: bool) -> AsyncGenerator[ToilEvent, None]:
        personality = self._choose(task)
        task, masked = await self._screener.task(task, personality.language)
        if masked:
            yield masked
        async with aclosing(self._toil_screened(task, personality, attempts)) as events:
            async for event in events:
                if masked and isinstance(event, ToilResult):
                    event = replace(event, masked=masked.found)
                yield event

    async def _toil_once(self, task: Task) -> ToilResult:
        """For the engine's own questions, of screened prompts and public texts. They leave no receipt."""
        personality = self._personalities.get(task.personality)
        return await last_value(self._toil_screened(task, personality, attempts=1, has_receipt=False))

    async def _toil_screened(
        self, task: Task, personality: Personality, attempts: int, *, has_receipt: bool = True
    ) -> AsyncGenerator[ToilEvent, None]:
        prompt = await self._pipeline.fetch_attachments(build_prompt(task))
        async with self._recorder.open_exchange(prompt, personality) as exchange:
            draft = exchange.record = ReceiptDraft(self.receipts, prompt, personality, "json")
            request = await self._pipeline.build_request(exchange.context, prose=False)
            observe = partial(draft.note_facts, context=exchange.context)
            values = self._toiler.events(request, task, personality.language, attempts, observe=observe)
            async with aclosing(values) as events:
                async for event in events:
                    if isinstance(event, ToilResult):
                        draft.note_usage(event.usage)
                        await self._recorder.finish(exchange, "stop", json.dumps(event.value, ensure_ascii=False))
                        if has_receipt:
                            event = replace(event, receipt=await self._keep(exchange, draft))
                    elif isinstance(event, Text):
                        draft.note_text()
                    elif isinstance(event, Status):
                        self._watch_model(event)
                    yield event

    async def choose_tools(self, prompt: Prompt) -> AsyncGenerator[ToolEvent, None]:
        """Looks nothing up: what the tools give is not there yet. Raises what `toil_events` raises."""
        personality = self._choose(prompt)
        prompt, masked = await self._screener.prompt(prompt, personality.language)
        if masked:
            yield masked
        request = await self._pipeline.build_request(build_context(prompt, personality), prose=False)
        calls = self._tool_caller.events(request, prompt, personality.language)
        async with self.warmer.yielding(), aclosing(calls) as events:
            async for event in events:
                if isinstance(event, Status):
                    self._watch_model(event)
                yield event

    async def decide(self, personality: Personality, prompt: str, schema: Mapping[str, Json]) -> Json:
        """The model's answer to an internal question, such as which sources to read. None: the model is too weak."""
        return await self._decisions.decide(personality, prompt, schema)

    async def check_schema(self, schema: Json) -> tuple[KeywordReport, ...]:
        return await self._toiler.report(schema)

    async def read(self, name: str, body: bytes, media_type: str) -> Attachment:
        return await self._retriever.read_file(name, body, media_type)

    async def read_rows(self, name: str, body: bytes) -> Attachment:
        return await self._retriever.read_rows(name, body)

    async def read_page(self, url: str) -> WebPage:
        return await self._retriever.read_page(url)

    async def open(self, personality: str, owner: str | None = None) -> str:
        """The id of a new conversation. Raises PersonalityUnknown, StorageError."""
        return await self._sessions.open(self._personalities.get(personality).name, owner)

    async def resume(self, conversation: str, personality: str, owner: str | None = None) -> tuple[TranscriptTurn, ...]:
        """The latest turns as people saw them; an interrupted answer as far as it was written."""
        resumed = await self._sessions.resume(conversation, self._personalities.get(personality).name, owner)
        return transcript_of_all(resumed.exchanges)

    async def is_answered_elsewhere(self, conversation: str) -> bool:
        return self._claims is not None and await self._claims.is_held_elsewhere(conversation)

    async def wait_elsewhere(self, conversation: str, personality: str, owner: str | None = None) -> TranscriptTurn:
        """Raises AnswerLost, SessionUnknown."""
        if self._claims:
            await self._claims.wait_elsewhere(conversation)
        turns = await self.resume(conversation, personality, owner)
        if not turns or turns[-1].role == "user":
            raise AnswerLost("the process that wrote this answer died; ask again")
        return turns[-1]

    async def stop_elsewhere(self, conversation: str) -> None:
        if self._claims:
            await self._claims.stop_elsewhere(is_named(conversation))

    async def forget(self, conversation: str, owner: str | None = None) -> None:
        if self._claims:
            await self._claims.stop_elsewhere(is_named(conversation), is_open_to(owner))
        await self._sessions.forget(conversation, owner)

    async def forget_all(self, owner: str) -> int:
        if self._claims:
            await self._claims.stop_elsewhere(is_owned_by(owner))
        return await self._sessions.forget_all(owner)

    async def conversations(self, owner: str, search: str = "") -> tuple[ConversationSummary, ...]:
        return await self._owned.list(owner, search)

    async def conversation(
        self, conversation: str, owner: str
    ) -> tuple[ConversationSummary, tuple[TranscriptTurn, ...]]:
        """Works also if its personality was removed since."""
        summary = await self._owned.get(conversation, owner)
        found = await self._sessions.resume(conversation, summary.personality, owner)
        return summary, transcript_of_all(found.exchanges)

    async def change_conversation(
        self, conversation: str, owner: str, title: str | None = None, pinned: bool | None = None
    ) -> ConversationSummary:
        if title:
            summary = await self._owned.get(conversation, owner)
            title = await self._screener.words(title, summary.personality, "web", self._language(summary.personality))
        return await self._owned.change(conversation, owner, title, pinned)

    async def rate(self, rating: Rating, owner: str | None = None) -> None:
        """Personal information in the comment is masked; a comment is never refused."""
        if rating.comment:
            name = await self._owned.personality_of(rating.conversation, owner)
            comment = await self._screener.note(rating.comment, name, "web", self._language(name))
            rating = replace(rating, comment=comment)
        await self._owned.rate(rating, owner)

    def _language(self, personality: str) -> Language:
        """The language of a personality; English if it was removed since."""
        is_known = personality in self._personalities.names()
        return self._personalities.get(personality).language if is_known else "en"

    async def replay(self, receipt: StoredReceipt) -> Replay:
        """Makes an answer again, and stores nothing. Raises CspsError if the model fails."""
        replayer = Replayer(self._personalities, self._sessions, self._client, self._pipeline)
        return await replayer.replay(receipt)

    def personalities(self, names: frozenset[str] | None = None) -> tuple[str, ...]:
        return self._personalities.names() if names is None else self.access.visible(names)

    def allowed_ids(self, kind: str) -> frozenset[str]:
        return self.access.ids_of(kind)

    async def describe(self, personality: str, wait_s: float = DESCRIBE_WAIT_S) -> Description:
        """Raises PersonalityUnknown."""
        current = self._personalities.get(personality)
        model, awaited = await self._served_model(current, wait_s)
        return Description(
            personality=current.name,
            title=current.title,
            language=current.language,
            description={"en": current.description.en, "fr": current.description.fr},
            greeting=current.greeting,
            model=model.title if model else None,
            starter=model.starter if model else None,
            context_window=model.window if model else None,
            next_model=awaited,
            suggestions=current.suggestions,
        )

    async def _served_model(
        self, personality: Personality, wait_s: float
    ) -> tuple[ModelInfo | None, ModelProgress | None]:
        """The model that answers, and the progress of the one that it stands in for. None: no model answers in time."""
        try:
            async with asyncio.timeout(wait_s):
                model = await self._client.info(personality.model_id)
                awaited = await self._client.progress(personality.model_id)
                return (model if model.is_here else None), awaited
        except (ModelError, TimeoutError):
            return None, None

    def engines(self) -> tuple[EngineHealth, ...]:
        return self._client.engines()

    async def ready(self) -> None:
        await self._database.ping()
        await self._client.ready()

    async def close(self) -> None:
        """Returns when all running writes are stored."""
        await self._recorder.close()
        await self.statistics.flush()
        await self._toiler.close()
        await self._retriever.close()


async def last_value(toil: AsyncGenerator[ToilEvent, None]) -> ToilResult:
    async with aclosing(toil) as events:
        async for event in events:
            if isinstance(event, ToilResult):
                return event
    raise AssertionError("toil ends with ToilResult or an exception")


def build_prompt(task: Task) -> Prompt:
    return Prompt(
        task.personality,
        task.prompt,
        conversation=task.conversation,
        user=task.user,
        owner=task.owner,
        attachments=task.attachments,
        history=task.history,
        sampling=with_seed(task.sampling),
        key=task.key,
        calls=task.calls,
        priority=task.priority,
        channel=task.channel,
        names=task.names,
        receipt=task.receipt,
        again=True,  # a stored value is not sent again: it may not conform to this task's schema
    )


def with_seed(sampling: Sampling) -> Sampling:
    """The sampling with a seed, so that the receipt knows it and the answer can be made again."""
    return sampling if sampling.seed is not None else replace(sampling, seed=secrets.randbits(SEED_BITS))


def documents_to_keep(facts: AnswerFacts) -> tuple[NumberedDocument, ...]:
    """The documents of the prompt that the conversation's next answer may need."""
    fitted = facts.fitted
    return fitted.draft.to_keep(fitted.passages) if has_documents(fitted) else ()


def transcript_of_all(exchanges: Iterable[Exchange]) -> tuple[TranscriptTurn, ...]:
    return tuple(turn for exchange in exchanges for turn in transcript_of(exchange))


def transcript_of(exchange: Exchange) -> tuple[TranscriptTurn, ...]:
    """The question, and the answer unless it is still being written or its process was killed."""
    question, reason = exchange.question, exchange.reason
    names = tuple(file.name for file in question.attachments)
    at = None if exchange.asked_at is None else datetime.fromtimestamp(exchange.asked_at, UTC)
    shown_question = TranscriptTurn("user", question.text, attachments=names, exchange=exchange.number, at=at)
    if reason is None:
        return (shown_question,)
    return shown_question, TranscriptTurn(
        "assistant",
        exchange.answer,
        sources=exchange.sources,
        reason=reason,
        exchange=exchange.number,
        at=at,
        model=exchange.model,
        receipt=exchange.receipt,
        rating=exchange.rating,
    )
