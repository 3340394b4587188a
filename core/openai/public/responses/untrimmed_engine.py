"""Refuses conversations that do not fit the model's window whole, for callers who send `truncation: "disabled"`."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from core.contract import Event, Prompt, Status, Task, ToilEvent, ToolEvent
from core.errors import PromptTooLong
from core.openai.public.completions import CompletionEngine


class UntrimmedEngine:
    """A CompletionEngine that raises PromptTooLong instead of leaving out the oldest exchanges."""

    def __init__(self, engine: CompletionEngine) -> None:
        self._engine = engine

    async def reply(self, prompt: Prompt) -> AsyncGenerator[Event, None]:
        async with aclosing(self._engine.reply(prompt)) as events:
            async for event in events:
                refuse_trimmed(event)
                yield event

    async def toil_events(self, task: Task) -> AsyncGenerator[ToilEvent, None]:
        async with aclosing(self._engine.toil_events(task)) as events:
            async for event in events:
                refuse_trimmed(event)
                yield event

    async def choose_tools(self, prompt: Prompt) -> AsyncGenerator[ToolEvent, None]:
        async with aclosing(self._engine.choose_tools(prompt)) as events:
            async for event in events:
                refuse_trimmed(event)
                yield event


def refuse_trimmed(event: Event | ToilEvent | ToolEvent) -> None:
    """The event comes before any text."""
    if isinstance(event, Status) and event.state == "trimmed":
        raise PromptTooLong(
            'the conversation does not fit the model\'s window: send less of it, or `truncation: "auto"`, '
            "which leaves out the oldest exchanges"
        )
