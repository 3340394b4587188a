"""OpenAI's chat request in our terms. Pure: knows what of it can be honoured, and refuses the rest by name.

A parameter that would change the answer and cannot be honoured is an error; one that would not is ignored.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from core.contract import Json, Prompt, Sampling, Task, Turn
from core.errors import ParameterRefused
from core.openai.sampling import SamplingFields

# What means "as it would be anyway" is accepted of parameters that are otherwise refused.
NEUTRAL: dict[str, tuple[Any, ...]] = {
    "n": (1,),
    "tools": ([],),
    "functions": ([],),
    "tool_choice": ("none", "auto"),
    "function_call": ("none", "auto"),
    "parallel_tool_calls": (True, False),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "logit_bias": ({},),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "modalities": (["text"],),
}
WITHOUT_EFFECT = frozenset(
    {
        "metadata",
        "prompt_cache_key",
        "prompt_cache_retention",
        "reasoning_effort",
        "safety_identifier",
        "service_tier",
        "store",
        "verbosity",
    }
)
Schema = dict[str, Any] | bool


class Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class Part(Strict):
    type: Literal["text"]
    text: str


class ChatMessage(BaseModel):
    # Clients hand back what they were given, with fields that only say that there is nothing in them.
    model_config = ConfigDict(strict=True, extra="ignore")

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[Part]
    name: str | None = None

    @property
    def text(self) -> str:
        return self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)


class NamedSchema(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    json_schema: Schema | None = Field(default=None, alias="schema")


class ResponseFormat(Strict):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: NamedSchema | None = None


class StreamOptions(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    include_usage: bool = False


class ChatRequest(SamplingFields):
    model_config = ConfigDict(strict=True, extra="allow")

    model: str
    messages: list[ChatMessage] = Field(min_length=1, max_length=2048)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    response_format: ResponseFormat | None = None
    user: str | None = Field(default=None, max_length=512)


@dataclass(frozen=True, slots=True)
class Chat:
    """What was asked, and how the answer is to be given."""

    personality: str
    text: str
    history: tuple[Turn, ...]
    sampling: Sampling
    user: str  # as the caller names them
    constrained: bool  # the answer is JSON
    schema: Schema | None
    stream: bool
    include_usage: bool

    def prompt(self, user: str) -> Prompt:
        return Prompt(self.personality, self.text, user=user, history=self.history, sampling=self.sampling)

    def task(self, user: str) -> Task:
        return Task(self.personality, self.text, self.schema, user=user, history=self.history, sampling=self.sampling)


def chat_of(request: ChatRequest) -> Chat:
    """Raises ParameterRefused naming the parameter that cannot be honoured."""
    refuse_what_cannot_be(request.model_extra or {})
    *earlier, last = request.messages
    if last.role != "user" or not last.text.strip():
        raise ParameterRefused("the last of `messages` must be the user's, and say something", "messages")
    history = tuple(turn for message in earlier for turn in turns_of(message))
    form = request.response_format
    schema = form.json_schema.json_schema if form and form.json_schema else None
    if form and form.type == "json_schema" and schema is None:
        raise ParameterRefused("`response_format.json_schema.schema` is missing", "response_format")
    return Chat(
        personality=request.model,
        text="\n\n".join([*instructions(request.messages), last.text]),
        history=history,
        sampling=request.sampling,
        user=request.user or "",
        constrained=form is not None and form.type != "text",
        schema=schema,
        stream=request.stream or False,
        include_usage=request.stream_options.include_usage if request.stream_options else False,
    )


def refuse_what_cannot_be(extra: dict[str, Json]) -> None:
    for name, value in extra.items():
        if value is None or name in WITHOUT_EFFECT or value in NEUTRAL.get(name, ()):
            continue
        known = name in NEUTRAL
        raise ParameterRefused(f"`{name[:64]}` is not {'supported' if known else 'known'} here", name[:64])


def instructions(messages: Iterable[ChatMessage]) -> list[str]:
    """The caller's own, in front of the question. The personality is the operator's, and nobody else's words become it.

    There rather than at the start, because the oldest turns are the first to go when the context window is full.
    """
    return [message.text for message in messages if message.role in ("system", "developer") and message.text]


def turns_of(message: ChatMessage) -> list[Turn]:
    if message.role in ("user", "assistant"):
        role: Literal["user", "assistant"] = "user" if message.role == "user" else "assistant"
        return [Turn(role, message.text, message.name)]
    return []
