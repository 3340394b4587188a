"""Lets an engine that was compiled for a GPU answer on the processor when the GPU's driver is missing.

The engine's library needs that of its back end, which needs the driver's: without it nothing starts. The installer puts
an empty back end of the same name into `no-gpu` (core/install/engine-options.cmake). Loaded first, it replaces the
real one: the dynamic linker loads each name once.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

import structlog

from core.model.hardware.engine_build import engine_folder

log = structlog.get_logger()


def replace_missing_backends(folder: Path | None = None) -> list[str]:
    """Loads an empty library for each back end that cannot start, before llama_cpp is imported. Returns their names."""
    folder = folder or engine_folder()
    replaced = []
    for empty in sorted((folder / "no-gpu").glob("libggml-*.so")) if folder else []:
        try:
            ctypes.CDLL(str(empty.parent.parent / empty.name))
        except OSError as exc:
            ctypes.CDLL(str(empty), ctypes.RTLD_GLOBAL)
            log.warning("gpu_driver_missing", library=empty.name, reason=str(exc), answers_on="processor")
            replaced.append(empty.name)
    return replaced
