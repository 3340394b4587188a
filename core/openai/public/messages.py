"""The messages of a public chat request: their texts, and the conversation that they make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import field_validator

from core.contract import Turn
from core.errors import ParameterRefused
from core.openai.requests import OpenModel

# The parts with a text, of Chat Completions and of the Responses API, and the key of it. Clients return our answers.
TEXT_KEYS: Mapping[str, str] = {"text": "text", "input_text": "text", "output_text": "text", "refusal": "refusal"}
UNREAD_PARTS: Mapping[str, str] = {
    **dict.fromkeys(("image_url", "input_image", "image"), "images are not read"),
    **dict.fromkeys(("input_audio", "audio_url", "audio"), "audio is not read"),
    **dict.fromkeys(("video_url", "input_video", "video"), "videos are not read"),
    **dict.fromkeys(("file", "input_file", "document"), "files are not read in messages"),
}
PARTS_LIMIT = 2048
INSTRUCTING = ("system", "developer")


class PublicMessage(OpenModel):
    """One message. Its content is one text: parts are joined, and null is the empty text."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str = ""
    name: str | None = None

    @field_validator("content", mode="before")
    @classmethod
    def _join_parts(cls, content: Any) -> Any:
        if content is None:
            return ""
        return join_parts(content) if isinstance(content, list) else content


def join_parts(parts: list[Any]) -> str:
    """The text of a content in parts. Raises ValueError with the number and the type of a part without a text."""
    if len(parts) > PARTS_LIMIT:
        raise ValueError(f"at most {PARTS_LIMIT} parts")
    return "".join(part_text(number, part) for number, part in enumerate(parts))


def part_text(number: int, part: Any) -> str:
    if isinstance(part, str):  # llama-server and some clients allow it
        return part
    kind = part.get("type") if isinstance(part, dict) else None
    if isinstance(kind, str) and kind in UNREAD_PARTS:
        raise ValueError(f"part {number} is of type `{kind}`: {UNREAD_PARTS[kind]} here; send text")
    key = TEXT_KEYS.get(kind) if isinstance(kind, str) else None
    text = part.get(key) if key else None
    if isinstance(text, str):
        return text
    raise ValueError(f"part {number} must have a `type`, one of {', '.join(TEXT_KEYS)}, and its text")


def split_question(messages: list[PublicMessage], name: str = "messages") -> tuple[str, tuple[Turn, ...]]:
    """The question with the caller's instructions in front of it, and the turns before it.

    Instructions never join the personality, which belongs to the operator. At the start of the history they would be
    dropped first when the context window is full. They are the question if nothing else follows the last answer.
    `name`: of the parameter. Raises ParameterRefused if there is no question.
    """
    conversation = [message for message in messages if message.role not in INSTRUCTING]
    question = conversation.pop().content if conversation and conversation[-1].role == "user" else ""
    if messages and messages[-1].role == "assistant":
        raise ParameterRefused(
            f"the last of `{name}` is the assistant's: an answer that the caller began is not continued here; "
            "end with a message of the role `user`",
            name,
        )
    if messages and messages[-1].role == "user" and not question.strip():
        raise ParameterRefused(f"the last of `{name}` has no text", name)
    text = "\n\n".join([*caller_instructions(messages), *([question] if question.strip() else [])])
    if not text:
        raise ParameterRefused(f"`{name}` has no text", name)
    return text, tuple(to_turn(message) for message in conversation if message.content.strip())


def caller_instructions(messages: Iterable[PublicMessage]) -> list[str]:
    return [message.content for message in messages if message.role in INSTRUCTING and message.content.strip()]


def to_turn(message: PublicMessage) -> Turn:
    return Turn("user" if message.role == "user" else "assistant", message.content, message.name)
