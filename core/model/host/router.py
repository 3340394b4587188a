"""Finds the deployment that a request means. Loads the default model first, or the starter if that fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import structlog

from core import PROJECT_ROOT
from core.configuration.settings import Settings
from core.errors import ModelError
from core.model.host.deploying import deploy
from core.model.host.deployment import Deployment
from core.model.library.model_files import find
from core.model.library.specs import LocalFile, ModelSpec, Starter

log = structlog.get_logger()


def find_default(settings: Settings) -> Deployment:
    """Finds or downloads the configured model file. Blocks. Raises ConfigError, ModelError."""
    file = find(settings, transcode_in_child)
    source = Starter() if file.starter else LocalFile(file.path)
    return deploy(ModelSpec(file.name, file.name, source), file.path, settings)


def transcode_in_child(source: Path, target: Path) -> None:
    """Requantises the starter in a process of its own: llama.cpp has no place in the host. Raises ModelError."""
    command = [sys.executable, "-m", "core.model.worker.prepare", "--transcode", str(source), str(target)]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ModelError(f"{source}: transcoding failed: {done.stderr.strip()}")
