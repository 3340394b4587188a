"""The messages of a public chat request: their texts, and the conversation that they make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from core.contract import ToolCall, Turn
from core.errors import ParameterRefused
from core.openai.public.call_results import CallResults
from core.openai.public.input_files import FILES_LIMIT, InputFile, decode_file
from core.openai.public.tools import ID_LIMIT_CHARS, read_calls
from core.openai.requests import OpenModel

# The parts with a file, and the key of its fields; None: they are the part's own. Both APIs' names.
FILE_KEYS: Mapping[str, str | None] = {"file": "file", "input_file": None}
# The parts with a text, of Chat Completions and of the Responses API, and the key of it. Clients return our answers.
TEXT_KEYS: Mapping[str, str] = {"text": "text", "input_text": "text", "output_text": "text", "refusal": "refusal"}
UNREAD_PARTS: Mapping[str, str] = {
    **dict.fromkeys(("image_url", "input_image", "image"), "images are not read"),
    **dict.fromkeys(("input_audio", "audio_url", "audio"), "audio is not read"),
    **dict.fromkeys(("video_url", "input_video", "video"), "videos are not read"),
    "document": "documents are read as parts of type `file`",
}
THOUGHTS = ("thinking", "redacted_thinking", "reasoning")  # of another model: left out, as this one sees answers only
PARTS_LIMIT = 2048
INSTRUCTING = ("system", "developer")


class PublicMessage(OpenModel):
    """One message. Its content is one text: parts are joined, null is the empty text, and files are apart."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str = ""
    name: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()  # of an assistant's message
    tool_call_id: str | None = Field(default=None, max_length=ID_LIMIT_CHARS)  # of a tool's message
    files: list[InputFile] = Field(default=[], max_length=FILES_LIMIT)

    @model_validator(mode="before")
    @classmethod
    def _refuse_functions(cls, message: Any) -> Any:
        if isinstance(message, dict) and (message.get("role") == "function" or message.get("function_call")):
            raise ValueError("functions are not supported; send `tool_calls`, and messages of the role `tool`")
        return message

    @model_validator(mode="before")
    @classmethod
    def _split_files(cls, message: Any) -> Any:
        if not isinstance(message, dict):
            return message
        content = message.get("content")
        parts = content if isinstance(content, list) else []
        files = [file_of(part) for part in parts if kind_of(part) in FILE_KEYS]
        texts = [part for part in parts if kind_of(part) not in FILE_KEYS] if files else content
        return {**message, "content": texts, "files": files}

    @field_validator("tool_calls", mode="before")
    @classmethod
    def _read_calls(cls, calls: Any) -> Any:
        return calls if isinstance(calls, tuple) else read_calls(calls)

    @model_validator(mode="after")
    def _has_id(self) -> PublicMessage:
        if self.role == "tool" and self.tool_call_id is None:
            raise ValueError("a message of the role `tool` needs the `tool_call_id` of its call")
        return self

    @field_validator("content", mode="before")
    @classmethod
    def _join_parts(cls, content: Any) -> Any:
        if content is None:
            return ""
        return join_parts(content) if isinstance(content, list) else content


def kind_of(part: Any) -> str:
    """The field `type`; "" without one."""
    kind = part.get("type") if isinstance(part, dict) else None
    return kind if isinstance(kind, str) else ""


def file_of(part: dict[str, Any]) -> InputFile:
    """Raises ValueError with a remedy."""
    key = FILE_KEYS[kind_of(part)]
    fields = part if key is None else part.get(key)
    return decode_file(fields if isinstance(fields, dict) else {})


def join_parts(parts: list[Any]) -> str:
    """The text of a content in parts. Raises ValueError with the number and the type of a part without a text."""
    if len(parts) > PARTS_LIMIT:
        raise ValueError(f"at most {PARTS_LIMIT} parts")
    return "".join(part_text(number, part) for number, part in enumerate(parts))


def part_text(number: int, part: Any) -> str:
    if isinstance(part, str):  # llama-server and some clients allow it
        return part
    kind = kind_of(part)
    if kind in THOUGHTS:
        return ""
    if kind in UNREAD_PARTS:
        raise ValueError(f"part {number} is of type `{kind}`: {UNREAD_PARTS[kind]} here; send text")
    key = TEXT_KEYS.get(kind)
    text = part.get(key) if key else None
    if isinstance(text, str):
        return text
    raise ValueError(f"part {number} must have a `type`, one of {', '.join(TEXT_KEYS)}, and its text")


@dataclass(frozen=True, slots=True)
class CallerConversation:
    """The question with the caller's instructions in front of it, the turns before it, and the calls after it.

    The calls have their outputs.
    """

    question: str
    history: tuple[Turn, ...] = ()
    calls: tuple[ToolCall, ...] = ()
    asked: str = ""  # the question alone


def read_conversation(messages: list[PublicMessage], param: str = "messages") -> CallerConversation:
    """Reads the question from the last user message, or from the instructions if nothing else follows the last answer.

    Instructions never join the personality, which belongs to the operator. At the start of the history they would be
    dropped first when the context window is full. `param`: the request's name of the messages. Raises ParameterRefused
    if there is no question, or if a call lacks its result.
    """
    if messages and messages[-1].role == "assistant" and not messages[-1].tool_calls:
        raise ParameterRefused(
            f"the last of `{param}` is the assistant's: an answer that the caller began is not continued here; "
            "end with a message of the user, or with the results of calls",
            param,
        )
    turns, calls = split_calls(to_turns(messages, param))
    is_asked = bool(turns) and turns[-1].role == "user"
    question = turns.pop().text if is_asked else ""
    if messages and messages[-1].role == "user" and not question.strip():
        raise ParameterRefused(f"the last of `{param}` has no text", param)
    text = "\n\n".join([*caller_instructions(messages), *([question] if question.strip() else [])])
    if not text:
        raise ParameterRefused(f"`{param}` has no text", param)
    return CallerConversation(text, tuple(turn for turn in turns if turn.text.strip() or turn.calls), calls, question)


def split_calls(turns: list[Turn]) -> tuple[list[Turn], tuple[ToolCall, ...]]:
    """Separates the calls at the end, which the caller has run for the last question. Drops the text beside them."""
    if not turns or not turns[-1].calls:
        return turns, ()
    end = 1 + max((at for at, turn in enumerate(turns) if turn.role == "user"), default=-1)
    return turns[:end], tuple(call for turn in turns[end:] for call in turn.calls)


def to_turns(messages: Iterable[PublicMessage], param: str) -> list[Turn]:
    """The turns of people and model. The results join their calls."""
    results = CallResults(param)
    for message in messages:
        if message.role == "tool":
            results.add_result(message.tool_call_id or "", message.content)
        elif message.role not in INSTRUCTING:
            results.add_turn(to_turn(message), message.tool_calls)
    return results.turns()


def caller_instructions(messages: Iterable[PublicMessage]) -> list[str]:
    return [message.content for message in messages if message.role in INSTRUCTING and message.content.strip()]


def to_turn(message: PublicMessage) -> Turn:
    return Turn("user" if message.role == "user" else "assistant", message.content, message.name)
