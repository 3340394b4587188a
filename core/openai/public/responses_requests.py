"""Turns a request of OpenAI's Responses API into a prompt or task. Refuses parameters that need stored responses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from pydantic import ConfigDict, Field, model_validator

from core.contract import Json
from core.errors import ParameterRefused
from core.openai.public.chat_requests import Chat
from core.openai.public.messages import PublicMessage, caller_instructions, to_turn
from core.openai.public.responses_items import Input
from core.openai.requests import INT32_MAX, OpenModel, SamplingFields

# Values of otherwise refused parameters that ask only for the default behaviour.
NEUTRAL: dict[str, tuple[Any, ...]] = {
    "background": (False,),
    "context_management": ([],),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "parallel_tool_calls": (True, False),
    "tool_choice": ("none", "auto"),
    "tools": ([],),
    "top_logprobs": (0,),
}
WITHOUT_EFFECT = (
    *("include", "max_tool_calls", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "reasoning"),
    *("service_tier", "store", "stream_options"),
)
REMEDIES = {
    "background": "an answer cannot be fetched later: ask without `background`, perhaps with `stream`",
    "conversation": "this service stores no conversations: send the earlier items in `input`",
    "max_completion_tokens": "the limit is named `max_output_tokens` here",
    "max_tokens": "the limit is named `max_output_tokens` here",
    "previous_response_id": "this service stores no responses: send the earlier items in `input`",
    "prompt": "this service stores no prompts: send the text as `instructions` or `input`",
}
LOGPROBS = "message.output_text.logprobs"


class TextFormat(OpenModel):
    type: Literal["text", "json_object", "json_schema"]
    name: str | None = None
    description: str | None = None
    json_schema: dict[str, Any] | None = Field(default=None, alias="schema")
    strict: bool | None = None

    @model_validator(mode="after")
    def _is_complete(self) -> TextFormat:
        if self.type == "json_schema" and (self.json_schema is None or not self.name):
            raise ValueError("type `json_schema` needs `name` and `schema`")
        return self

    def echo(self) -> Json:
        """The format as the answer repeats it."""
        if self.type != "json_schema":
            return {"type": self.type}
        return {
            "type": self.type,
            "name": self.name,
            "description": self.description,
            "schema": self.json_schema,
            "strict": self.strict,
        }


class TextOptions(OpenModel):
    format: TextFormat | None = None


class PublicResponseRequest(SamplingFields):
    """The body of a public POST /v1/responses."""

    model_config = ConfigDict(strict=True, extra="allow")  # refuse_unsupported knows the others

    model: str
    input: Input
    instructions: str | None = None
    max_output_tokens: int | None = Field(default=None, ge=1, le=INT32_MAX)
    metadata: dict[str, str] | None = Field(default=None, max_length=16)
    safety_identifier: str | None = Field(default=None, max_length=512)
    stream: bool | None = None
    text: TextOptions | None = None
    truncation: Literal["auto", "disabled"] | None = None
    user: str | None = Field(default=None, max_length=512)

    @property
    def text_format(self) -> TextFormat:
        return (self.text and self.text.format) or TextFormat(type="text")

    def echo(self) -> dict[str, Json]:
        """The parameters as the answer repeats them."""
        return {
            "instructions": self.instructions,
            "max_output_tokens": self.max_output_tokens,
            "metadata": dict(self.metadata or {}),
            "model": self.model,
            "safety_identifier": self.safety_identifier,
            "temperature": self.temperature,
            "text": {"format": self.text_format.echo()},
            "top_p": self.top_p,
            "truncation": self.truncation or "auto",
            "user": self.user,
        }


def build_response_chat(request: PublicResponseRequest) -> Chat:
    """Builds the chat that the request asks for. Raises ParameterRefused with the unsupported parameter."""
    refuse_unsupported_response(request.model_extra or {})
    for name in ("max_tokens", "max_completion_tokens"):
        if getattr(request, name) is not None:
            raise ParameterRefused(f"`{name}` is refused: {REMEDIES[name]}", name)
    messages = [*instruction_messages(request), *(each for item in request.input for each in item.messages())]
    conversation = [each for each in messages if each.role in ("user", "assistant")]
    if not conversation or conversation[-1].role != "user" or not conversation[-1].content.strip():
        raise ParameterRefused("the last message of `input` must have the role `user` and a text", "input")
    *earlier, last = conversation
    form = request.text_format
    return Chat(
        personality=request.model,
        text="\n\n".join([*caller_instructions(messages), last.content]),
        history=tuple(to_turn(message) for message in earlier if message.content.strip()),
        sampling=replace(request.sampling, max_tokens=request.max_output_tokens),
        user=request.safety_identifier or request.user or "",
        constrained=form.type != "text",
        schema=form.json_schema,
        stream=request.stream or False,
        include_usage=True,
    )


def instruction_messages(request: PublicResponseRequest) -> list[PublicMessage]:
    return [PublicMessage(role="developer", content=request.instructions)] if request.instructions else []


def refuse_unsupported_response(extra: dict[str, Json]) -> None:
    includes = extra.get("include")
    if isinstance(includes, list) and LOGPROBS in includes:
        raise ParameterRefused(f"`include`: `{LOGPROBS}` is not supported here", "include")
    for name, value in extra.items():
        if value is None or name in WITHOUT_EFFECT or value in NEUTRAL.get(name, ()):
            continue
        default = "it is not supported here" if name in NEUTRAL else "it is not known here"
        raise ParameterRefused(f"`{name[:64]}` is refused: {REMEDIES.get(name, default)}", name[:64])
