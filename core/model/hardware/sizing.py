"""Derives the context window from the setting and the model. Knows no llama.cpp."""

from __future__ import annotations

from core.errors import ConfigError

WINDOW_LIMIT_TOKENS = 8192  # the default's cap: windows of 128k, which some models allow, would take all memory
KV_MEMORY_SHARE = 0.4  # of the memory that is free once the weights are loaded


def choose_window(setting: int | None, trained: int) -> int:
    """Returns the context window in tokens. Raises ConfigError if the setting exceeds the trained window."""
    if setting and setting > trained:
        raise ConfigError(f"LLM_CONTEXT_WINDOW is {setting}, but this model was trained for at most {trained} tokens")
    return setting or min(trained, WINDOW_LIMIT_TOKENS)
