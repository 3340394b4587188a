"""The names of split models: `name-00001-of-00003.gguf` and the others like it make one model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

SUFFIX = ".gguf"
SPLIT = re.compile(r"-(\d{5})-of-(\d{5})(?=\.gguf$)")

ModelKey = tuple[str, int]  # the name without its part number; the number of parts, 0 if it is not split


def model_key(name: str) -> ModelKey:
    """Identifies a model by the name of any of its files."""
    split = SPLIT.search(name)
    return whole_name(name), int(split[2]) if split else 0


def whole_name(name: str) -> str:
    """Returns a split model's name without its part numbers."""
    return SPLIT.sub("", name)


def is_whole(parts: Sequence[str]) -> bool:
    """Tells whether the sorted names are all parts of their model."""
    numbers = [int(split[1]) for name in parts if (split := SPLIT.search(name))]
    return not numbers or numbers == list(range(1, model_key(parts[0])[1] + 1))


def parts_on_disk(first: Path) -> list[Path]:
    """Returns the files of a model in order: one, or all parts that lie beside the first."""
    key = model_key(first.name)
    if not key[1]:
        return [first]
    return sorted(path for path in first.parent.glob(f"*{SUFFIX}") if model_key(path.name) == key)
