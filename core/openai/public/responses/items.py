"""Reads the input items of a Responses request as chat messages. Refuses what this service cannot read, with a remedy.

Unknown fields are ignored: clients send back the items of our answers, with ids and states.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, Field, Tag, field_validator, model_validator

from core.contract import ToolCall
from core.openai.public.messages import PublicMessage, join_parts, kind_of
from core.openai.public.tools import ID_LIMIT_CHARS, build_call
from core.openai.requests import OpenModel

ITEMS_LIMIT = 2048
KINDS = ("message", "function_call", "function_call_output", "reasoning")
ONLY_FUNCTIONS = "only tools of type `function` are served, with `function_call` and `function_call_output`"
NOT_STORED = "this service stores no items: send the item itself; the AI SDK does with `store: false`"
ONLY_MESSAGES = "send messages, with `role` and `content`"


class InputMessage(PublicMessage):
    def messages(self) -> list[PublicMessage]:
        return [self]


class FunctionCallInput(OpenModel):
    """A call that an earlier answer asked for."""

    call: ToolCall

    @model_validator(mode="before")
    @classmethod
    def _build_call(cls, value: Any) -> Any:
        call_id, name, arguments = (value.get(key) for key in ("call_id", "name", "arguments"))
        return {"call": build_call(call_id, name, arguments, "the call", "call_id")}

    def messages(self) -> list[PublicMessage]:
        return [PublicMessage(role="assistant", tool_calls=(self.call,))]


class FunctionOutputInput(OpenModel):
    """The result of a call, a text or parts with texts."""

    call_id: str = Field(max_length=ID_LIMIT_CHARS)
    output: str

    @field_validator("output", mode="before")
    @classmethod
    def _join_parts(cls, output: Any) -> Any:
        return join_parts(output) if isinstance(output, list) else output

    def messages(self) -> list[PublicMessage]:
        return [PublicMessage(role="tool", tool_call_id=self.call_id, content=self.output)]


class ReasoningItem(OpenModel):
    """The thinking of another model. No message: the model sees answers only."""

    def messages(self) -> list[PublicMessage]:
        return []


def item_kind(value: Any) -> str:
    """Raises ValueError for an item that is refused."""
    kind = kind_of(value)
    if not kind and isinstance(value, dict):  # both may come without a type
        kind = "message" if "role" in value else "item_reference" if "id" in value else ""
    if kind in KINDS:
        return kind
    remedy = NOT_STORED if kind == "item_reference" else ONLY_FUNCTIONS if "call" in kind else ONLY_MESSAGES
    raise ValueError(f"an item of {f'type `{kind[:64]}`' if kind else 'no type'} is refused: {remedy}")


def check_item(value: Any) -> Any:
    item_kind(value)  # an error of the discriminator would have no place
    return value


def to_items(value: Any) -> Any:
    """Wraps an input that is one text."""
    if isinstance(value, str):
        return [{"role": "user", "content": value}]
    if not isinstance(value, list) or not value:
        raise ValueError("it must be a text or a list of items")
    return value


InputItem = Annotated[
    Annotated[InputMessage, Tag("message")]
    | Annotated[FunctionCallInput, Tag("function_call")]
    | Annotated[FunctionOutputInput, Tag("function_call_output")]
    | Annotated[ReasoningItem, Tag("reasoning")],
    Discriminator(item_kind),
]
Input = Annotated[
    list[Annotated[InputItem, BeforeValidator(check_item)]], BeforeValidator(to_items), Field(max_length=ITEMS_LIMIT)
]
