"""Finds what a model may use on this machine: the facts for `core.model.library.fit`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from core.configuration.settings import Settings
from core.model.hardware.machine import Machine, inspect_machine
from core.model.library.catalogue import ModelCatalogue
from core.model.library.download.http_access import is_offline
from core.model.library.fit import Resources
from core.model.library.installed import find_installed, stored_bytes
from core.model.library.selection import models_folder


def find_resources(settings: Settings, catalogue: ModelCatalogue, environ: Mapping[str, str] = os.environ) -> Resources:
    """Blocks for up to seconds: it measures the memory's bandwidth unless it was measured lately."""
    machine = inspect_machine(settings.data_folder, environ)
    return build_resources(machine, settings, catalogue, offline=is_offline(environ))


def build_resources(machine: Machine, settings: Settings, catalogue: ModelCatalogue, *, offline: bool) -> Resources:
    models = models_folder(settings.data_folder)
    gpus = [gpu for gpu in machine.usable_gpus if not gpu.unified and settings.model.gpu_layers != 0]
    sources = {model_id: model.source for model_id, model in catalogue.by_id.items()}
    return Resources(
        memory_total_bytes=machine.memory_total_bytes,
        memory_available_bytes=machine.memory_available_bytes,
        bandwidth_bytes_per_s=machine.bandwidth_bytes_per_s,
        disk_free_bytes=free_disk_bytes(models),
        gpu_total_bytes=sum(gpu.total_bytes for gpu in gpus),
        gpu_free_bytes=sum(gpu.free_bytes for gpu in gpus),
        window_tokens=settings.model.context_window,
        cores=min(settings.model.cpu_threads or machine.cores, machine.cores),
        offline=offline,
        downloaded=find_downloaded(settings, catalogue),
        stored_bytes={each: stored_bytes(models, source) for each, source in sources.items()},
    )


def find_downloaded(settings: Settings, catalogue: ModelCatalogue) -> frozenset[str]:
    """Returns the ids of the catalogue's models that are here as a whole."""
    models = models_folder(settings.data_folder)
    return frozenset(each for each, model in catalogue.by_id.items() if find_installed(models, model.source))


def free_disk_bytes(folder: Path) -> int:
    """Returns the free bytes of the disk on which the folder is, or will be."""
    existing = next((place for place in (folder, *folder.parents) if place.is_dir()), None)
    return shutil.disk_usage(existing).free if existing else 0
