"""Derives the context window and the KV cache size from the machine and the model. Knows no llama.cpp."""

from __future__ import annotations

from core.errors import ConfigError

WINDOW_LIMIT_TOKENS = 8192  # the default's cap: windows of 128k, which some models allow, would take all memory
KV_MEMORY_SHARE = 0.4  # of the memory that is free once the weights are loaded
KV_BYTES = 2 * 2  # a key and a value, in 16-bit floats


def choose_window(setting: int | None, trained: int) -> int:
    """Returns the context window in tokens. Raises ConfigError if the setting exceeds the trained window."""
    if setting and setting > trained:
        raise ConfigError(f"LLM_CONTEXT_WINDOW is {setting}, but this model was trained for at most {trained} tokens")
    return setting or min(trained, WINDOW_LIMIT_TOKENS)


def kv_bytes_per_token(cached_heads: int, head_width: int) -> int:
    """Returns the KV cache bytes of one token. `cached_heads`: KV heads, summed over all layers."""
    return KV_BYTES * cached_heads * head_width
