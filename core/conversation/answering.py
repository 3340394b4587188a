"""What was asked, and the answer to it: looked up, written, and marked where it quotes what was not there.

Knows no turn: whether and how a conversation is stored is the engine's and the recorder's matter, but for the page that
it begins with, which later turns need.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from itertools import chain

from core.configuration.personalities import Personality
from core.contract import Done, Event, Language, Prompt, Sampling, Status, Text
from core.conversation.composition import compose, opening_of, read_in_part, to_read, unread_url
from core.conversation.generation import Answer, Request
from core.conversation.sessions import Conversation, Question, Sessions
from core.errors import BadRequest, CspsError
from core.language import language_of
from core.model.client import ModelClient
from core.rag.context import OPENING
from core.rag.grounding import Grounding, Lookup, shortcomings, unread
from core.rag.material import Reading, readable
from core.rag.quotes import QuoteMarker
from core.rag.shelf import Readable, Shelf

NOTHING = Lookup()
UNNOTICED_S = 0.3  # what is looked up within it need not be announced


@dataclass(frozen=True, slots=True)
class Asked:
    """A prompt with what it is answered from."""

    personality: Personality
    conversation: Conversation
    question: Question
    sampling: Sampling
    user: str | None

    @property
    def unread_url(self) -> str | None:
        return unread_url(self.conversation, self.question)

    @property
    def brings_along(self) -> bool:
        """Whether it came with what it is about: a page, pasted text, a file."""
        begins_with = self.conversation.context is not None or self.unread_url is not None
        return bool(self.question.attachments) or (self._is_first and begins_with)

    @property
    def unclosed(self) -> bool:
        """Whether it begins as pasted text does, and nothing says where that ends."""
        pasted = self.question.text.lstrip().startswith(OPENING)
        return self._is_first and self.conversation.context is None and pasted

    @property
    def _is_first(self) -> bool:
        return not self.conversation.exchanges and not self.conversation.earlier

    def to_read(self, found: Sequence[Reading]) -> list[Readable]:
        items = to_read(self.conversation, self.question, found, self.personality.language)
        return [readable(item) for item in chain.from_iterable(items)]

    def request(self, found: Sequence[Reading] = (), unread: Sequence[str] = (), shelf: Shelf | None = None) -> Request:
        draft = compose(self.personality, self.conversation, self.question, found, unread, shelf)
        sampling = self.personality.sampling.under(self.sampling)
        return Request(draft, sampling, self.user and pseudonym(self.user), self.personality.model)


class Answering:
    """`wait_s`: how long an answer waits for a model that is away."""

    def __init__(self, client: ModelClient, grounding: Grounding, sessions: Sessions, wait_s: float) -> None:
        self._client = client
        self._grounding = grounding
        self._sessions = sessions
        self._wait_s = wait_s
        self._shelf = Shelf()

    async def events(self, asked: Asked) -> AsyncGenerator[Event, None]:
        """The answer, after what it is to be based on was looked up; what could not be is told in front of it."""
        language = asked.personality.language
        looking = asyncio.create_task(self._prepare(asked))
        try:
            await asyncio.wait({looking}, timeout=UNNOTICED_S)
            if not looking.done():
                yield Status("reading")
            request, lookup = await looking
        finally:
            looking.cancel()
        if told := shortcomings(lookup, language):
            yield Text(told)
        answer = Answer(self._client, request, self._wait_s)
        async with aclosing(marked(answer, language)) as events:
            async for event in events:
                yield event

    async def with_files(self, prompt: Prompt) -> Prompt:
        """With what is at the address of each attachment that is nothing but one. Raises FetchRefused, FetchFailed."""
        return replace(prompt, attachments=tuple([await self._grounding.attached(each) for each in prompt.attachments]))

    async def request(self, asked: Asked, looked_up: Lookup = NOTHING) -> Request:
        """What the model is asked, with what was looked up. Raises Overloaded."""
        await self._shelf.take(asked.to_read(looked_up.readings))
        return asked.request(looked_up.readings, looked_up.unread, self._shelf)

    async def _prepare(self, asked: Asked) -> tuple[Request, Lookup]:
        asked, lookup = await self._look_up(asked)
        request = await self.request(asked, lookup)
        return request, lookup.and_(Lookup(in_part=read_in_part(request.draft, asked.question)))

    async def _look_up(self, asked: Asked) -> tuple[Asked, Lookup]:
        conversation, missing = asked.conversation, Lookup(unclosed=asked.unclosed)
        if asked.unread_url:
            try:
                conversation = await self._read(conversation, asked.unread_url)
                if any(reading.cut for reading in conversation.readings):
                    missing = missing.and_(Lookup(in_part=(asked.unread_url,)))
            except CspsError as exc:
                if not conversation.exchanges:
                    raise  # it is what the question is about
                missing = missing.and_(unread(asked.unread_url, exc))
        language = language_of(asked.question.text) or asked.personality.language
        found = await self._grounding.look_up(
            asked.personality, asked.question.text, language, outside=not asked.brings_along
        )
        return replace(asked, conversation=conversation), missing.and_(found)

    async def _read(self, conversation: Conversation, url: str) -> Conversation:
        """With the page that it begins with, which is kept if the conversation is."""
        reading = await self._grounding.page(url)
        if conversation.id:
            await self._sessions.keep_readings(conversation.id, (reading,))
        return replace(conversation, readings=(reading,))


async def marked(answer: Answer, language: Language) -> AsyncGenerator[Event, None]:
    """The answer's events, with a mark on what it quotes and was not shown."""
    marker: QuoteMarker | None = None
    async with aclosing(answer.events()) as events:
        async for event in events:
            if marker is None and isinstance(event, Text) and answer.quotable:
                marker = QuoteMarker(answer.quotable, language)
            if marker is not None and isinstance(event, Text):
                event = Text(marker.feed(event.text))
            elif marker is not None and isinstance(event, Done) and (held := marker.flush()):
                yield Text(held)
            if not isinstance(event, Text) or event.text:
                yield event


def asked_of(prompt: Prompt, personality: Personality, conversation: Conversation) -> Asked:
    """Raises BadRequest for a prompt without a question."""
    question = Question(prompt.text, prompt.attachments, prompt.heard)
    conversation, question = opening_of(conversation, question, personality.language)
    if not question.text.strip():
        raise BadRequest("the prompt is empty: there is nothing to answer", "empty")
    return Asked(personality, conversation, question, prompt.sampling, prompt.user)


def pseudonym(user: str) -> str:
    """The engine only has to tell one person from another."""
    return hashlib.sha256(user.encode("utf-8", "surrogatepass")).hexdigest()[:32]
