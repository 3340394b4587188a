"""How many tokens a conversation may take and how large a KV cache is: numbers in, numbers out, without llama.cpp."""

from __future__ import annotations

from core.errors import ConfigError

WINDOW_LIMIT_TOKENS = 8192  # by default; a model trained for 128k would take all memory for windows nobody needs
KV_MEMORY_SHARE = 0.4  # of the memory that is free once the weights are loaded
KV_BYTES = 2 * 2  # a key and a value, in 16-bit floats


def choose_window(wanted: int | None, trained: int) -> int:
    """Tokens one conversation may take. Raises ConfigError if more is wanted than the model was trained for."""
    if wanted and wanted > trained:
        raise ConfigError(f"LLM_CONTEXT_WINDOW is {wanted}, but this model was trained for at most {trained} tokens")
    return wanted or min(trained, WINDOW_LIMIT_TOKENS)


def choose_cache_tokens(window: int, bytes_per_token: int, free_bytes: int) -> int:
    """KV cells for two whole windows, which many short conversations share; fewer where memory is short."""
    return max(window, min(2 * window, int(free_bytes * KV_MEMORY_SHARE) // max(bytes_per_token, 1)))


def kv_bytes_per_token(cached_heads: int, head_width: int) -> int:
    """Keys and values of one token. `cached_heads`: of all layers together."""
    return KV_BYTES * cached_heads * head_width
