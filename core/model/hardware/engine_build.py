"""The back ends that the installed engine was compiled with, by the names of its libraries. Does not load them."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

from core.model.hardware.gpus import GpuKind

PACKAGE = "llama_cpp"
LIBRARY = re.compile(r"(?:lib)?ggml-(cuda|hip|vulkan|metal)\.(?:so|dylib|dll)")
KINDS: dict[str, GpuKind] = {"cuda": "cuda", "hip": "rocm", "vulkan": "vulkan", "metal": "metal"}


def engine_folder() -> Path | None:
    """Returns the folder of the engine's libraries; None if the engine is not installed."""
    found = importlib.util.find_spec(PACKAGE)  # finds a package without importing it
    places = (found.submodule_search_locations if found else None) or []
    return next((Path(place) / "lib" for place in places if (Path(place) / "lib").is_dir()), None)


def engine_backends(folder: Path | None = None) -> frozenset[GpuKind]:
    """Returns the kinds of GPU that the engine in `folder`, or the installed one, was compiled for."""
    folder = folder or engine_folder()
    names = [file.name for file in folder.iterdir()] if folder else []
    return frozenset(KINDS[match[1]] for name in names if (match := LIBRARY.fullmatch(name)))
