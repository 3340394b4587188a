"""The model that a benchmark measures: LLM_MODEL_FILE, else the starter."""

from __future__ import annotations

from pathlib import Path

from core.configuration.settings import Settings
from core.model.library.gguf_file import ModelFile, check_gguf
from core.model.worker.prepare import prepare_starter


def find_model(chosen: Settings) -> ModelFile:
    """Prepares the starter if it is not there yet. Raises ConfigError, ModelError."""
    if chosen.model.file is None:
        return prepare_starter(chosen)
    path = Path(chosen.model.file).expanduser()
    check_gguf(path, "LLM_MODEL_FILE")
    return ModelFile(path, path.stem)
