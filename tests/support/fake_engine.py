"""An engine in memory that speaks the contract. It follows a test's script and records its calls.

It never sleeps: a script that must wait contains an `asyncio.Event`, which the test sets.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from core.access.names import is_admitted
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
    Omission,
    Prompt,
    Rating,
    Source,
    Status,
    Task,
    Text,
    TextDiscarded,
    ToilEvent,
    ToilResult,
    ToolArguments,
    ToolCall,
    ToolCallStarted,
    ToolEvent,
    ToolsChosen,
    TranscriptTurn,
    Usage,
    WebPage,
)
from core.errors import CspsError, ExchangeOutdated, FetchFailed, PersonalityUnknown, SessionUnknown

ReplyStep = Event | Exception | asyncio.Event  # an Event of asyncio: wait until it is set
Replies = Sequence[ReplyStep] | Callable[[Prompt], Iterable[ReplyStep]]
Toil = Json | ToilResult | Exception | Callable[[Task], Any]

BEGINNING = datetime(2026, 7, 27, 14, 0, tzinfo=UTC)  # of the first conversation; each change comes a minute later

SUGGESTIONS: Mapping[Language, tuple[str, ...]] = {
    "en": ("What is the weather in Ottawa?", "Which courses are new?", "How do I write plainly?"),
    "fr": ("Quel temps fait-il à Ottawa?", "Quels cours sont nouveaux?", "Comment écrire simplement?"),
}
HELLO: tuple[ReplyStep, ...] = (Text("Hello"), Text(" world."), Done("stop", "fake-model", Usage(7, 3, 2)))


@dataclass
class FakeConversation:
    personality: str
    owner: str | None
    used_at: datetime
    turns: list[TranscriptTurn] = field(default_factory=list)
    title: str = ""
    pinned: bool = False

    def summary(self, name: str) -> ConversationSummary:
        title = self.title or self.turns[0].text.partition("\n")[0][:80]
        return ConversationSummary(name, self.personality, title, self.used_at, self.pinned)


class FakeEngine:
    """The Engine protocol in memory.

    `replies`: the steps of every answer, or a function from the prompt to them. An exception among them is raised, and
    an `asyncio.Event` is awaited. `toiled`: a value, a `ToilResult`, an exception, or a function from the task.
    """

    def __init__(
        self,
        replies: Replies = HELLO,
        toiled: Toil = None,
        names: Sequence[str] = ("whisper", "chuchotte"),
        unready: CspsError | None = None,
    ) -> None:
        self.replies = replies
        self.toiled: Toil = {"answer": 42} if toiled is None else toiled
        self.names = tuple(names)
        self.unready = unready
        self.allow: dict[str, tuple[str, ...]] = {}  # the access lists of personalities
        # The calls of every answer with a toolbox: a function from the prompt to them, or an exception.
        self.calls: Callable[[Prompt], Sequence[ToolCall]] | Exception = lambda _prompt: ()
        self.remote_engines: tuple[EngineHealth, ...] = ()
        self.prompts: list[Prompt] = []
        self.tasks: list[Task] = []
        self.pages: dict[str, WebPage | Exception] = {}  # of the Web, by address
        self.pages_read: list[str] = []  # their addresses
        self.rows_omitted: tuple[Omission, ...] = ()  # of every workbook
        self.started = asyncio.Event()  # the caller requested the first event of a reply
        self.model: str | None = "fake-model"  # the model that answers; None: none does
        self.starter = True  # it is the starter
        self.next_model: ModelProgress | None = None  # the model that it stands in for
        self.toil_steps: Sequence[ToilEvent] | None = None  # the events of toil before its value
        self.cancelled = asyncio.Event()  # a reply was closed before its Done
        self.finished = asyncio.Event()  # a reply came to its end
        self.sessions: dict[str, FakeConversation] = {}
        self.ratings: list[Rating] = []
        self.elsewhere: asyncio.Future[TranscriptTurn] | None = None  # the answer of another process
        self.stopped_elsewhere = asyncio.Event()
        self._minutes = 0

    async def reply(self, prompt: Prompt) -> AsyncGenerator[Event, None]:
        self.require_personality(prompt.personality)
        turns = self.turns_of(prompt)
        self.prompts.append(prompt)
        self.started.set()
        kept = turns[-2].attachments if prompt.keeps_attachments and turns else ()
        if prompt.revises and prompt.revised not in (None, len(turns) // 2):
            raise ExchangeOutdated("another exchange is the last one")
        if prompt.revises:
            del turns[-2:]
        number, at = len(turns) // 2 + 1, self.now()
        names = (*kept, *(file.name for file in prompt.attachments))
        turns.append(TranscriptTurn("user", prompt.text, names, exchange=number, at=at))
        turn = TranscriptTurn("assistant", "", reason="failed", exchange=number, at=at)
        try:
            for step in self.replies(prompt) if callable(self.replies) else self.replies:
                if isinstance(step, asyncio.Event):
                    await step.wait()
                    continue
                if isinstance(step, Exception):
                    raise step
                turn = add_event(turn, step)
                yield replace(step, exchange=number) if isinstance(step, Done) and prompt.conversation else step
        except (asyncio.CancelledError, GeneratorExit):
            turn = replace(turn, reason="stopped")
            self.cancelled.set()
            raise
        finally:
            turns.append(turn)
        self.finished.set()

    async def toil(self, task: Task) -> ToilResult:
        self.require_personality(task.personality)
        self.tasks.append(task)
        outcome = self.toiled(task) if callable(self.toiled) else self.toiled
        if isinstance(outcome, Exception):
            raise outcome
        return outcome if isinstance(outcome, ToilResult) else ToilResult(outcome, "fake-model", Usage(7, 3, 0))

    async def toil_events(self, task: Task) -> AsyncGenerator[ToilEvent, None]:
        """Yields `toil_steps`, by default a discarded attempt and the text in two pieces; then the value."""
        toiled = await self.toil(task)
        text = json.dumps(toiled.value)
        default = (Status("queued", position=1), Text("{"), TextDiscarded(), Text(text[:1]), Text(text[1:]))
        self.started.set()
        try:
            for event in (*(self.toil_steps or default), toiled):
                yield event
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled.set()
            raise

    async def choose_tools(self, prompt: Prompt) -> AsyncGenerator[ToolEvent, None]:
        """Yields the arguments of each call in two pieces."""
        self.require_personality(prompt.personality)
        self.prompts.append(prompt)
        if isinstance(self.calls, Exception):
            raise self.calls
        calls = tuple(self.calls(prompt))
        for call in calls:
            yield ToolCallStarted(call.id, call.name)
            yield ToolArguments(call.arguments[:1])
            yield ToolArguments(call.arguments[1:])
        yield ToolsChosen(calls, "fake-model", Usage(5, 2, 0))

    async def check_schema(self, schema: Json) -> tuple[KeywordReport, ...]:
        keywords = schema if isinstance(schema, dict) else {}
        return tuple(KeywordReport(f"/{word}", word, "refused" if word == "$ref" else "enforced") for word in keywords)

    async def read(self, name: str, body: bytes, media_type: str) -> Attachment:
        return Attachment(name, body.decode())

    async def read_rows(self, name: str, body: bytes) -> Attachment:
        """Takes a text of CSV for a workbook, after the mark of a ZIP file."""
        return Attachment(name, body.removeprefix(b"PK\x03\x04").decode(), self.rows_omitted)

    async def read_page(self, url: str) -> WebPage:
        self.pages_read.append(url)
        page = self.pages.get(url, FetchFailed("no such page", "missing"))
        if isinstance(page, Exception):
            raise page
        return page

    async def open(self, personality: str, owner: str | None = None) -> str:
        self.require_personality(personality)
        conversation = f"web:{secrets.token_urlsafe(32)}"
        self.sessions[conversation] = FakeConversation(personality, owner, self.now())
        return conversation

    async def resume(self, conversation: str, personality: str, owner: str | None = None) -> tuple[TranscriptTurn, ...]:
        found = self.find(conversation, owner)
        if found.personality != personality:
            raise SessionUnknown("no such session")
        return tuple(found.turns)

    async def is_answered_elsewhere(self, conversation: str) -> bool:
        return self.elsewhere is not None

    async def wait_elsewhere(self, conversation: str, personality: str, owner: str | None = None) -> TranscriptTurn:
        """Ends when a test sets the future's result."""
        assert self.elsewhere is not None
        try:
            return await self.elsewhere
        finally:
            self.elsewhere = None

    async def stop_elsewhere(self, conversation: str) -> None:
        self.stopped_elsewhere.set()

    async def forget(self, conversation: str, owner: str | None = None) -> None:
        self.find(conversation, owner)
        del self.sessions[conversation]

    async def conversations(self, owner: str, search: str = "") -> tuple[ConversationSummary, ...]:
        found = [
            each.summary(name)
            for name, each in self.sessions.items()
            if each.owner == owner and each.turns and contains(each, search)
        ]
        return tuple(sorted(found, key=lambda each: (each.pinned, each.used_at), reverse=True))

    async def conversation(
        self, conversation: str, owner: str
    ) -> tuple[ConversationSummary, tuple[TranscriptTurn, ...]]:
        found = self.find_owned(conversation, owner)
        return found.summary(conversation), tuple(found.turns)

    async def change_conversation(
        self, conversation: str, owner: str, title: str | None = None, pinned: bool | None = None
    ) -> ConversationSummary:
        found = self.find_owned(conversation, owner)
        found.title = found.title if title is None else title
        found.pinned = found.pinned if pinned is None else pinned
        return found.summary(conversation)

    async def forget_all(self, owner: str) -> int:
        names = [name for name, each in self.sessions.items() if each.owner == owner]
        for name in names:
            del self.sessions[name]
        return len(names)

    async def rate(self, rating: Rating, owner: str | None = None) -> None:
        turns = self.find(rating.conversation, owner).turns
        if not 1 <= rating.exchange <= len(turns) // 2:
            raise SessionUnknown("no such answer")
        answer = 2 * rating.exchange - 1
        turns[answer] = replace(turns[answer], rating=rating.verdict)
        self.ratings.append(rating)

    def find(self, conversation: str, owner: str | None) -> FakeConversation:
        found = self.sessions.get(conversation)
        if found is None or found.owner not in (None, owner):
            raise SessionUnknown("no such session")
        return found

    def find_owned(self, conversation: str, owner: str) -> FakeConversation:
        found = self.find(conversation, owner)
        if found.owner is None or not found.turns:
            raise SessionUnknown("no such conversation")
        return found

    def now(self) -> datetime:
        self._minutes += 1
        return BEGINNING + timedelta(minutes=self._minutes)

    def personalities(self, names: frozenset[str] | None = None) -> tuple[str, ...]:
        return tuple(each for each in self.names if names is None or is_admitted(self.allow.get(each), names))

    def allowed_ids(self, kind: str) -> frozenset[str]:
        entries = [entry for each in self.allow.values() for entry in each]
        return frozenset(each.partition(":")[2] for each in entries if each.startswith(f"{kind}:"))

    async def describe(self, personality: str, wait_s: float = DESCRIBE_WAIT_S) -> Description:
        self.require_personality(personality)
        return Description(
            personality=personality,
            title=personality.title(),
            language="fr" if personality == "chuchotte" else "en",
            description={"en": f"About {personality}", "fr": f"À propos de {personality}"},
            greeting="Bonjour !" if personality == "chuchotte" else "Hello!",
            model=self.model,
            starter=self.starter if self.model else None,
            context_window=4096 if self.model else None,
            next_model=self.next_model,
            suggestions=SUGGESTIONS["fr" if personality == "chuchotte" else "en"],
        )

    def engines(self) -> tuple[EngineHealth, ...]:
        return self.remote_engines

    async def ready(self) -> None:
        if self.unready is not None:
            raise self.unready

    def require_personality(self, personality: str) -> None:
        if personality not in self.names:
            raise PersonalityUnknown(f"no personality named {personality!r}; there are: {', '.join(self.names)}")

    def turns_of(self, prompt: Prompt) -> list[TranscriptTurn]:
        if prompt.conversation is None:
            return []
        if prompt.conversation.startswith("web:"):
            found = self.find(prompt.conversation, prompt.owner)
        else:
            new = FakeConversation(prompt.personality, None, self.now())
            found = self.sessions.setdefault(prompt.conversation, new)
        found.used_at = self.now()
        return found.turns


def contains(conversation: FakeConversation, search: str) -> bool:
    return any(
        search.lower() in text.lower() for text in (conversation.title, *(each.text for each in conversation.turns))
    )


def add_event(turn: TranscriptTurn, event: Event) -> TranscriptTurn:
    match event:
        case Text(text):
            return replace(turn, text=turn.text + text)
        case Source():
            return replace(turn, sources=(*turn.sources, event))
        case Done(reason, model, receipt=receipt):
            return replace(turn, reason=reason, model=model, receipt=receipt)
        case _:
            return turn
