"""The files of a repository that make up one model: one file, or the parts of a split one. Pure."""

from __future__ import annotations

import fnmatch
import re

from core.errors import ConfigError


def choose(names: list[str], pattern: str, repo: str) -> list[str]:
    """Returns the one model that matches `pattern`: one file, or all parts of a split model in order."""
    matches = sorted(name for name in names if fnmatch.fnmatch(name, pattern))
    models = {whole_name(name) for name in matches}
    if not matches:
        raise ConfigError(f"LLM_HUGGINGFACE_FILE: nothing in {repo} matches {pattern}; it has: {', '.join(names)}")
    if len(models) > 1:
        raise ConfigError(f"LLM_HUGGINGFACE_FILE: {pattern} matches {len(models)} models: {', '.join(sorted(models))}")
    return sorted(name for name in names if whole_name(name) in models)


def whole_name(name: str) -> str:
    """Returns a split model's name without its part numbers."""
    return re.sub(r"-\d{5}-of-\d{5}(?=\.gguf$)", "", name)
