"""Finds the configured model file: a path, a Hugging Face repository, or the bundled starter model."""

from __future__ import annotations

import asyncio
from pathlib import Path

from core.configuration.settings import Settings
from core.errors import ConfigError
from core.model.library.download.failures import DownloadFailed
from core.model.library.download.fetching import fetch
from core.model.library.gguf_file import ModelFile, check_gguf
from core.model.library.specs import HubFile
from core.model.library.starter import Transcode, find_starter


def find(settings: Settings, transcode: Transcode) -> ModelFile:
    """Returns the file to load, after a download or transcoding. Raises ConfigError; ModelError if a retry may help."""
    try:
        return find_configured(settings, transcode)
    except OSError as exc:
        raise ConfigError(f"{exc.filename or settings.data_folder}: {exc.strerror or exc}") from exc


def find_configured(settings: Settings, transcode: Transcode) -> ModelFile:
    model = settings.model
    if model.file:
        path = Path(model.file).expanduser()
        check_gguf(path, "LLM_MODEL_FILE")
        return ModelFile(path, path.stem)
    if model.huggingface_repo and model.huggingface_file:
        return download(model.huggingface_repo, model.huggingface_file, settings.data_folder / "models")
    return find_starter(settings.data_folder / "models", transcode)


def download(repo: str, pattern: str, folder: Path) -> ModelFile:
    """Downloads a repository's file once, or all parts of a split model, of which it returns the first."""
    try:
        path = asyncio.run(fetch(HubFile(repo, pattern), folder))
    except DownloadFailed as exc:
        if exc.transient:
            raise
        raise ConfigError(f"LLM_HUGGINGFACE_REPO: {exc.message}") from exc
    return ModelFile(path, path.stem)
