"""Looks up sources, generates the answer, marks unsupported quotations.

An answer survives the model's death: the next model continues the text so far, and no text is sent twice. Stores
nothing except the page of the lead context, which later answers need.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import chain

import structlog

from core.contract import Done, Event, Prompt, Sampling, Status, Text, Usage
from core.conversation.answer_facts import AnswerFacts
from core.conversation.composition import PromptContext, build_request, collect_documents, partly_shown
from core.conversation.draft import AnswerRequest
from core.conversation.sessions import Sessions
from core.conversation.window import FittedPrompt, TrimBounds, fit_window, tighten
from core.errors import CspsError, ModelUnavailable, OnlyThought, Overloaded, PromptTooLong
from core.local_time import Clock, local_clock
from core.model.client import ModelClient, ModelInfo
from core.openai.chat_protocol import (
    Message,
    ModelLoading,
    QueuePosition,
    StreamEvent,
    StreamFinished,
    TextDelta,
    ThinkingStarted,
)
from core.openai.continuation import last_words
from core.rag.answer_filter import AnswerFilter
from core.rag.budget import cacheable_text
from core.rag.citations import cited_numbers
from core.rag.context import parse_lead_context
from core.rag.passage_cache import PassageCache
from core.rag.questions.lookup_question import EARLIER_LIMIT, EarlierExchange, LookupQuestion, clip_text
from core.rag.retrieval import Lookup, PartlyRead, Retriever, shortcomings, unread_lookup
from core.runtime import traces
from core.runtime.backoff import NO_JITTER, Backoff
from core.texts import text

log = structlog.get_logger()

EMPTY_LOOKUP = Lookup()
LOOKUP_STATUS_AFTER_S = 0.3  # a faster lookup needs no status event
DEATHS_LIMIT = 4  # otherwise a prompt that crashes the model would crash each restarted one
BACKOFF = Backoff(first_s=0.05, jitter=NO_JITTER)


Adapt = Callable[[AnswerRequest], Awaitable[AnswerRequest]]


class AnswerPipeline:
    """One per engine. `wait_s`: the seconds that an answer waits for a model that is away. `clock`: the date's."""

    def __init__(
        self,
        client: ModelClient,
        retriever: Retriever,
        sessions: Sessions,
        wait_s: float,
        clock: Clock | None = None,
    ) -> None:
        self._client = client
        self._retriever = retriever
        self._sessions = sessions
        self._wait_s = wait_s
        self._clock = clock or local_clock()
        self._passage_cache = PassageCache()

    async def events(
        self, context: PromptContext, adapt: Adapt | None = None
    ) -> AsyncGenerator[Event | AnswerFacts, None]:
        """The answer's events, `Done` last. Text in front of the answer names the documents that could not be read.

        The facts, which are for the engine alone, come before the model's text and before `Done`. `adapt`: changes the
        request before the model gets it.
        """
        lookup_task = asyncio.create_task(self.prepare(context))
        try:
            await asyncio.wait({lookup_task}, timeout=LOOKUP_STATUS_AFTER_S)
            if not lookup_task.done():
                yield Status("reading")
            request, context, lookup = await lookup_task
        finally:
            lookup_task.cancel()
        request = await adapt(request) if adapt else request
        async with aclosing(self.generate(request, context, lookup)) as events:
            async for event in events:
                yield event

    async def generate(
        self, request: AnswerRequest, context: PromptContext, lookup: Lookup
    ) -> AsyncGenerator[Event | AnswerFacts, None]:
        """The events of the answer to a prepared request, as in `events`."""
        if lookup != EMPTY_LOOKUP and (notice := shortcomings(lookup, context.personality.language)):
            yield Text(notice)
        generation, answer_filter = Generation(self._client, request, self._wait_s), None
        has_begun = False
        async with aclosing(generation.events()) as events:
            async for event in events:
                if isinstance(event, Text):
                    if not has_begun and (fitted := generation.fitted):
                        has_begun, answer_filter = True, build_filter(fitted)
                        yield generation.facts
                        if notice := describe_window(fitted, context):
                            yield Text(notice)
                    if answer_filter and not (event := Text(answer_filter.feed(event.text))).text:
                        continue
                elif isinstance(event, Done):
                    if answer_filter and (rest := answer_filter.flush()):
                        yield Text(rest)
                    yield generation.facts
                yield event

    async def fetch_attachments(self, prompt: Prompt) -> Prompt:
        """Replaces each attachment that contains only a URL by that page. Raises FetchRefused, FetchFailed."""
        resolved = [await self._retriever.resolve_attachment(each) for each in prompt.attachments]
        return replace(prompt, attachments=tuple(resolved))

    async def build_request(
        self,
        context: PromptContext,
        lookup: Lookup = EMPTY_LOOKUP,
        *,
        prose: bool = True,
        asked_at: float | None = None,
    ) -> AnswerRequest:
        """The request for the model, with the documents of `lookup`. `prose`: as in `compose`.

        `asked_at`: the seconds since 1970 of an earlier question, which is asked again. Raises Overloaded.
        """
        retrieved = lookup.documents
        if retrieved or context.has_documents:
            documents = collect_documents(
                context.conversation, context.question, retrieved, context.personality.language
            )
            await self._passage_cache.prepare([cacheable_text(item) for item in chain.from_iterable(documents)])
        now = self._clock()
        now = now if asked_at is None else datetime.fromtimestamp(asked_at, now.tzinfo)
        return build_request(context, retrieved, lookup.missing, self._passage_cache, now, prose=prose)

    async def fit(self, request: AnswerRequest) -> FittedPrompt:
        """The prompt of a request as the model gets it, without asking for the answer. Raises CspsError."""
        window = (await self._client.info(request.model)).window
        return await fit_window(
            request.draft, request.sampling, window, partial(self._client.count, model=request.model)
        )

    async def prepare(self, context: PromptContext) -> tuple[AnswerRequest, PromptContext, Lookup]:
        """The request for the model, with its page and the documents found. Raises CspsError."""
        with traces.span("look_up") as span:
            context, lookup = await self.look_up(context)
            span.set(documents=len(lookup.documents))
        return await self.build_request(context, lookup), context, lookup

    async def look_up(self, context: PromptContext) -> tuple[PromptContext, Lookup]:
        """The context with the page of its lead context, and the documents found for its question."""
        result = Lookup(unclosed_context=True) if context.has_unclosed_lead else EMPTY_LOOKUP
        if context.unread_url:
            context, page = await self._read_page(context, context.unread_url)
            result = result.merge(page)
        retrieved = await self._retriever.look_up(
            context.personality, lookup_question(context), include_public=context.uses_public_sources
        )
        return context, result.merge(retrieved)

    async def _read_page(self, context: PromptContext, url: str) -> tuple[PromptContext, Lookup]:
        """Reads the page at `url` and stores it with the conversation. Raises CspsError only for a first question."""
        conversation = context.conversation
        try:
            documents = await self._retriever.fetch_pages(url, context.question.text)
            if conversation.id:
                await self._sessions.store_lead_documents(conversation.id, documents)
        except CspsError as exc:
            if not conversation.exchanges:
                raise  # the question is about this page
            return context, unread_lookup(url, exc)
        lookup = Lookup(partly_read=tuple(PartlyRead(url, each.omissions) for each in documents if each.omissions))
        return replace(context, conversation=replace(conversation, lead_documents=documents)), lookup


class Generation:
    """Generates one answer. Run `events` once; `text` holds the text sent so far.

    An answer with a `response_format` starts again after the model's death: read its `text` at the end, not its events.
    """

    def __init__(self, client: ModelClient, request: AnswerRequest, wait_s: float) -> None:
        self.text = ""
        self._client = client
        self._request = request
        self._wait_s = wait_s
        self._fitted: FittedPrompt | None = None
        self._bounds = TrimBounds()
        self._deltas = 0  # received so far: about as many tokens
        self._thinks = False
        self._model: ModelInfo | None = None  # the one that answers, as far as the client knows
        self._deaths = 0  # of models, within the answer
        self._end: StreamFinished | None = None

    @property
    def fitted(self) -> FittedPrompt | None:
        """The prompt as the model was asked; None before that."""
        return self._fitted

    @property
    def facts(self) -> AnswerFacts:
        """The prompt, and the model as far as it is known. Call it after the first event of the answer's text."""
        assert self._fitted is not None
        assert self._model is not None
        end = self._end or StreamFinished("stop", Usage())
        named = self._client.listed(end.model, self._request.model) if end.model else None
        return AnswerFacts(self._fitted, named or self._model, end.engine, end.fingerprint, self._deaths)

    async def events(self) -> AsyncGenerator[Event, None]:
        """Raises ModelUnavailable if the model stays away, OnlyThought if it wrote no answer, and its refusals."""
        while True:
            try:
                async with aclosing(self._attempt()) as events:
                    async for event in events:
                        yield event
                        if isinstance(event, Done):
                            return
            except PromptTooLong:
                if self.text:  # prompt and answer so far fill the window
                    yield self._cut_off()
                    return
                if not self._drop_more():
                    raise
                continue
            except (ModelUnavailable, Overloaded) as exc:
                self._deaths += 1
                if self._deaths > DEATHS_LIMIT or (isinstance(exc, Overloaded) and not self.text):
                    raise
                log.warning("model_lost", problem=exc.message, chars_so_far=len(self.text), deaths=self._deaths)
                pause_s = pause_after(exc, self._deaths)
            if self._request.response_format:
                self.text, self._deltas = "", 0
            yield Status("reconnecting")
            await asyncio.sleep(min(pause_s, self._wait_s))
            await self._client.wait_ready(self._wait_s, self._request.model)

    async def _attempt(self) -> AsyncGenerator[Event, None]:
        """One request to the model, which continues the text so far."""
        model = self._model = await self._client.info(self._request.model)
        if self._fitted is None and not model.is_loaded:
            yield Status("loading")  # counting the prompt's tokens may already wait for it
        fitted, announcements = await self._fit(model.window)
        for event in announcements:
            yield event
        sampling = subtract_tokens(fitted.sampling, self._deltas)
        if sampling.max_tokens == 0:
            yield self._cut_off()
            return
        deltas_before = self._deltas
        so_far = self.text.rstrip()  # chat templates strip it anyway, and models continue badly after a space
        space_filter = RepeatedSpaceFilter(self.text[len(so_far) :])
        async with aclosing(self._stream(fitted.messages, sampling, so_far)) as stream:
            async for received in stream:
                match received:
                    case TextDelta(text):
                        self._deltas += 1
                        if text := space_filter.feed(text):
                            self.text += text
                            yield Text(text)
                    case QueuePosition() | ModelLoading():
                        yield waiting_status(received)
                    case ThinkingStarted() if not self._thinks and not self.text:
                        self._thinks = True
                        yield Status("thinking")
                    case StreamFinished(reason, usage):
                        self._end = received
                        self._require_answer(received)
                        yield Done(reason, self._title(received), add_earlier_tokens(usage, deltas_before))

    async def _fit(self, window: int) -> tuple[FittedPrompt, Iterable[Event]]:
        """The prompt that fits `window` tokens, and at its first use the events in front of the text."""
        if self._fitted is not None:
            return self._fitted, ()
        count, request = partial(self._client.count, model=self._request.model), self._request
        self._fitted = await fit_window(request.draft, request.sampling, window, count, self._bounds)
        return self._fitted, self._announcements(self._fitted)

    def _stream(
        self, messages: tuple[Message, ...], sampling: Sampling, so_far: str
    ) -> AsyncGenerator[StreamEvent, None]:
        request = self._request
        return self._client.stream(
            (*messages, Message("assistant", so_far)) if so_far else messages,
            sampling,
            user=request.user,
            response_format=request.response_format,
            continue_last=bool(so_far),
            continue_prompt=self._continue_prompt(so_far),
            keep_prefix=request.own_system,
            model=request.model,
            prompt_cache_key=request.cache_key,
            priority=request.priority,
        )

    def _continue_prompt(self, so_far: str) -> str:
        """Asks an engine in words to go on, if it has no field for it."""
        language = self._request.draft.style.language
        return text("prompt-continue", language, words=last_words(so_far)) if so_far else ""

    def _announcements(self, fitted: FittedPrompt) -> Iterator[Event]:
        """The events in front of the text: the number of dropped exchanges, and the sources in the prompt."""
        if dropped := fitted.dropped + self._request.draft.earlier:
            yield Status("trimmed", turns_dropped=dropped)  # the wire's name; it counts exchanges
        if has_documents(fitted):
            yield from fitted.draft.sources(fitted.passages)

    def _require_answer(self, end: StreamFinished) -> None:
        if self._thinks and not self.text.strip():
            tokens = end.usage.completion_tokens
            raise OnlyThought(f"the model thought for {tokens} tokens and wrote no answer ({end.reason})")

    def _cut_off(self) -> Done:
        """The end of an answer that has no more room."""
        return Done("length", self._title(), Usage(completion_tokens=self._deltas))

    def _title(self, end: StreamFinished | None = None) -> str:
        """The title of the model that answered: the engine names it at the end."""
        if end and end.model:
            return self._client.title(end.model)
        assert self._model is not None  # it was asked
        return self._model.title

    def _drop_more(self) -> bool:
        """Tightens the bounds after the engine found the prompt too long. False: nothing is left to drop."""
        bounds = tighten(self._fitted) if self._fitted else None
        if bounds is None:
            return False
        self._bounds, self._fitted = bounds, None
        return True


def waiting_status(waiting: QueuePosition | ModelLoading) -> Status:
    if isinstance(waiting, ModelLoading):
        return Status("loading", wait_s=waiting.wait_s)
    return Status("queued", position=waiting.position, wait_s=waiting.wait_s)


def lookup_question(context: PromptContext) -> LookupQuestion:
    """The question with the latest exchanges, whether the database or the caller keeps them."""
    earlier = [
        EarlierExchange(
            clip_text(parse_lead_context(each.question.text).question),
            clip_text(each.answer),
            tuple(source.title for source in each.sources),
        )
        for each in context.conversation.exchanges[-EARLIER_LIMIT:]
    ]
    return LookupQuestion(clip_text(context.question.text), tuple(earlier))


def build_filter(fitted: FittedPrompt) -> AnswerFilter | None:
    """The filter of an answer that can cite and quote documents."""
    if not has_documents(fitted):
        return None
    draft, passages = fitted.draft, fitted.passages
    numbers = {source.number for source in draft.sources(passages)}
    numbers |= cited_numbers(draft.question)  # "What does reference [12] say?" is about a list in a document
    return AnswerFilter(draft.texts(passages), numbers, draft.style.language)


def describe_window(fitted: FittedPrompt, context: PromptContext) -> str:
    """Names the documents of this question that did not fit into the prompt as a whole, as text before the answer."""
    partly = partly_shown(fitted.draft, fitted.passages, context)
    return shortcomings(Lookup(partly_read=partly), context.personality.language) if partly else ""


def has_documents(fitted: FittedPrompt) -> bool:
    """True if the prompt contains documents that the answer can cite and quote."""
    return bool(fitted.draft.lead_context or fitted.passages)


class RepeatedSpaceFilter:
    """Drops the blank space at the start of a continued answer that the text before it already ends with."""

    def __init__(self, sent_space: str) -> None:
        self._sent_space = sent_space

    def feed(self, text: str) -> str:
        while self._sent_space and text:
            if text[0] != self._sent_space[0]:
                self._sent_space = ""
                break
            text, self._sent_space = text[1:], self._sent_space[1:]
        return text


def pause_after(failure: CspsError, deaths: int) -> float:
    """Seconds to wait before the next attempt: as a busy engine asked (Retry-After), else by the number of deaths."""
    if isinstance(failure, Overloaded) and failure.retry_after_s is not None:
        return failure.retry_after_s
    return BACKOFF.pause_s(deaths)


def subtract_tokens(sampling: Sampling, sent_tokens: int) -> Sampling:
    """The sampling for the rest of an answer, after `sent_tokens`."""
    if sampling.max_tokens is None:
        return sampling
    return replace(sampling, max_tokens=max(0, sampling.max_tokens - sent_tokens))


def add_earlier_tokens(usage: Usage, sent_tokens: int) -> Usage:
    """Moves the tokens of earlier attempts from the prompt, in which the last attempt received them, to the answer."""
    prompt_tokens = max(0, usage.prompt_tokens - sent_tokens)
    return replace(usage, prompt_tokens=prompt_tokens, completion_tokens=usage.completion_tokens + sent_tokens)
