"""The interface of a platform's stage: a person acts there, and the bot answers."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from bindings.incoming import PlatformName
from bindings.selftest.changes import Changes
from bindings.selftest.recording import Recording, VisibleMessage
from bindings.selftest.script import CommandName, FaultName, PlaceKind, ScriptFile
from core.contract import Language

PERSON = {"en": "Ann", "fr": "Benoît"}


@dataclass(frozen=True, slots=True)
class PlayedQuestion:
    """A person's message. `reply_to`: the question whose answer it follows up."""

    text: str
    place: PlaceKind
    language: Language
    reply_to: Posted | None = None
    file: ScriptFile | None = None
    command: CommandName = "ask"


@dataclass(frozen=True, slots=True)
class Posted:
    """A person's message on the stage. `ack_s`: the time until the bot acknowledged it, where platforms wait for it."""

    key: str
    question: PlayedQuestion
    ack_s: float | None = None
    payload: dict[str, Any] = field(default_factory=dict)


class Stage(Protocol):
    """A stand-in on which people act. Methods return when the platform has delivered the event."""

    platform: PlatformName
    recording: Recording
    acknowledges: bool  # the platform waits until the bot has taken an event

    @property
    def server(self) -> Changes: ...

    def serving(self) -> AbstractAsyncContextManager[None]: ...

    def variables(self) -> dict[str, str]:
        """The settings that direct the adapter to this stage."""
        ...

    async def connect(self, bot_url: str) -> None:
        """Waits until the bot is connected."""
        ...

    def inject(self, fault: FaultName) -> None:
        """Makes the platform refuse calls of the next answer."""
        ...

    def clear_faults(self) -> bool:
        """Forgets injected faults that no call met. False: there were only such."""
        ...

    async def say(self, question: PlayedQuestion) -> Posted: ...

    async def edit(self, posted: Posted, text: str) -> None: ...

    async def delete(self, posted: Posted) -> None: ...

    async def stop(self, posted: Posted, answer: VisibleMessage) -> None:
        """Stops an answer as people do on this platform."""
        ...

    async def command(self, question: PlayedQuestion) -> Posted: ...

    async def rate(self, posted: Posted, answer: VisibleMessage) -> None: ...
