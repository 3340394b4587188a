"""The answers to one chat request, as many as its `n`: written at the same time, sent as one stream or one object."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from core.contract import Done, Json, Text, ToolArguments, ToolCall, ToolCallStarted, ToolsChosen, Usage
from core.openai.public.chat_requests import Chat
from core.openai.public.completions import Citations, CompletionEngine, CompletionPart, stream_completion
from core.openai.response_objects import TOOL_CALLS, Completion, call_object, choice_object

# Some clients expect them. Nothing here tells one configuration of models from another.
CONSTANT_FIELDS: Mapping[str, Json] = {"service_tier": "default", "system_fingerprint": None}
PARTS_WAITING = 8  # a slow client makes the answers wait


@dataclass(frozen=True, slots=True)
class ChoicePart:
    """A part of the answer `index`."""

    index: int
    part: CompletionPart


ChoiceParts = AsyncGenerator[ChoicePart, None]


def build_completion(chat: Chat) -> Completion:
    return Completion(chat.personality, CONSTANT_FIELDS, f"chatcmpl-{chat.receipt}")


async def answer_choices(engine: CompletionEngine, chat: Chat, user: str) -> ChoiceParts:
    """Yields the parts of all answers as they come. Raises the first error, which ends all of them."""
    answers = [stream_completion(engine, chat.choice(index), user) for index in range(chat.choices)]
    async with aclosing(merge(answers) if len(answers) > 1 else number(0, answers[0])) as parts:
        async for part in parts:
            yield part


async def number(index: int, parts: AsyncGenerator[CompletionPart, None]) -> ChoiceParts:
    async with aclosing(parts):
        async for part in parts:
            yield ChoicePart(index, part)


async def merge(answers: Sequence[AsyncGenerator[CompletionPart, None]]) -> ChoiceParts:
    """Runs each answer in a task. Tasks in a group would raise a group's error, and may not outlive a `yield`."""
    queue: asyncio.Queue[ChoicePart | Exception] = asyncio.Queue(PARTS_WAITING)
    tasks = [asyncio.create_task(pass_on(number(index, parts), queue)) for index, parts in enumerate(answers)]
    try:
        unfinished = len(tasks)
        while unfinished:
            part = await queue.get()
            if isinstance(part, Exception):
                raise part
            unfinished -= isinstance(part.part, Done | ToolsChosen)
            yield part
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def pass_on(parts: ChoiceParts, queue: asyncio.Queue[ChoicePart | Exception]) -> None:
    try:
        async with aclosing(parts):
            async for part in parts:
                await queue.put(part)
    except Exception as exc:  # noqa: BLE001  # raised where the queue is read
        await queue.put(exc)


class ChunkBuilder:
    """Turns the parts of a streamed answer into chat.completion.chunk objects."""

    def __init__(self, completion: Completion, *, include_usage: bool) -> None:
        self._completion = completion
        self._include_usage = include_usage
        self._usage = Usage()
        self._calls: dict[int, int] = {}  # by choice that has begun: the number of its calls

    def chunks(self, choice: ChoicePart) -> Iterator[dict[str, Json]]:
        index, part = choice.index, choice.part
        if index not in self._calls:
            self._calls[index] = 0
            yield self._chunk(index, {"role": "assistant", "content": None if is_call(part) else ""})
        match part:
            case Text(text):
                yield self._chunk(index, {"content": text})
            case Citations(annotations):
                # All in one chunk: OpenAI's own client does not merge lists of annotations.
                yield self._chunk(index, {"annotations": annotations})
            case ToolCallStarted(call_id, name):
                self._calls[index] += 1
                yield self._call_chunk(index, call_object(ToolCall(call_id, name, "")))
            case ToolArguments(text):
                yield self._call_chunk(index, {"function": {"arguments": text}})
            case Done() | ToolsChosen():
                self._usage += part.usage
                yield self._chunk(index, {}, part.reason if isinstance(part, Done) else TOOL_CALLS)

    def last_chunks(self) -> Iterator[dict[str, Json]]:
        """The chunk with the usage of all answers, if it was requested."""
        if self._include_usage:
            yield self._completion.usage(self._usage)

    def _call_chunk(self, index: int, call: dict[str, Json]) -> dict[str, Json]:
        """A part of the call that started last."""
        return self._chunk(index, {"tool_calls": [{"index": self._calls[index] - 1, **call}]})

    def _chunk(self, index: int, delta: dict[str, Json], reason: str | None = None) -> dict[str, Json]:
        chunk = self._completion.chunk(delta, reason, index)
        return {**chunk, "usage": None} if self._include_usage else chunk


def is_call(part: CompletionPart) -> bool:
    return isinstance(part, ToolCallStarted | ToolsChosen)


@dataclass(slots=True)
class CollectedChoice:
    """One answer as far as it is written."""

    text: str = ""
    annotations: list[Json] = field(default_factory=list)
    reason: str = ""
    calls: tuple[ToolCall, ...] = ()

    def add(self, part: CompletionPart) -> None:
        match part:
            case Text(text):
                self.text += text
            case Citations(annotations):
                self.annotations = annotations
            case Done(reason):
                self.reason = reason
            case ToolsChosen(calls):
                self.calls, self.reason = calls, TOOL_CALLS


async def collect_completion(completion: Completion, parts: ChoiceParts) -> tuple[dict[str, Json], Usage]:
    """Returns the answers as one chat.completion, and their usage."""
    choices: dict[int, CollectedChoice] = {}
    usage = Usage()
    async for choice in parts:
        choices.setdefault(choice.index, CollectedChoice()).add(choice.part)
        if isinstance(choice.part, Done | ToolsChosen):
            usage += choice.part.usage
    objects = [
        choice_object(index, each.text, each.annotations, each.reason, each.calls)
        for index, each in sorted(choices.items())
    ]
    return completion.whole(objects, usage), usage
