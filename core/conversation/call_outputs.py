"""The outputs of tool calls as documents: the model reads them as data, cut and numbered as attachments are. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from core.contract import Attachment, Language, ToolCall
from core.rag.context import plain_name
from core.strict_json import storable
from core.texts import text

ARGUMENTS_LIMIT_CHARS = 400  # in the list of calls, which stands beside the question


def output_attachments(calls: Iterable[ToolCall], language: Language) -> tuple[Attachment, ...]:
    """The outputs, each named by its call."""
    return tuple(
        Attachment(call_name(call), (call.output.strip() and call.output) or text("prompt-tool-no-output", language))
        for call in calls
        if call.output is not None
    )


def count_outputs(calls: Iterable[ToolCall]) -> int:
    return sum(call.output is not None for call in calls)


def call_name(call: ToolCall) -> str:
    return plain_name(f"{call.name} {call.arguments}")


def describe_calls(calls: Iterable[ToolCall], language: Language) -> str:
    """Tells the model which calls were made for its question; "" for none."""
    lines = list_calls(calls)
    return "\n".join([text("prompt-tool-calls", language), *lines]) if lines else ""


def list_calls(calls: Iterable[ToolCall]) -> list[str]:
    return [f"- {call.name} {' '.join(call.arguments.split())[:ARGUMENTS_LIMIT_CHARS]}" for call in calls]


def clean_calls(calls: Iterable[ToolCall]) -> tuple[ToolCall, ...]:
    """The calls without the characters that neither a database nor JSON can carry."""
    return tuple(
        replace(
            call,
            name=storable(call.name),
            arguments=storable(call.arguments),
            output=call.output and storable(call.output),
        )
        for call in calls
    )
