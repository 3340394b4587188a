"""OpenAI's requests as pydantic models: the fields that the model server and the public /v1 have in common.

JSON types are strict. Unknown fields of messages are ignored: clients return messages with the fields of our answers.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from core.contract import Sampling

INT32_MAX = 2**31 - 1
StopString = Annotated[str, Field(min_length=1, max_length=1000)]


def check_schema(value: Any) -> Any:
    if not isinstance(value, dict | bool | None):
        raise ValueError("must be a JSON Schema: an object, true or false")  # noqa: TRY004  # pydantic reports no TypeError
    return value


def list_texts(value: Any) -> Any:
    """One text may stand for a list of it."""
    return [value] if isinstance(value, str) else value


Schema = Annotated[dict[str, Any] | bool, BeforeValidator(check_schema)]


class StrictModel(BaseModel):
    """Refuses unknown fields, because one of them may change the answer."""

    model_config = ConfigDict(strict=True, extra="forbid")


class OpenModel(BaseModel):
    """Ignores unknown fields."""

    model_config = ConfigDict(strict=True, extra="ignore")


class ContentPart(StrictModel):
    type: Literal["text"]
    text: str


class ChatMessage(OpenModel):
    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[ContentPart]
    name: str | None = None

    def text(self, separator: str = "") -> str:
        """Returns the content; `separator` joins its parts."""
        return self.content if isinstance(self.content, str) else separator.join(part.text for part in self.content)


class NamedSchema(OpenModel):
    json_schema: Schema | None = Field(default=None, alias="schema")


class ResponseFormat(StrictModel):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: NamedSchema | None = None

    @property
    def enforced_schema(self) -> Schema | None:
        """The caller's schema; None without one, and for plain text."""
        return self.json_schema.json_schema if self.type != "text" and self.json_schema else None

    @model_validator(mode="after")
    def _has_schema(self) -> ResponseFormat:
        if self.type == "json_schema" and self.enforced_schema is None:
            raise ValueError("type `json_schema` needs `json_schema.schema`")
        return self


class StreamOptions(OpenModel):
    include_usage: bool | None = None


class SamplingFields(BaseModel):
    """Sampling parameters of OpenAI and of other engines. Missing and null ones take the engine's default."""

    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    top_k: int | None = Field(default=None, ge=0, le=INT32_MAX)
    min_p: float | None = Field(default=None, ge=0, le=1)
    repeat_penalty: float | None = Field(default=None, gt=0, le=10)
    max_tokens: int | None = Field(default=None, ge=1, le=INT32_MAX)
    max_completion_tokens: int | None = Field(default=None, ge=1, le=INT32_MAX)
    seed: int | None = Field(default=None, ge=-(2**63), le=2**63 - 1)
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2)
    presence_penalty: float | None = Field(default=None, ge=-2, le=2)
    stop: Annotated[list[StopString] | None, Field(max_length=16), BeforeValidator(list_texts)] = None

    @property
    def sampling(self) -> Sampling:
        return Sampling(
            temperature=self.temperature,
            top_p=self.top_p,
            top_k=self.top_k,
            min_p=self.min_p,
            repeat_penalty=self.repeat_penalty,
            max_tokens=self.max_completion_tokens or self.max_tokens,
            seed=self.seed,
            stop=tuple(self.stop or ()),
            frequency_penalty=self.frequency_penalty or None,
            presence_penalty=self.presence_penalty or None,
        )


class ChatFields(SamplingFields):
    """The fields of every chat request; subclasses add their own limits."""

    stream: bool | None = None
    stream_options: StreamOptions | None = None
    response_format: ResponseFormat | None = None
    user: str | None = Field(default=None, max_length=512)

    @property
    def include_usage(self) -> bool:
        return bool(self.stream_options and self.stream_options.include_usage)
