"""The values of a conversation: questions, exchanges and their keys. Knows no database and no model."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.contract import Attachment, Ending, Source, ToolCall, Turn, Verdict
from core.rag.rendering import NumberedDocument
from core.rag.retrieved import RetrievedDocument


@dataclass(frozen=True, slots=True)
class Question:
    """A person's message with its attachments, and what other people wrote in the thread before it.

    `calls`: the tools called for its answer; the attachments include their outputs.
    """

    text: str
    attachments: tuple[Attachment, ...] = ()
    thread_messages: tuple[Turn, ...] = ()
    calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answer, as far as the answer was written."""

    question: Question
    answer: str = ""
    reason: Ending | None = None  # None: the answer is being written, or its process was killed
    sources: tuple[Source, ...] = ()  # the sources of the answer
    shown: tuple[NumberedDocument, ...] = ()  # the documents of its prompt, in part; loaded for the last exchange alone
    asked_at: float | None = field(default=None, compare=False)  # seconds since 1970; None: unknown
    model: str | None = field(default=None, compare=False)  # the one that answered; None: unknown
    number: int | None = field(default=None, compare=False)  # in its conversation, from 1; None: not stored
    receipt: str | None = field(default=None, compare=False)  # the id of the answer's receipt; None: it has none
    rating: Verdict | None = field(default=None, compare=False)  # of the answer


@dataclass(frozen=True, slots=True)
class Conversation:
    """A snapshot of a conversation."""

    id: int  # 0: the caller keeps the history, the database does not
    context: str | None = None  # the text pasted before the first question
    exchanges: tuple[Exchange, ...] = ()  # the latest, oldest first
    earlier: int = 0  # the number of exchanges before `exchanges`
    repeated: Exchange | None = None  # the exchange that the prompt repeats or revises; `exchanges` end before it
    lead_documents: tuple[RetrievedDocument, ...] = ()  # the page or feed that the first question names
    cache_key: str | None = None  # the name under which engines may keep it computed; None: they may not


@dataclass(frozen=True, slots=True)
class ExchangeKey:
    """The primary key of a stored exchange, whose answer may not be stored yet."""

    conversation: int
    number: int  # from 1
