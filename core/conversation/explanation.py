"""Explains how a question becomes a prompt: the lookups, the passages that competed, and the room in the window.

For the people who tune a personality (`csps-llm explain`). Contains the prompt itself, so it never reaches a log.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from core.conversation.composition import PromptContext
from core.conversation.generation import AnswerPipeline
from core.conversation.window import Count, FittedPrompt, answer_reserve, count_tokens, fit_window
from core.errors import ModelError
from core.model.client import ModelClient
from core.openai.chat_protocol import Message
from core.rag.retrieval import Considered, PartlyRead

BEGINNING_CHARS = 80


@dataclass(frozen=True, slots=True)
class ExplainedPassage:
    """A passage that competed. `score`: BM25 against the question; None if it was not ranked, because all fit."""

    heading: str
    beginning: str
    chars: int
    score: float | None
    shown: bool


@dataclass(frozen=True, slots=True)
class ExplainedDocument:
    """A document of the question. `number`: 0 if none of it is shown."""

    number: int
    name: str
    url: str | None
    whole: bool  # it stands in whole at the start of the conversation, and its passages do not compete
    passages: tuple[ExplainedPassage, ...]


@dataclass(frozen=True, slots=True)
class TokenBudget:
    """The context window in tokens. `counted`: by the model; otherwise estimated from the text's bytes."""

    window: int
    prompt: int
    answer: int  # kept free for the answer
    counted: bool
    system: int
    exchanges_dropped: int


@dataclass(frozen=True, slots=True)
class Explanation:
    messages: tuple[Message, ...]
    considered: tuple[Considered, ...]
    unread: tuple[str, ...]
    partly_read: tuple[PartlyRead, ...]
    documents: tuple[ExplainedDocument, ...]
    budget: TokenBudget


async def explain(pipeline: AnswerPipeline, client: ModelClient, context: PromptContext, window: int) -> Explanation:
    """Prepares an answer and stops before the model is asked. `window`: its tokens if no model answers."""
    request, _, lookup = await pipeline.prepare(context)
    count: Count = partial(client.count, model=request.model)
    try:
        window = (await client.info(request.model)).window
    except ModelError:
        count = estimate_all
    fitted = await fit_window(request.draft, request.sampling, window, count)
    prompt, system = [await count_tokens(each, count) for each in (fitted.messages, fitted.messages[:1])]
    budget = TokenBudget(
        window,
        prompt,
        answer_reserve(request.sampling, window),
        counted=await count(fitted.messages) is not None,
        system=system,
        exchanges_dropped=fitted.dropped + request.draft.earlier,
    )
    documents = (*lead_documents(fitted), *competing_documents(fitted))
    return Explanation(fitted.messages, lookup.considered, lookup.unread, lookup.partly_read, documents, budget)


async def estimate_all(_messages: Sequence[Message]) -> None:
    """A count of an engine that does not count."""


def lead_documents(fitted: FittedPrompt) -> Iterator[ExplainedDocument]:
    for number, document in enumerate(fitted.draft.lead_context, 1):
        passages = tuple(
            ExplainedPassage(each.heading, each.text[:BEGINNING_CHARS], each.size_chars, None, shown=True)
            for each in document.passages
        )
        yield ExplainedDocument(number, document.name, document.url, whole=True, passages=passages)


def competing_documents(fitted: FittedPrompt) -> Iterator[ExplainedDocument]:
    candidates = fitted.draft.candidates
    places = candidates.choose(fitted.passages)
    numbers, shown = candidates.number_shown(places), set(places)
    for at, document in enumerate(candidates.documents):
        passages = tuple(
            ExplainedPassage(
                each.heading,
                each.text[:BEGINNING_CHARS],
                each.size_chars,
                candidates.scores[at, number],
                shown=(at, number) in shown,
            )
            for number, each in enumerate(document.passages)
        )
        yield ExplainedDocument(numbers.get(at, 0), document.name, document.url, whole=False, passages=passages)
