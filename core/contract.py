"""The contract between adapters and the engine: prompts in, events out.

Frozen values from the standard library alone. An adapter maps its platform's message to a `Prompt`, and the events to
its platform; it needs nothing else of the core.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, get_args

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Language = Literal["en", "fr"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
# "scanned": pages that are pictures without text. "unmapped": pages whose fonts do not tell their letters. "damaged":
# pages that cannot be opened.
# "characters": the end of a text. "hidden": sheets that Excel hides.
# "passages": those that fit the question best were read; "coverage": those that were read are spread over the whole.
OmissionKind = Literal[
    "characters",
    "pages",
    "scanned",
    "unmapped",
    "damaged",
    "slides",
    "sheets",
    "hidden",
    "rows",
    "columns",
    "entries",
    "passages",
    "coverage",
]
DESCRIBE_WAIT_S = 3.0  # a page without the model's name is better than no page
Ending = Literal["stop", "length", "stopped", "failed"]  # an answer ended by the model, budget, person or an error


@dataclass(frozen=True, slots=True)
class Tool:
    """A function of the caller. The model may ask the caller to run it."""

    name: str
    description: str = ""
    parameters: Mapping[str, Json] | None = None  # the JSON Schema of its arguments, an object; None: it takes none


@dataclass(frozen=True, slots=True)
class Toolbox:
    """The tools that the model may call before it answers."""

    tools: tuple[Tool, ...]
    required: bool = False  # it must call one
    parallel: bool = True  # it may call several at once
    streamed: bool = False  # arguments are passed on while they are written, where that is safe


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that the model asked for. `output`: the caller's result, which the model reads as data."""

    id: str
    name: str
    arguments: str  # a JSON object that conforms to the tool's parameters
    output: str | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation."""

    role: Literal["user", "assistant"]
    text: str
    speaker: str | None = None  # the author's name, in a thread of several people
    calls: tuple[ToolCall, ...] = ()  # of an assistant's turn, with their outputs

    def to_json(self) -> dict[str, Json]:
        """The stored form. It has no calls: only callers that keep the conversation themselves have them."""
        return {"role": self.role, "text": self.text, "speaker": self.speaker}


@dataclass(frozen=True, slots=True)
class Omission:
    """A part of a document that was not read. The person and the model both learn of it.

    Of `total` units of one kind, the first `read` were read. `places` names single units that were not, such as
    "3, 7–9". A `total` of 0 is unknown.
    """

    kind: OmissionKind
    read: int = 0
    total: int = 0
    places: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file or a quoted message. The model reads it as data and never as instructions."""

    name: str
    text: str
    omissions: tuple[Omission, ...] = ()

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Attachment:
        """Parses the stored form. Version 0.1.0 stored `cut`: the end is missing."""
        earlier: Sequence[Mapping[str, Any]] = [{"kind": "characters"}] if value.get("cut") else []
        omissions = value.get("omissions", earlier)
        return cls(value["name"], value["text"], tuple(Omission(**each) for each in omissions))


@dataclass(frozen=True, slots=True)
class WebPage:
    """A page, feed or file of the Web, as an answer to a prompt that begins with its address would be based on it."""

    url: str  # for people, after redirects
    title: str
    kind: Literal["page", "feed", "file"]
    text: str
    language: Language | None = None  # None: neither English nor French
    omissions: tuple[Omission, ...] = ()


@dataclass(frozen=True, slots=True)
class Sampling:
    """The model's sampling. None leaves the choice to the personality, and then to the model."""

    temperature: float | None = None  # 0: always the most likely token
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    repeat_penalty: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    frequency_penalty: float | None = None  # for each time that a token stands in the answer
    presence_penalty: float | None = None  # for a token that stands in the answer


# The way by which a prompt came: the page, its socket and /gpt ("web"), /toil, /v1, a platform, or a command.
Channel = Literal["web", "toil", "v1", "slack", "discord", "teams", "cli"]
Priority = Literal["interactive", "batch"]  # batch: nobody watches the answer, so that it lets others go first
Verdict = Literal["good", "bad"]  # a person's, on an answer
RECEIPT_BYTES = 12  # random ones; a receipt's id opens nothing, it only has to be the only one


def new_receipt_id() -> str:
    return secrets.token_hex(RECEIPT_BYTES)


@dataclass(frozen=True, slots=True)
class Prompt:
    """A person's message with its conversation and attachments."""

    personality: str
    text: str  # the message without the mention
    conversation: str | None = None  # "slack:T1:C2:1712.5", "web:<opaque>"; None: nothing is stored
    user: str | None = None  # an opaque id, for fair queueing and limits
    language: Language | None = None
    attachments: tuple[Attachment, ...] = ()
    thread_messages: tuple[Turn, ...] = ()  # messages of other people in the thread since the bot's last answer
    history: tuple[Turn, ...] = ()  # earlier turns of a caller that stores them itself; then conversation is None
    sampling: Sampling = field(default_factory=Sampling)
    # A prompt with the key of an earlier one repeats it. A complete answer is sent again; an interrupted one is
    # generated anew. With `again`, the answer is generated anew in any case.
    key: str | None = None
    again: bool = False
    toolbox: Toolbox | None = None
    asked: str = ""  # the person's words in `text`, if a calling program's instructions stand before them
    calls: tuple[ToolCall, ...] = ()  # made for this message, with their outputs: the answer is based on them
    priority: Priority = "interactive"
    owner: str | None = None  # who alone may continue the conversation, as in `Engine.open`
    revises: bool = False  # replaces the conversation's last exchange: the person edited or repeated the question
    revised: int | None = None  # with `revises`: the number of that exchange, or the prompt is refused; None: any
    keeps_attachments: bool = False  # with `revises`: those of the replaced question stand before `attachments`
    channel: Channel = "cli"
    names: frozenset[str] = frozenset()  # by which access lists know the caller: "user:ana", "group:hr", "slack:U1"
    receipt: str = field(default_factory=new_receipt_id, compare=False)  # the id of the answer's receipt
    model: str | None = None  # answers in place of the personality's, for comparisons; no channel lets people set it


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts from the model."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0  # the prompt tokens that were not computed again

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cached_tokens + other.cached_tokens,
        )


@dataclass(frozen=True, slots=True)
class Status:
    """The reason for a delay, or a note about how the answer is generated."""

    state: Literal["queued", "loading", "reading", "thinking", "reconnecting", "trimmed"]
    position: int | None = None  # queued: the place in the queue, from 1
    wait_s: float | None = None  # queued, loading: the expected wait in seconds
    turns_dropped: int | None = None  # trimmed: the number of oldest exchanges that the model no longer sees


@dataclass(frozen=True, slots=True)
class PersonalInformation:
    """One kind of personal information in a request. `titles`: of an operator's own kind, its name by language."""

    kind: str  # "sin", "email"…, or the name of an operator's pattern
    count: int
    titles: tuple[tuple[Language, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Masked:
    """Personal information that was taken out of a request before it was queued, stored or sent to the model."""

    found: tuple[PersonalInformation, ...]
    question: str = ""  # the question without it, as it is stored


@dataclass(frozen=True, slots=True)
class Source:
    """A document that the answer is based on. A person can open one that has an address; a file has none."""

    number: int  # as cited in the answer: [1]
    title: str
    url: str | None = None
    language: Language | None = None
    fetched_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """The next part of the answer. Parts concatenate; none ends inside a character."""

    text: str


@dataclass(frozen=True, slots=True)
class Done:
    """The answer is complete. `length`: the token budget ended it, not the model."""

    reason: Literal["stop", "length"]
    model: str
    usage: Usage
    exchange: int | None = None  # the number of the stored exchange in its conversation, from 1
    receipt: str | None = field(default=None, compare=False)  # the id of the answer's receipt; None: none is kept


Event = Status | Masked | Source | Text | Done  # exactly one Done, and it is last; Masked is first


@dataclass(frozen=True, slots=True)
class TranscriptTurn:
    """One message of a conversation as people saw it. `Turn` is a message as the model sees it."""

    role: Literal["user", "assistant"]
    text: str
    attachments: tuple[str, ...] = ()  # of a question: the names of its attachments
    sources: tuple[Source, ...] = ()  # of an answer
    reason: Ending | None = None  # of an answer
    exchange: int | None = None  # the number of the exchange, from 1
    at: datetime | None = None  # when the question was asked; None: unknown
    model: str | None = None  # of an answer: the model that wrote it; None: unknown
    receipt: str | None = field(default=None, compare=False)  # of an answer: the id of its receipt; None: it has none
    rating: Verdict | None = None  # of an answer: the verdict of the conversation's owner


@dataclass(frozen=True, slots=True)
class ConversationSummary:
    """A conversation as its owner sees it in a list."""

    id: str
    personality: str
    title: str  # the owner's, else the beginning of the first question
    used_at: datetime
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Rating:
    """A person's verdict on an answer. A later one replaces it."""

    conversation: str
    exchange: int
    verdict: Verdict
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """Toil: a prompt answered by JSON. No schema means any JSON object."""

    personality: str
    prompt: str
    schema: Mapping[str, Json] | bool | None = None
    user: str | None = None
    conversation: str | None = None  # as in Prompt: the model sees its exchanges, and the task becomes one
    attachments: tuple[Attachment, ...] = ()  # an attachment that contains only a URL is replaced by that page
    history: tuple[Turn, ...] = ()
    sampling: Sampling = field(default_factory=Sampling)
    key: str | None = None  # as in Prompt; the answer is always generated anew
    calls: tuple[ToolCall, ...] = ()  # as in Prompt
    priority: Priority = "interactive"
    owner: str | None = None  # as in Prompt
    channel: Channel = "cli"
    names: frozenset[str] = frozenset()  # as in Prompt
    receipt: str = field(default_factory=new_receipt_id, compare=False)  # as in Prompt
    model: str | None = None  # as in Prompt


@dataclass(frozen=True, slots=True)
class ToilResult:
    """A value that conforms to its task's schema."""

    value: Json
    model: str
    usage: Usage
    masked: tuple[PersonalInformation, ...] = ()  # taken out of its task
    receipt: str | None = field(default=None, compare=False)  # as in Done


@dataclass(frozen=True, slots=True)
class TextDiscarded:
    """The text so far is void: it did not conform, or the model died. The following text starts again."""


@dataclass(frozen=True, slots=True)
class ConformingText(Text):
    """The next part of a JSON text that can only become a conforming value. Only the model's death discards it."""


ToilEvent = Status | Masked | Text | TextDiscarded | ToilResult  # exactly one ToilResult, and it is last


@dataclass(frozen=True, slots=True)
class ToolCallStarted:
    """The model calls this tool. Its arguments follow."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class ToolArguments:
    """The next part of the arguments of the call that started last. Parts concatenate; none is ever taken back."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolsChosen:
    """The calls, all complete and conforming. None: the model answers without a call, and has not answered yet."""

    calls: tuple[ToolCall, ...]
    model: str  # "" if no model was asked
    usage: Usage


ToolEvent = Status | Masked | ToolCallStarted | ToolArguments | ToolsChosen  # exactly one ToolsChosen, and it is last


@dataclass(frozen=True, slots=True)
class KeywordReport:
    """The treatment of one keyword of a schema: enforced during generation, checked afterwards, or refused."""

    path: str  # the JSON pointer in the caller's schema
    keyword: str
    outcome: Literal["enforced", "checked", "refused"]
    why: str | None = None


@dataclass(frozen=True, slots=True)
class ModelProgress:
    """A model that is to answer and does not yet: another one answers meanwhile, or none."""

    title: str  # its name
    state: Literal["downloading", "loading", "failed"]
    done_bytes: int = 0  # of the download
    total_bytes: int | None = None  # None: unknown
    expected_s: float | None = None  # until it is there; None: unknown
    problem: str | None = None  # failed: the reason in English, for operators


@dataclass(frozen=True, slots=True)
class Description:
    """A personality as people see it before the first message."""

    personality: str
    title: str
    language: Language
    description: Mapping[Language, str]
    greeting: str
    # The next three are None while no model answers.
    model: str | None  # its name; TBS guidance asks services to show it
    starter: bool | None  # True for the weak starter model
    context_window: int | None  # the tokens that conversation and answer share
    next_model: ModelProgress | None = None  # the model that takes over as soon as it is there
    suggestions: tuple[str, ...] = ()  # questions in its language that a person may begin with


@dataclass(frozen=True, slots=True)
class EngineHealth:
    """An engine behind a URL, as the last requests found it. `engine`: host, port and path, without a password.

    `state`: "returning" if its health check succeeded after a failure, and no answer has yet.
    """

    model: str | None  # the id in models.toml; None for the engine of LLM_URL
    engine: str
    state: Literal["up", "returning", "away"]
    running: int  # answers, of this process
    answered: int  # of this process, since its start
    failed: int
    problem: str | None  # of the last failure


class Engine(Protocol):
    """The interface of the core to adapters. Failures are exceptions of `core.errors`."""

    def reply(self, prompt: Prompt) -> AsyncGenerator[Event, None]:
        """Answers a prompt. Closing the iterator cancels the generation and frees its slot."""

    async def toil(self, task: Task) -> ToilResult:
        """Answers with JSON that conforms to the task's schema, or raises."""

    def toil_events(self, task: Task) -> AsyncGenerator[ToilEvent, None]:
        """Works like `toil`, but yields the unchecked text as it is generated. The last event is the checked value."""

    def choose_tools(self, prompt: Prompt) -> AsyncGenerator[ToolEvent, None]:
        """Has the model choose calls of `prompt.toolbox`, or to answer. Does not answer, and stores nothing."""

    async def check_schema(self, schema: Json) -> tuple[KeywordReport, ...]:
        """Reports how each keyword of a schema is treated. Needs no model."""

    async def read(self, name: str, body: bytes, media_type: str) -> Attachment:
        """Extracts the text of a file (core/runtime/format_table.py has the formats). Raises UnreadableDocument."""

    async def read_rows(self, name: str, body: bytes) -> Attachment:
        """Extracts the rows of a workbook's first table, as CSV with a header. Raises UnreadableDocument."""

    async def read_page(self, url: str) -> WebPage:
        """Reads a page, feed or file of the Web that a person names. A prompt with its address soon finds it read.

        Raises FetchRefused, FetchFailed, UnreadableDocument.
        """

    async def open(self, personality: str, owner: str | None = None) -> str:
        """Starts a conversation and returns its unguessable id ("web:…").

        `owner`: the person, or the browser, that alone may continue it and that finds it in `conversations`. Without an
        owner, the id is the only access to it.
        """

    async def resume(self, conversation: str, personality: str, owner: str | None = None) -> tuple[TranscriptTurn, ...]:
        """The turns of a conversation that `open` started. Raises SessionUnknown, also for another owner."""

    async def is_answered_elsewhere(self, conversation: str) -> bool:
        """True while another process that shares the database answers in this conversation."""

    async def wait_elsewhere(self, conversation: str, personality: str, owner: str | None = None) -> TranscriptTurn:
        """The answer that another process writes, once it is stored. Raises AnswerLost if that process died first."""

    async def stop_elsewhere(self, conversation: str) -> None:
        """Asks other processes to stop their answer in this conversation. Returns before they did."""

    async def forget(self, conversation: str, owner: str | None = None) -> None:
        """Deletes a conversation with all its turns. Raises SessionUnknown, also for another owner."""

    async def conversations(self, owner: str, search: str = "") -> tuple[ConversationSummary, ...]:
        """The owner's conversations that have an exchange: pinned ones first, then by their last use, newest first.

        `search`: only those whose title, questions or answers contain these words, in any letter case.
        """

    async def conversation(
        self, conversation: str, owner: str
    ) -> tuple[ConversationSummary, tuple[TranscriptTurn, ...]]:
        """One conversation of the owner with its turns. Raises SessionUnknown, also for another owner."""

    async def change_conversation(
        self, conversation: str, owner: str, title: str | None = None, pinned: bool | None = None
    ) -> ConversationSummary:
        """Renames or pins a conversation; None leaves a value as it is, an empty title brings the first question back.

        Raises SessionUnknown, also for another owner.
        """

    async def forget_all(self, owner: str) -> int:
        """Deletes the owner's conversations. Returns their number."""

    async def rate(self, rating: Rating, owner: str | None = None) -> None:
        """Stores a verdict on an answer. Raises SessionUnknown if there is no such answer, or for another owner."""

    def personalities(self, names: frozenset[str] | None = None) -> tuple[str, ...]:
        """The personalities that a caller of these names may use, in their display order. None: all of them."""

    def allowed_ids(self, kind: str) -> frozenset[str]:
        """The ids that the access lists name under a kind such as "slack": only these groups need to be known."""

    async def describe(self, personality: str, wait_s: float = DESCRIBE_WAIT_S) -> Description:
        """Describes a personality. Its model's fields are None if no model answers within `wait_s`.

        Raises PersonalityUnknown.
        """

    def engines(self) -> tuple[EngineHealth, ...]:
        """The engines behind URLs; none for models of this machine alone."""

    async def ready(self) -> None:
        """Returns if the engine can answer now. Otherwise raises ModelUnavailable or StorageError at once."""
