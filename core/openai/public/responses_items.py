"""Reads the input items of a Responses request as chat messages. Refuses what this service cannot read, with a remedy.

Unknown fields are ignored: clients send back the items of our answers, with ids and states.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BeforeValidator, Discriminator, Field, Tag

from core.openai.public.messages import PublicMessage
from core.openai.requests import OpenModel

ITEMS_LIMIT = 2048
TEXT_PARTS = ("input_text", "output_text", "refusal", "text")
REFUSED_PARTS = {
    "input_image": "images are not read here: describe the image in words",
    "input_audio": "sound is not read here: send a transcript",
    "input_file": "files are not read here: POST /read returns the text of a file",
}
REFUSED_ITEMS = {
    "item_reference": "this service stores no items: send the item itself, as with `store: false`",
    "function_call": "tools are not supported here",
    "function_call_output": "tools are not supported here",
    "custom_tool_call": "custom tools are not supported here",
    "custom_tool_call_output": "custom tools are not supported here",
}


def check_part(value: Any) -> Any:
    """Raises ValueError for a part without text."""
    kind = kind_of(value)
    if kind in TEXT_PARTS:
        return value
    remedy = REFUSED_PARTS.get(kind, "send `input_text`, or `output_text` of an answer")
    raise ValueError(f"a part of {describe_kind(kind)} is refused: {remedy}")


def kind_of(value: Any) -> str:
    """Returns the field `type`; "" without one."""
    kind = value.get("type") if isinstance(value, dict) else None
    return kind if isinstance(kind, str) else ""


def describe_kind(kind: str) -> str:
    return f"type `{kind[:64]}`" if kind else "no type"


def to_parts(value: Any) -> Any:
    """Wraps a content that is one text."""
    if isinstance(value, str):
        return [{"type": "input_text", "text": value}]
    if not isinstance(value, list):
        raise ValueError("it must be a text or a list of parts")  # noqa: TRY004 - pydantic takes ValueError alone
    return value


class InputPart(OpenModel):
    type: str
    text: str = Field(validation_alias=AliasChoices("text", "refusal"))


Parts = Annotated[list[Annotated[InputPart, BeforeValidator(check_part)]], BeforeValidator(to_parts)]


class InputMessage(OpenModel):
    role: Literal["user", "assistant", "system", "developer"]
    content: Parts

    def messages(self) -> list[PublicMessage]:
        return [PublicMessage(role=self.role, content="".join(part.text for part in self.content))]


class ReasoningItem(OpenModel):
    """The thinking of another model. No message: the model sees answers only."""

    def messages(self) -> list[PublicMessage]:
        return []


def item_kind(value: Any) -> str:
    """Raises ValueError for an item that is refused."""
    kind = kind_of(value)
    if not kind and isinstance(value, dict):  # both may come without a type
        kind = "message" if "role" in value else "item_reference" if "id" in value else ""
    if kind in ("message", "reasoning"):
        return kind
    remedy = REFUSED_ITEMS.get(kind, "send messages, with `role` and `content`")
    raise ValueError(f"an item of {describe_kind(kind)} is refused: {remedy}")


def check_item(value: Any) -> Any:
    item_kind(value)  # the discriminator's own ValueError would have no place
    return value


def to_items(value: Any) -> Any:
    """Wraps an input that is one text."""
    if isinstance(value, str):
        return [{"role": "user", "content": value}]
    if not isinstance(value, list) or not value:
        raise ValueError("it must be a text or a list of items")
    return value


InputItem = Annotated[
    Annotated[InputMessage, Tag("message")] | Annotated[ReasoningItem, Tag("reasoning")], Discriminator(item_kind)
]
Input = Annotated[
    list[Annotated[InputItem, BeforeValidator(check_item)]], BeforeValidator(to_items), Field(max_length=ITEMS_LIMIT)
]
