"""A model and the source of its file, as values. The library makes them; the model host acts on them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

STARTER_ID = "starter"


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A GGUF file that somebody put on this machine."""

    path: Path


@dataclass(frozen=True, slots=True)
class HubFile:
    """A GGUF file of a repository on the hub, or all parts of a split model."""

    repo: str  # owner/name
    pattern: str  # the file's name; wildcards must match one model only
    sha256s: tuple[str, ...] = ()  # of the parts, in order; empty: those that the hub states


@dataclass(frozen=True, slots=True)
class Starter:
    """The small model that is installed with the service."""


ModelSource = LocalFile | HubFile | Starter


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One model that can be loaded. A value of None is chosen by what the model and the machine allow."""

    id: str  # what requests name as `model`
    title: str  # what people see
    source: ModelSource
    context_window: int | None = None  # tokens
    gpu_layers: int | None = None
    embedder: bool = False  # it computes embeddings instead of answers
