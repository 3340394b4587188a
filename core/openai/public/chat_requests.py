"""Turns OpenAI's public chat request into a prompt or task. Refuses unsupported parameters that change the answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ConfigDict, Field

from core.contract import Json, Prompt, Sampling, Task, Turn
from core.errors import ParameterRefused
from core.openai.requests import ChatFields, ChatMessage, Schema

# Values of otherwise refused parameters that ask only for the default behaviour.
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
WITHOUT_EFFECT = (
    *("metadata", "prompt_cache_key", "prompt_cache_retention", "reasoning_effort"),
    *("safety_identifier", "service_tier", "store", "verbosity"),
)


class PublicChatRequest(ChatFields):
    """The body of a public POST /v1/chat/completions, and of a request in a batch."""

    model_config = ConfigDict(strict=True, extra="allow")  # build_chat refuses unknown parameters with values

    model: str
    messages: list[ChatMessage] = Field(min_length=1, max_length=2048)


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat request and the form of its answer."""

    personality: str
    text: str
    history: tuple[Turn, ...]
    sampling: Sampling
    user: str  # the caller's name for the user
    constrained: bool  # the answer is JSON
    schema: Schema | None
    stream: bool
    include_usage: bool

    def prompt(self, user: str) -> Prompt:
        return Prompt(self.personality, self.text, user=user, history=self.history, sampling=self.sampling)

    def task(self, user: str) -> Task:
        return Task(self.personality, self.text, self.schema, user=user, history=self.history, sampling=self.sampling)


def build_chat(request: PublicChatRequest) -> Chat:
    """Builds the chat. Raises ParameterRefused with the unsupported parameter."""
    refuse_unsupported(request.model_extra or {})
    *earlier, last = request.messages
    if last.role != "user" or not last.text().strip():
        raise ParameterRefused("the last of `messages` must have the role `user` and a text", "messages")
    history = tuple(turn for message in earlier for turn in to_turns(message))
    form = request.response_format
    return Chat(
        personality=request.model,
        text="\n\n".join([*caller_instructions(request.messages), last.text()]),
        history=history,
        sampling=request.sampling,
        user=request.user or "",
        constrained=form is not None and form.type != "text",
        schema=form.enforced_schema if form else None,
        stream=request.stream or False,
        include_usage=request.include_usage,
    )


def refuse_unsupported(extra: dict[str, Json]) -> None:
    for name, value in extra.items():
        if value is None or name in WITHOUT_EFFECT or value in NEUTRAL.get(name, ()):
            continue
        is_known = name in NEUTRAL
        raise ParameterRefused(f"`{name[:64]}` is not {'supported' if is_known else 'known'} here", name[:64])


def caller_instructions(messages: Iterable[ChatMessage]) -> list[str]:
    """Returns the caller's system messages, which go in front of the question.

    They never join the personality, which belongs to the operator. At the start of the history they would be dropped
    first when the context window is full.
    """
    return [message.text() for message in messages if message.role in ("system", "developer") and message.text()]


def to_turns(message: ChatMessage) -> list[Turn]:
    if message.role in ("user", "assistant"):
        role: Literal["user", "assistant"] = "user" if message.role == "user" else "assistant"
        return [Turn(role, message.text(), message.name)]
    return []
