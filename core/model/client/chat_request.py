"""A request for one answer, before an engine is chosen, and its body for the chosen one. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.contract import Json, Priority, Sampling
from core.openai.chat_protocol import Fields, Message, request_body, without_extensions
from core.openai.dialects import EngineCapabilities, continuation_fields, continuation_form, schema_fields
from core.openai.refused_fields import without_refused


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """The parameters of `ModelClient.stream`, which explains them."""

    messages: Sequence[Message]
    sampling: Sampling
    user: str | None = None
    response_format: Json = None
    continue_last: bool = False
    continue_prompt: str = ""
    keep_prefix: bool = False
    prompt_cache_key: str | None = None
    priority: Priority = "interactive"

    @property
    def begun(self) -> str:
        """The begun answer that is to be continued; empty for a new answer."""
        return self.messages[-1].content if self.continue_last else ""


def build_body(
    request: ChatRequest, model: str | None, capabilities: EngineCapabilities, *, is_local: bool, is_ours: bool
) -> Fields:
    """The body for an engine that calls the model `model` and has these capabilities. None: its default model.

    `is_ours`: it is a csps-llm, which forgets a conversation when it is deleted. Others get no key of conversations.
    """
    body = request_body(model, request.messages, request.sampling)
    optional = {"user": request.user, "prompt_cache_key": request.prompt_cache_key if is_ours else None}
    body |= {name: value for name, value in optional.items() if value}
    if is_local:
        body |= {"keep_prefix": True} if request.keep_prefix else {}
        body |= {"priority": request.priority} if request.priority != "interactive" else {}
    if request.response_format:
        body |= schema_fields(request.response_format, capabilities.schema)
    if request.continue_last:
        support = continuation_form(capabilities)
        body |= continuation_fields(body["messages"], support, request.continue_prompt)
    body = without_refused(body, capabilities.refused)
    return without_extensions(body) if capabilities.extensions is False else body
