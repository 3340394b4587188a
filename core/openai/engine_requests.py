"""Validates the request bodies of the model process. Knows no HTTP and no tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.contract import Json, Priority
from core.errors import BadRequest
from core.openai.chat_protocol import Message, Role
from core.openai.requests import ChatFields, ChatMessage, OpenModel
from core.request_validation import to_parameter_refused

ANY_OBJECT: Mapping[str, Json] = {"type": "object"}
ROLES: dict[str, Role] = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
UNSUPPORTED = (*("tools", "functions", "tool_choice", "logprobs", "top_logprobs", "logit_bias", "audio", "modalities"),)


class EngineChatRequest(ChatFields):
    """The body of POST /v1/chat/completions. Parameters that would change the answer are refused by name."""

    model_config = ConfigDict(strict=True, extra="ignore")

    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=4096)]
    model: str | None = None
    stream: bool = False
    n: Literal[1, None] = 1
    prompt_cache_key: str | None = Field(default=None, max_length=256)  # of a conversation that may stay on disk
    priority: Priority = "interactive"
    keep_prefix: bool = False  # the system message may be pinned and saved to disk for other requests

    @model_validator(mode="before")
    @classmethod
    def _refuse_unsupported(cls, body: Any) -> Any:
        refused = [name for name in UNSUPPORTED if isinstance(body, dict) and body.get(name)]
        if refused:
            raise ValueError(f"`{refused[0]}` is not supported by this service")
        return body

    @property
    def enforced_schema(self) -> Mapping[str, Json] | bool | None:
        if self.response_format is None:
            return None
        return ANY_OBJECT if self.response_format.type == "json_object" else self.response_format.enforced_schema

    def plain_messages(self) -> list[Message]:
        return [plain_message(message) for message in self.messages]


class TokenizeRequest(OpenModel):
    """The body of POST /tokenize: either a prompt or messages."""

    prompt: str | None = None
    messages: list[ChatMessage] | None = None

    @model_validator(mode="after")
    def _has_one(self) -> TokenizeRequest:
        if (self.prompt is None) == (self.messages is None):
            raise ValueError("give either `prompt` or `messages`")
        return self


class ForgetRequest(OpenModel):
    """The body of POST /forget: the `prompt_cache_key` of one conversation or of several."""

    prompt_cache_key: str | Annotated[list[str], Field(max_length=10_000)]

    @property
    def keys(self) -> list[str]:
        return [self.prompt_cache_key] if isinstance(self.prompt_cache_key, str) else self.prompt_cache_key


class EmbeddingsRequest(OpenModel):
    """The body of POST /v1/embeddings."""

    input: str | Annotated[list[str], Field(min_length=1, max_length=2048)]
    model: str | None = None
    encoding_format: Literal["float", "base64", None] = None  # OpenAI's client requests base64

    @property
    def texts(self) -> list[str]:
        return [self.input] if isinstance(self.input, str) else self.input


def plain_message(message: ChatMessage) -> Message:
    return Message(ROLES[message.role], message.text("\n"))


def parse(kind: type[BaseModel], body: object) -> Any:
    """Validates `body` as a `kind`. Raises BadRequest, or ParameterRefused with the first wrong field."""
    if not isinstance(body, dict):
        raise BadRequest("the body must be a JSON object")
    try:
        return kind.model_validate(cast(dict[str, Any], body))
    except ValidationError as exc:
        raise to_parameter_refused(exc, body) from exc
