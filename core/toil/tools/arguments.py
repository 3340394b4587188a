"""Turns the toil of one call's arguments into the events of the call. Knows no model.

If the caller streams, text that can only become conforming arguments is passed on while it is written; other text when
it is validated. What was passed on is never taken back, so a call that may repeat an earlier one waits for its end.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing

from core.contract import (
    ConformingText,
    Status,
    TextDiscarded,
    ToilEvent,
    ToilResult,
    Tool,
    ToolArguments,
    ToolCall,
    ToolCallStarted,
)
from core.errors import ModelUnavailable, NonConforming
from core.toil.tools.choice import ToolChoice
from core.toil.tools.parameters import takes_none

ID_BYTES = 12
CallEvent = Status | ToolCallStarted | ToolArguments | ToilResult


class ArgumentsWriter:
    """One call. Run `events` once; then `call` is set, or None if the call would repeat an earlier one."""

    def __init__(self, tool: Tool, choice: ToolChoice) -> None:
        self.call: ToolCall | None = None
        self._tool = tool
        self._choice = choice
        self._id = f"call_{secrets.token_hex(ID_BYTES)}"
        self._sent = ""
        self._streams = choice.toolbox.streamed and not choice.may_repeat(tool)

    @property
    def has_begun(self) -> bool:
        """True if a part of the call was passed on."""
        return bool(self._sent)

    async def events(self, toil: AsyncGenerator[ToilEvent, None]) -> AsyncGenerator[CallEvent, None]:
        """Yields the events of the call, and the result of `toil` for its usage."""
        if takes_none(self._tool):
            await toil.aclose()
            for last in self._finish("{}"):
                yield last
            return
        async with aclosing(toil):
            async for event in toil:
                for passed_on in self._pass_on(event):
                    yield passed_on

    def _pass_on(self, event: ToilEvent) -> Iterator[CallEvent]:
        match event:
            case ConformingText(text) if self._streams and text:
                if not self._sent:
                    yield self._start()
                self._sent += text
                yield ToolArguments(text)
            case TextDiscarded() if self._sent:
                raise ModelUnavailable(
                    "the call had to begin again after a part of it was sent; send the request again"
                )
            case ToilResult(value):
                yield event
                if not isinstance(value, dict):
                    raise NonConforming(f"the arguments of the function `{self._tool.name}` are not an object")
                yield from self._finish(json.dumps(value, ensure_ascii=False, allow_nan=False))
            case Status():
                yield event

    def _finish(self, arguments: str) -> list[CallEvent]:
        """The events that are still missing."""
        if self._sent:
            self.call = ToolCall(self._id, self._tool.name, self._sent)
            return []
        call = ToolCall(self._id, self._tool.name, arguments)
        if self._choice.repeats(call):
            return []  # a weak model would call forever
        self.call = call
        return [self._start(), ToolArguments(arguments)]

    def _start(self) -> ToolCallStarted:
        return ToolCallStarted(self._id, self._tool.name)
