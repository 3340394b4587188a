"""The models of the public /v1/models: the personalities, and the bundled encoder. In the words of several engines."""

from __future__ import annotations

from core.contract import Description, Json
from core.openai.public.embeddings import ALIAS
from core.openai.response_objects import model_object
from core.rag.encoder import DIMENSIONS

# The names of the context window in vLLM, OpenRouter and LiteLLM, Groq.
WINDOW_FIELDS = ("max_model_len", "context_length", "context_window")
ENCODER_TITLE = "Universal Sentence Encoder, multilingual"


def personality_object(name: str, description: Description | None) -> dict[str, Json]:
    """Describes a personality as a model. Null: unknown, because no model answers now."""
    return {
        **model_object(name),
        "name": description.title if description else name,
        "description": description.description[description.language] if description else None,
        "root": description.model if description else None,
        "starter": description.starter if description else None,
        **dict.fromkeys(WINDOW_FIELDS, description.context_window if description else None),
        "embedder": False,
        "capabilities": capabilities(chat=True),
    }


def encoder_object(name: str = ALIAS) -> dict[str, Json]:
    return {
        **model_object(name),
        "name": ENCODER_TITLE,
        "description": f"Sentence embeddings in 16 languages, {DIMENSIONS} dimensions",
        "root": ALIAS,
        "starter": False,
        **dict.fromkeys(WINDOW_FIELDS, None),
        "embedder": True,
        "dimensions": DIMENSIONS,
        "capabilities": capabilities(chat=False),
    }


def capabilities(*, chat: bool) -> Json:
    """The names are Mistral's, as far as it has them."""
    return {
        "completion_chat": chat,
        "structured_outputs": chat,
        "function_calling": chat,
        "vision": False,
        "embeddings": not chat,
    }
