"""Makes an answer again from its stored conversation, and says where it cannot be the same.

The prompt is built again as it was: the exchanges before the question, its files, the day on which it was asked. What
was looked up is looked up again; digests tell what has changed since. The digest of the whole prompt has the last word.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Literal

from core.configuration.personalities import Personalities, Personality
from core.contract import Prompt, Text
from core.conversation.answer_facts import AnswerFacts
from core.conversation.composition import PromptContext, build_context
from core.conversation.draft import AnswerRequest
from core.conversation.exchanges import Conversation, Exchange
from core.conversation.generation import AnswerPipeline
from core.conversation.sessions import Sessions
from core.errors import CspsError, PersonalityUnknown
from core.model.client import ModelClient
from core.rag.retrieval import Lookup
from core.receipts.digests import digest_documents, digest_personality, digest_prompt
from core.receipts.draft import given_names, program_version
from core.receipts.receipt import DocumentReceipt, Receipt
from core.receipts.store import StoredReceipt
from core.strict_json import storable

IDLE_WAIT_S = 60.0  # for a moment in which the local models answer nobody
IDLE_PAUSE_S = 0.5
SAMPLE = re.compile(r"^csps_model_(running|waiting|requests_total)(?:\{.*\})? ([0-9.e+]+)$", re.MULTILINE)

# Reasons why an answer cannot be made again at all.
Impossible = Literal["not_stored", "json", "personality_gone", "model_unknown", "model_gone"]
# Reasons why it may differ.
Difference = Literal[
    "personality_changed",
    "file_changed",
    "file_unknown",
    "program_changed",
    "remote_engine",
    "sources_changed",
    "prompt_changed",
    "restarted",
    "shared_batch",
    "rounding",
]


@dataclass(frozen=True, slots=True)
class Obstacle:
    """`detail`: the numbers of changed sources, or what it was and is now."""

    reason: Impossible | Difference
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Replay:
    """`text`: None if the answer could not be made. `same_chars`: the length of the beginning that both share."""

    outcome: Literal["same", "different", "impossible"]
    obstacles: tuple[Obstacle, ...]
    stored: str | None = None
    text: str | None = None

    @property
    def same_chars(self) -> int:
        pairs = zip(self.stored or "", self.text or "", strict=False)
        return next(
            (at for at, (a, b) in enumerate(pairs) if a != b), min(map(len, (self.stored or "", self.text or "")))
        )


@dataclass(slots=True)
class ReplayedPrompt:
    """A prompt that was built again, and the differences that were found."""

    request: AnswerRequest
    context: PromptContext
    lookup: Lookup
    obstacles: list[Obstacle] = field(default_factory=list)


class Replayer:
    """One per engine. `pause` sleeps between looks at a busy engine."""

    def __init__(
        self,
        personalities: Personalities,
        sessions: Sessions,
        client: ModelClient,
        pipeline: AnswerPipeline,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._personalities = personalities
        self._sessions = sessions
        self._client = client
        self._pipeline = pipeline
        self._pause = pause

    async def replay(self, stored: StoredReceipt) -> Replay:
        """Asks the model, and stores nothing. Raises CspsError if the model fails."""
        receipt, key = stored.receipt, stored.exchange
        conversation = await self._sessions.before(key) if key else None
        if conversation is None or conversation.repeated is None:
            return impossible("not_stored")
        if receipt.kind == "json":
            return impossible("json")
        if receipt.model is None or receipt.sampling is None:
            return impossible("model_unknown")
        try:
            personality = self._personalities.get(receipt.personality)
        except PersonalityUnknown:
            return impossible("personality_gone", receipt.personality)
        obstacles = [*compare_versions(receipt, personality)]
        if missing := await self._compare_model(receipt, obstacles):
            return missing
        prompt = await self._build_prompt(receipt, personality, conversation, conversation.repeated)
        return await self._generate(receipt, prompt, conversation.repeated, [*obstacles, *prompt.obstacles])

    async def _compare_model(self, receipt: Receipt, obstacles: list[Obstacle]) -> Replay | None:
        """Adds what is known of the model now. Returns the end of the replay if the model is gone."""
        was = receipt.model
        assert was is not None
        try:
            now = await self._client.info(was.name)
        except CspsError as exc:
            return impossible("model_gone", f"{was.title}: {exc.message}")
        if now.name != was.name:
            return impossible("model_gone", was.title)
        if was.engine:
            obstacles.append(Obstacle("remote_engine", was.engine))
        elif (
            was.file
            and now.file
            and (was.file.size_bytes, was.file.sha256 or now.file.sha256)
            != (
                now.file.size_bytes,
                now.file.sha256 or was.file.sha256,
            )
        ):
            obstacles.append(Obstacle("file_changed", f"{was.file.sha256} → {now.file.sha256}"))
        elif not (was.file and was.file.sha256 and now.file and now.file.sha256):
            obstacles.append(Obstacle("file_unknown"))
        return None

    async def _build_prompt(
        self, receipt: Receipt, personality: Personality, conversation: Conversation, exchange: Exchange
    ) -> ReplayedPrompt:
        """The prompt with what a new lookup finds; with the documents that were stored, if these alone make it."""
        context = rebuild_context(receipt, personality, conversation, exchange)
        context, lookup = await self._pipeline.look_up(context)
        found = await self._fit(receipt, context, lookup, exchange)
        if not found.obstacles or not exchange.shown:
            return found
        kept = Lookup(documents=tuple(each.document for each in exchange.shown))
        from_store = await self._fit(receipt, context, kept, exchange)
        return found if from_store.obstacles else from_store

    async def _fit(
        self, receipt: Receipt, context: PromptContext, lookup: Lookup, exchange: Exchange
    ) -> ReplayedPrompt:
        assert receipt.sampling is not None
        assert receipt.model is not None
        request = await self._pipeline.build_request(context, lookup, asked_at=exchange.asked_at)
        request = replace(request, sampling=receipt.sampling, model=receipt.model.name, user=None, cache_key=None)
        prompt = ReplayedPrompt(request, context, lookup)
        fitted = await self._pipeline.fit(request)
        if digest_prompt(receipt.id, fitted.messages) == receipt.prompt_sha256:
            return prompt
        documents = digest_documents(fitted.draft, fitted.passages, given_names(context))
        if changed := changed_sources(receipt.documents, documents):
            prompt.obstacles.append(Obstacle("sources_changed", ", ".join(f"[{number}]" for number in changed)))
        else:
            prompt.obstacles.append(Obstacle("prompt_changed"))
        return prompt

    async def _generate(
        self, receipt: Receipt, prompt: ReplayedPrompt, exchange: Exchange, obstacles: list[Obstacle]
    ) -> Replay:
        text = ""
        if receipt.restarts:
            obstacles.append(Obstacle("restarted", str(receipt.restarts)))
        async with self._alone(obstacles):
            events = self._pipeline.generate(prompt.request, prompt.context, prompt.lookup)
            async with aclosing(events):
                async for event in events:
                    if isinstance(event, Text):
                        text += event.text
                    elif isinstance(event, AnswerFacts) and event.restarts:
                        obstacles.append(Obstacle("restarted", str(event.restarts)))
        text = storable(text)
        is_whole = exchange.reason in ("stop", "length")
        if text == exchange.answer or (not is_whole and text.startswith(exchange.answer)):
            return Replay("same", tuple(obstacles), exchange.answer, text)
        return Replay("different", tuple(obstacles) or (Obstacle("rounding"),), exchange.answer, text)

    @asynccontextmanager
    async def _alone(self, obstacles: list[Obstacle]) -> AsyncIterator[None]:
        """Waits until the local models answer nobody. Notes whether they answered somebody else meanwhile."""
        before = await self._activity()
        waited_s = 0.0
        while before.running and waited_s < IDLE_WAIT_S:
            await self._pause(IDLE_PAUSE_S)
            waited_s += IDLE_PAUSE_S
            before = await self._activity()
        yield
        after = await self._activity()
        if before.running or after.running or after.ended - before.ended > 1:
            obstacles.append(Obstacle("shared_batch"))

    async def _activity(self) -> Activity:
        return parse_activity(await self._client.own_metrics() or "")


@dataclass(frozen=True, slots=True)
class Activity:
    """The requests that the local models answer or keep waiting, and those that have ended since their start."""

    running: int = 0
    ended: int = 0


def parse_activity(metrics: str) -> Activity:
    """Reads the metrics of the model process; none for an engine of others."""
    counts = {"running": 0, "waiting": 0, "requests_total": 0}
    for name, value in SAMPLE.findall(metrics):
        counts[name] += round(float(value))
    return Activity(counts["running"] + counts["waiting"], counts["requests_total"])


def impossible(reason: Impossible, detail: str = "") -> Replay:
    return Replay("impossible", (Obstacle(reason, detail),))


def compare_versions(receipt: Receipt, personality: Personality) -> list[Obstacle]:
    found = []
    if digest_personality(personality) != receipt.personality_sha256:
        found.append(Obstacle("personality_changed", personality.name))
    if program_version() != receipt.program:
        found.append(Obstacle("program_changed", f"{receipt.program} → {program_version()}"))
    return found


def rebuild_context(
    receipt: Receipt, personality: Personality, conversation: Conversation, exchange: Exchange
) -> PromptContext:
    """The context as it was when the question was asked. Its conversation has no id, so that nothing is stored."""
    question = exchange.question
    prompt = Prompt(
        receipt.personality,
        question.text,
        attachments=question.attachments,
        thread_messages=question.thread_messages,
        channel=receipt.channel,
    )
    conversation = replace(conversation, id=0)
    context = build_context(prompt, personality, conversation)
    # The stored question has lost its lead context, which the conversation has kept.
    has_lead = conversation.context is not None or bool(conversation.lead_documents)
    is_first = not conversation.exchanges and not conversation.earlier
    return replace(
        context,
        conversation=conversation,
        has_documents=context.has_documents or has_lead,
        uses_public_sources=not question.attachments and not (is_first and has_lead),
        unread_url=None if has_lead else context.unread_url,
    )


def changed_sources(before: tuple[DocumentReceipt, ...], now: tuple[DocumentReceipt, ...]) -> list[int]:
    """The numbers of the documents that are shown differently now, or not any more, or were not shown before."""
    was, are = ({each.number: each.sha256 for each in documents} for documents in (before, now))
    return sorted(number for number in was.keys() | are.keys() if was.get(number) != are.get(number))
