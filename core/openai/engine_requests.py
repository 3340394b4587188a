"""What callers of the model process may ask for, checked. Knows no HTTP and no tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.contract import Json
from core.errors import BadRequest
from core.openai.chat_protocol import Message, Role
from core.openai.sampling import SamplingFields
from core.request_validation import of_validation

ANY_OBJECT: Mapping[str, Json] = {"type": "object"}
ROLES: dict[str, Role] = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
UNSUPPORTED = (
    *("tools", "functions", "tool_choice", "logprobs", "top_logprobs", "logit_bias", "audio", "modalities"),
    *("frequency_penalty", "presence_penalty"),
)


class Lenient(BaseModel):
    """OpenAI clients send more than we use; what would change the answer is refused by name, the rest ignored."""

    model_config = ConfigDict(extra="ignore")


class ContentPart(Lenient):
    type: Literal["text"]
    text: str


class ChatMessage(Lenient):
    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[ContentPart]

    def plain(self) -> Message:
        text = self.content if isinstance(self.content, str) else "\n".join(part.text for part in self.content)
        return Message(ROLES[self.role], text)


class JsonSchema(Lenient):
    schema_: dict[str, Any] | bool = Field(alias="schema")


class ResponseFormat(Lenient):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None

    @property
    def schema_to_hold(self) -> dict[str, Json] | bool | None:
        if self.type == "json_object":
            return dict(ANY_OBJECT)
        return self.json_schema.schema_ if self.type == "json_schema" and self.json_schema else None

    @model_validator(mode="after")
    def _has_schema(self) -> ResponseFormat:
        if self.type == "json_schema" and self.json_schema is None:
            raise ValueError("type `json_schema` needs `json_schema.schema`")
        return self


class StreamOptions(Lenient):
    include_usage: bool = False


class ChatRequest(Lenient, SamplingFields):
    """The body of POST /v1/chat/completions."""

    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=4096)]
    model: str | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: Literal[1, None] = 1
    user: Annotated[str, Field(max_length=512)] | None = None
    response_format: ResponseFormat | None = None
    keep_prefix: bool = False  # the system message may be kept, on disk too, for others who bring it

    @model_validator(mode="before")
    @classmethod
    def _refuse_unsupported(cls, body: Any) -> Any:
        asked = [name for name in UNSUPPORTED if isinstance(body, dict) and body.get(name)]
        if asked:
            raise ValueError(f"`{asked[0]}` is not supported by this service")
        return body

    @property
    def schema_to_hold(self) -> dict[str, Json] | bool | None:
        return self.response_format.schema_to_hold if self.response_format else None

    @property
    def include_usage(self) -> bool:
        return bool(self.stream_options and self.stream_options.include_usage)

    def plain_messages(self) -> list[Message]:
        return [m.plain() for m in self.messages]


class TokenizeRequest(Lenient):
    """The body of POST /tokenize: one of the two."""

    prompt: str | None = None
    messages: list[ChatMessage] | None = None

    @model_validator(mode="after")
    def _has_one(self) -> TokenizeRequest:
        if (self.prompt is None) == (self.messages is None):
            raise ValueError("give either `prompt` or `messages`")
        return self


class EmbeddingsRequest(Lenient):
    """The body of POST /v1/embeddings."""

    input: str | Annotated[list[str], Field(min_length=1, max_length=2048)]
    model: str | None = None
    encoding_format: Literal["float", "base64", None] = None  # OpenAI's own client asks for base64

    @property
    def texts(self) -> list[str]:
        return [self.input] if isinstance(self.input, str) else self.input


def parse(kind: type[BaseModel], body: object) -> Any:
    """`body` as a `kind`. Raises BadRequest, ParameterRefused with the first wrong field."""
    if not isinstance(body, dict):
        raise BadRequest("the body must be a JSON object")
    try:
        return kind.model_validate(cast(dict[str, Any], body))
    except ValidationError as exc:
        raise of_validation(exc) from exc
