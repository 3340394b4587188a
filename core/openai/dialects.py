"""The differences between engines: the fields by which each is asked to obey a schema or to continue an answer. Pure.

The references: vLLM's ChatCompletionRequest and TokenizeRequest, llama-server's README, Ollama's openai.go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from core.contract import Json
from core.openai.chat_protocol import Fields

# How a schema is enforced: by OpenAI's field, by vLLM's newer and older one, by llama-server's; "unenforced": the
# engine accepts OpenAI's field and ignores it; "refused": it refuses every field.
SchemaSupport = Literal["response_format", "structured_outputs", "guided_json", "json_schema", "unenforced", "refused"]
# How an answer is continued: by vLLM's and llama-server's field, by a last message of the assistant alone (Ollama), by
# a mark on that message (Mistral, DeepSeek).
ContinuationSupport = Literal["flag", "prefill", "prefix", "none"]
# How tokens are counted: /tokenize takes messages (vLLM), or a text that /apply-template makes (llama-server).
TokenizeSupport = Literal["messages", "template", "none"]

Feature = Literal["json_schema", "continuation", "tokenize", "embeddings", "cancellation"]

ENFORCING: tuple[SchemaSupport, ...] = ("response_format", "structured_outputs", "guided_json", "json_schema")
CONTINUING: tuple[ContinuationSupport, ...] = ("flag", "prefill", "prefix")


@dataclass(frozen=True, slots=True)
class EngineCapabilities:
    """Features of an engine with one model. None: unknown."""

    schema: SchemaSupport | None = None
    continuation: ContinuationSupport | None = None
    tokenize: TokenizeSupport | None = None
    embeddings: bool | None = None
    cancellation: bool | None = None  # it stops computing when the client leaves
    extensions: bool | None = None  # it accepts fields that are not OpenAI's
    refused: tuple[str, ...] = ()  # OpenAI's own fields that it refuses

    def missing(self) -> tuple[Feature, ...]:
        """The features that the engine is known to lack."""
        known = {
            "json_schema": self.enforces_schemas,
            "continuation": self.continues,
            "tokenize": None if self.tokenize is None else self.tokenize != "none",
            "embeddings": self.embeddings,
            "cancellation": self.cancellation,
        }
        return tuple(name for name in get_args(Feature) if known[name] is False)

    @property
    def enforces_schemas(self) -> bool | None:
        return None if self.schema is None else self.schema in ENFORCING

    @property
    def continues(self) -> bool | None:
        return None if self.continuation is None else self.continuation in CONTINUING


UNKNOWN = EngineCapabilities()
OWN_PROCESS = EngineCapabilities("response_format", "flag", "messages", embeddings=True, cancellation=True)


def schema_fields(response_format: Json, support: SchemaSupport | None) -> Fields:
    """The fields of a request for an answer in `response_format`. Unknown support: OpenAI's own field."""
    schema = schema_of(response_format)
    if support == "refused":
        return {}
    if schema is not None and support == "structured_outputs":
        return {"structured_outputs": {"json": schema}}
    if schema is not None and support in ("guided_json", "json_schema"):
        return {support: schema}
    return {"response_format": response_format}


def continuation_form(capabilities: EngineCapabilities) -> ContinuationSupport | None:
    """The form in which this engine continues an answer; None: unknown."""
    is_unusable = capabilities.extensions is False and capabilities.continuation in ("flag", None)
    return "none" if is_unusable else capabilities.continuation


def continuation_fields(messages: list[Fields], support: ContinuationSupport | None, prompt: str = "") -> Fields:
    """The fields of a request to continue the last of `messages`, the assistant's. Unknown support: vLLM's fields.

    `prompt`: asks an engine without such fields to continue.
    """
    if support == "prefix":
        return {"messages": [*messages[:-1], {**messages[-1], "prefix": True}]}
    if support == "none" and prompt:
        return {"messages": [*messages, {"role": "user", "content": prompt}]}
    if support in ("prefill", "none"):
        return {}
    # vLLM answers a last assistant message unless the request says to continue it.
    return {"continue_final_message": True, "add_generation_prompt": False}


def schema_of(response_format: Json) -> Json:
    """The JSON Schema of a response format; None if it has none."""
    named = response_format.get("json_schema") if isinstance(response_format, dict) else None
    return named.get("schema") if isinstance(named, dict) else None


def declared(features: tuple[Feature, ...]) -> EngineCapabilities:
    """The capabilities of an engine whose operator says that it has these features and no others."""
    return EngineCapabilities(
        schema="response_format" if "json_schema" in features else "unenforced",
        continuation="flag" if "continuation" in features else "none",
        tokenize=None if "tokenize" in features else "none",  # its form is found out by the first count
        embeddings="embeddings" in features,
        cancellation="cancellation" in features,
    )
