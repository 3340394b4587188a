"""A model file on this machine, as the engine loads it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.errors import ConfigError
from core.runtime.disk_faults import explain_disk_fault

GGUF_MAGIC = b"GGUF"


@dataclass(frozen=True, slots=True)
class ModelFile:
    path: Path
    name: str  # users see it as the name of the model
    starter: bool = False

    @property
    def fingerprint(self) -> str:
        """Identifies the file's content: saved prefixes are valid only for the file that computed them."""
        stat = self.path.stat()
        return f"{self.path} {stat.st_size} {stat.st_mtime_ns}"


def check_gguf(path: Path, variable: str) -> None:
    """Raises ConfigError, which names the variable, unless the path is that of a GGUF file."""
    if not path.is_file():
        raise ConfigError(f"{variable}: there is no file {path}")
    try:
        with path.open("rb") as file:
            beginning = file.read(len(GGUF_MAGIC))
    except OSError as exc:
        raise ConfigError(f"{variable}: {path}: {explain_disk_fault(exc)}") from exc
    if beginning != GGUF_MAGIC:
        raise ConfigError(f"{variable}: {path} is not a GGUF file")
