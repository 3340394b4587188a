"""Turns a request of OpenAI's Responses API into a prompt or task. Refuses parameters that need stored responses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from pydantic import ConfigDict, Field, model_validator

from core.contract import Json
from core.errors import ParameterRefused
from core.openai.public.chat_requests import Chat
from core.openai.public.input_files import InputFile
from core.openai.public.messages import PublicMessage, read_conversation
from core.openai.public.parameters import NO_LOGITS, check_unserved
from core.openai.public.responses.items import Input, InputMessage
from core.openai.public.responses.tools import echo_choice, echo_tools
from core.openai.public.sampling import PublicSamplingFields
from core.openai.public.tools import build_toolbox
from core.openai.requests import INT32_MAX, OpenModel

# Parameters that chat requests do not have, or whose reason is another one here.
WITHOUT_EFFECT = frozenset(
    {
        "access_programs",
        "background_options",
        "image",
        "include",
        "max_tool_calls",
        "moderation_policy",
        "stream_options",
    }
)
# Each with the values that ask for nothing, and the reason why others are refused.
REFUSED: Mapping[str, tuple[tuple[Json, ...], str]] = {
    "background": ((False,), "an answer cannot be fetched later: ask without `background`, perhaps with `stream`"),
    "context_management": (([],), "the oldest exchanges are left out when the window is full; nothing is compacted"),
    "conversation": ((), "this service stores no conversations: send the earlier items in `input`"),
    "max_completion_tokens": ((), "the limit is named `max_output_tokens` here"),
    "max_tokens": ((), "the limit is named `max_output_tokens` here"),
    "messages": ((), "the messages are named `input` here"),
    "n": ((1,), "a response has one answer"),
    "previous_response_id": ((), "this service stores no responses: send the earlier items in `input`"),
    "prompt": ((), "this service stores no prompts: send the text as `instructions` or `input`"),
    "response_format": ((), "the format is named `text.format` here"),
}
UNNAMED = "answer"
LOGPROBS = "message.output_text.logprobs"


class TextFormat(OpenModel):
    type: Literal["text", "json_object", "json_schema"]
    name: str | None = None
    description: str | None = None
    json_schema: dict[str, Any] | None = Field(default=None, alias="schema")
    strict: bool | None = None

    @model_validator(mode="after")
    def _is_complete(self) -> TextFormat:
        if self.type == "json_schema" and self.json_schema is None:
            raise ValueError("type `json_schema` needs `schema`")
        return self

    def echo(self) -> Json:
        """The format as the answer repeats it."""
        if self.type != "json_schema":
            return {"type": self.type}
        return {
            "type": self.type,
            "name": self.name or UNNAMED,
            "description": self.description,
            "schema": self.json_schema,
            "strict": self.strict,
        }


class TextOptions(OpenModel):
    format: TextFormat | None = None


class PublicResponseRequest(PublicSamplingFields):
    """The body of a public POST /v1/responses."""

    model_config = ConfigDict(strict=True, extra="allow")  # check_response_parameters knows the others

    model: str
    input: Input
    instructions: str | None = None
    max_output_tokens: int | None = Field(default=None, ge=1, le=INT32_MAX)
    metadata: dict[str, str] | None = Field(default=None, max_length=16)
    safety_identifier: str | None = Field(default=None, max_length=512)
    stream: bool | None = None
    text: TextOptions | None = None
    tools: Any = None  # core.openai.public.tools reads them
    tool_choice: Any = None
    parallel_tool_calls: bool | None = None
    truncation: Literal["auto", "disabled"] | None = None
    user: str | None = Field(default=None, max_length=512)

    @property
    def text_format(self) -> TextFormat:
        return (self.text and self.text.format) or TextFormat(type="text")

    @property
    def files(self) -> list[InputFile]:
        return [file for item in self.input if isinstance(item, InputMessage) for file in item.files]

    def echo(self) -> dict[str, Json]:
        """The parameters as the answer repeats them."""
        return {
            "instructions": self.instructions,
            "max_output_tokens": self.max_output_tokens,
            "metadata": dict(self.metadata or {}),
            "model": self.model,
            "parallel_tool_calls": self.parallel_tool_calls is not False,
            "safety_identifier": self.safety_identifier,
            "temperature": self.temperature,
            "text": {"format": self.text_format.echo()},
            "tool_choice": echo_choice(self.tool_choice),
            "tools": echo_tools(self.tools),
            "top_p": self.top_p,
            "truncation": self.truncation or "auto",
            "user": self.user,
        }


def build_response_chat(request: PublicResponseRequest) -> Chat:
    """Builds the chat that the request asks for. Raises ParameterRefused with the parameter that is not supported."""
    ignored = check_response_parameters(request)
    conversation = read_conversation(
        [*instruction_messages(request), *(message for item in request.input for message in item.messages())], "input"
    )
    form = request.text_format
    return Chat(
        personality=request.model,
        text=conversation.question,
        history=conversation.history,
        sampling=replace(request.public_sampling, max_tokens=request.max_output_tokens),
        user=request.safety_identifier or request.user or "",
        constrained=form.type != "text",
        schema=form.json_schema,
        stream=request.stream or False,
        include_usage=True,
        ignored=ignored,
        toolbox=build_toolbox(request.tools, request.tool_choice, request.parallel_tool_calls),
        calls=conversation.calls,
        asked=conversation.asked,
    )


def instruction_messages(request: PublicResponseRequest) -> list[PublicMessage]:
    return [PublicMessage(role="developer", content=request.instructions)] if request.instructions else []


def check_response_parameters(request: PublicResponseRequest) -> tuple[str, ...]:
    """The names of unknown parameters. Raises ParameterRefused for one that changes the answer."""
    limits = {"max_tokens": request.max_tokens, "max_completion_tokens": request.max_completion_tokens}
    fields = {**limits, **(request.model_extra or {})}
    includes = fields.get("include")
    if isinstance(includes, list) and LOGPROBS in includes:
        raise ParameterRefused(f"`include`: `{LOGPROBS}` is not supported: {NO_LOGITS}", "include")
    for name in REFUSED.keys() & fields.keys():
        neutral, reason = REFUSED[name]
        if fields[name] is not None and fields[name] not in neutral:
            raise ParameterRefused(f"`{name}` is not supported: {reason}", name)
    return check_unserved({name: fields[name] for name in fields.keys() - REFUSED.keys() - WITHOUT_EFFECT})
