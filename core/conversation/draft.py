"""A prompt before the window cuts it, and the messages that it becomes. Pure. Knows no tokens."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from core.contract import Json, Priority, Sampling, Source
from core.openai.chat_protocol import Message
from core.rag.candidates import CandidateQuery, Candidates
from core.rag.rendering import DEFAULT_STYLE, NumberedDocument, PromptStyle, RenderedContext, render
from core.rag.retrieved import RetrievedDocument

ExchangeMessages = tuple[Message, ...]  # a question and its answer; the window drops both or neither


@dataclass(frozen=True, slots=True)
class PromptDraft:
    """A prompt before the window cuts it: the oldest `exchanges` and the worst passages of `candidates` may go.

    `lead_context`: the documents that the conversation started with. They stand in whole at the start of the prompt, so
    that the model computes them once. If they are too long for that, `without_lead` moves them into the candidates.
    Their numbers start at 1. `kept`: what was shown of them for the last answer. `today`: the sentence with the date on
    which the conversation began. It stands before them, so that the system prompt is the same every day.
    """

    system: str
    exchanges: tuple[ExchangeMessages, ...]
    question: str
    lead_context: tuple[RetrievedDocument, ...] = ()
    kept: tuple[NumberedDocument, ...] = ()
    candidates: Candidates = field(default_factory=lambda: Candidates((), CandidateQuery()))
    earlier: int = 0  # the number of exchanges before `exchanges`, which the draft does not contain
    style: PromptStyle = DEFAULT_STYLE
    today: str = ""

    def messages(self, dropped: int = 0, passages: int = 0) -> tuple[Message, ...]:
        """The messages without the `dropped` oldest exchanges, with the best `passages` of the candidates."""
        history = [message for exchange in self.exchanges[dropped:] for message in exchange]
        documents = Message("user", self._render_candidates(passages).text)
        return alternating([*self.head(), *history, documents, Message("user", self.question)])

    def head(self) -> tuple[Message, ...]:
        """The messages that every answer of this conversation starts with."""
        start = join_paragraphs([self.today, self._render_lead().text])
        return Message("system", self.system), Message("user", start)

    def documents(self, passages: int) -> tuple[NumberedDocument, ...]:
        """The documents that `messages` shows, as far as it does."""
        return (*self._render_lead().documents, *self._render_candidates(passages).documents)

    def sources(self, passages: int) -> tuple[Source, ...]:
        """The sources that an answer to `messages` can cite."""
        return tuple(each.source for each in self.documents(passages))

    def texts(self, passages: int) -> tuple[str, ...]:
        """The texts that an answer to `messages` can quote."""
        return self._render_lead().text, self._render_candidates(passages).text, self.question

    def to_keep(self, passages: int) -> tuple[NumberedDocument, ...]:
        """The shown passages that the next prompt may need: without the lead context, which stays anyway."""
        return self.candidates.best_shown(passages)

    def _numbered_lead(self) -> tuple[NumberedDocument, ...]:
        return tuple(NumberedDocument(number, each) for number, each in enumerate(self.lead_context, 1))

    def _render_lead(self) -> RenderedContext:
        return render(self._numbered_lead(), self.style) if self.lead_context else RenderedContext()

    def _render_candidates(self, passages: int) -> RenderedContext:
        return self.candidates.render(passages) if passages else RenderedContext()

    def without_lead(self) -> PromptDraft:
        candidates = self.candidates.with_lead(self._numbered_lead(), self.kept)
        return replace(self, lead_context=(), candidates=candidates)


@dataclass(frozen=True, slots=True)
class AnswerRequest:
    """A draft with the settings for generating its answer.

    `user`: a pseudonym. `model`: its name, if the personality has its own. `response_format`: OpenAI's field; after the
    model's death such an answer starts again, because its grammar does. `own_system`: the system message contains only
    the personality's words, so the engine may keep it computed. `cache_key`: the conversation's.
    """

    draft: PromptDraft
    sampling: Sampling
    user: str | None = None
    model: str | None = None
    response_format: Json = None
    own_system: bool = True
    cache_key: str | None = None
    priority: Priority = "interactive"


def alternating(messages: Iterable[Message]) -> tuple[Message, ...]:
    """Joins neighbours of one role and drops empty messages: the templates of many models refuse anything else."""
    merged: list[Message] = []
    for message in messages:
        if merged and merged[-1].role == message.role:
            merged[-1] = replace(message, content=join_paragraphs([merged[-1].content, message.content]))
        elif message.content:
            merged.append(message)
    return tuple(merged)


def join_paragraphs(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part)
