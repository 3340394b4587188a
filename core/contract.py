"""The prompt contract: what an adapter hands to the engine, and what comes back.

Values only, frozen, from the standard library alone. An adapter maps its platform's message onto `Prompt` and the
events back onto its platform; it needs to know nothing else of the core.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Language = Literal["en", "fr"]
Ending = Literal["stop", "length", "stopped", "failed"]  # of an answer: by the model, its budget, the person, an error


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing that was said."""

    role: Literal["user", "assistant"]
    text: str
    speaker: str | None = None  # who, where several people share a thread


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file or a quoted message: context to read, never instructions to follow."""

    name: str
    text: str
    cut: bool = False  # its end was left out: it is longer than what is read


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are drawn. `None` leaves the choice to the personality, and then to the model."""

    temperature: float | None = None  # 0: always the most likely token
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    repeat_penalty: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a person asked, where, and what they brought along."""

    personality: str
    text: str  # what the person wrote, the mention removed
    conversation: str | None = None  # "slack:T1:C2:1712.5", "web:<opaque>": whose history it continues; None keeps none
    user: str | None = None  # opaque; for fairness and limits
    language: Language | None = None
    attachments: tuple[Attachment, ...] = ()
    thread_messages: tuple[Turn, ...] = ()  # what other people wrote in the thread since the bot's last answer
    history: tuple[Turn, ...] = ()  # earlier turns, from a caller that keeps them itself (conversation is None then)
    sampling: Sampling = field(default_factory=Sampling)
    # Asked a second time under one key, it is the same turn: one that is answered gives its answer again, one that
    # was cut off is answered anew from what came before it. With `again`, it is answered anew in any case.
    key: str | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens, as the model counted them."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0  # of the prompt's, those that were not computed again

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cached_tokens + other.cached_tokens,
        )


@dataclass(frozen=True, slots=True)
class Status:
    """What is being waited for, or what the person should know about how the answer is made."""

    state: Literal["queued", "reading", "thinking", "reconnecting", "trimmed"]
    position: int | None = None  # queued: how many are served before this one, from 1
    wait_s: float | None = None  # queued: expected
    turns_dropped: int | None = None  # trimmed: how many of the oldest turns the model no longer sees


@dataclass(frozen=True, slots=True)
class Source:
    """Something the answer was based on, which a person can open."""

    number: int  # as cited in the answer: [1]
    title: str
    url: str | None = None
    language: Language | None = None
    fetched_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """The next piece of the answer; pieces concatenate, and none ends inside a character."""

    text: str


@dataclass(frozen=True, slots=True)
class Done:
    """The answer is whole. `length` means that the token budget ended it, not the model."""

    reason: Literal["stop", "length"]
    model: str
    usage: Usage


Event = Status | Source | Text | Done  # exactly one Done, and it is last


@dataclass(frozen=True, slots=True)
class TranscriptTurn:
    """A turn of a conversation as people saw it; as the model sees it, it is a `Turn`."""

    role: Literal["user", "assistant"]
    text: str
    attachments: tuple[str, ...] = ()  # of a question: the names of what came with it
    sources: tuple[Source, ...] = ()  # of an answer
    reason: Ending | None = None  # of an answer


@dataclass(frozen=True, slots=True)
class Task:
    """Toil: a prompt answered by JSON. No schema means any JSON object."""

    personality: str
    prompt: str
    schema: Mapping[str, Json] | bool | None = None
    user: str | None = None
    conversation: str | None = None  # as in Prompt: what was said there is known, and the task becomes a turn of it
    attachments: tuple[Attachment, ...] = ()  # one that holds nothing but a URL is what is there
    history: tuple[Turn, ...] = ()
    sampling: Sampling = field(default_factory=Sampling)
    key: str | None = None  # as in Prompt; toil is always done anew


@dataclass(frozen=True, slots=True)
class ToilResult:
    """A value that was checked against its task's schema."""

    value: Json
    model: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class TextDiscarded:
    """The text so far is void: it did not conform, or was lost; what follows begins anew."""


ToilEvent = Status | Text | TextDiscarded | ToilResult  # exactly one ToilResult, and it is last


@dataclass(frozen=True, slots=True)
class KeywordReport:
    """What becomes of one keyword of a schema: held to while writing, checked afterwards, or the schema is refused."""

    path: str  # its JSON pointer in the schema as it was given
    keyword: str
    outcome: Literal["enforced", "checked", "refused"]
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Description:
    """What people are told about a personality before they talk to it."""

    personality: str
    title: str
    language: Language
    description: Mapping[Language, str]
    greeting: str
    # None while no model answers:
    model: str | None  # which one does, as TBS guidance asks to show
    starter: bool | None  # it is the weak starter model
    context_window: int | None  # tokens that conversation and answer share


class Engine(Protocol):
    """What adapters see of the core. Failures are exceptions of `core.errors`."""

    def reply(self, prompt: Prompt) -> AsyncGenerator[Event, None]:
        """Answer. Closing the iterator cancels the generation and frees its slot."""
        ...

    async def toil(self, task: Task) -> ToilResult:
        """Answer with JSON that conforms to the task's schema, or raise."""
        ...

    def toil_events(self, task: Task) -> AsyncGenerator[ToilEvent, None]:
        """As `toil`, with the text while it is written, unchecked; the checked value is the last event."""
        ...

    async def check_schema(self, schema: Json) -> tuple[KeywordReport, ...]:
        """What becomes of each keyword of a schema, with its path. Asks no model."""
        ...

    async def read(self, name: str, body: bytes, media_type: str) -> Attachment:
        """A file as text to read: text, Markdown, HTML, CSV, JSON, PDF, DOCX. Raises UnreadableDocument."""
        ...

    async def open(self, personality: str, user: str | None = None) -> str:
        """Begin a conversation; its unguessable id ("web:…") is all that later gives access to it."""
        ...

    async def resume(self, conversation: str, personality: str, user: str | None = None) -> tuple[TranscriptTurn, ...]:
        """The turns so far of a conversation that `open` issued. Raises SessionUnknown."""
        ...

    async def forget(self, conversation: str) -> None:
        """Delete a conversation and all that was said in it."""
        ...

    def personalities(self) -> tuple[str, ...]:
        """The names that can be asked for, in order."""
        ...

    async def describe(self, personality: str) -> Description:
        """Raises PersonalityUnknown. Needs no model: what only that could tell is None while none answers."""
        ...

    async def ready(self) -> None:
        """Returns when a prompt would be answered now; raises ModelUnavailable or StorageError at once if not."""
        ...
