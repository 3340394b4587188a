"""Everything from which the served models follow: settings, config/models.toml, personalities, selection, machine.

Blocks. A file that is broken changes nothing: its last good content holds.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import structlog

from core import PROJECT_ROOT
from core.configuration.personalities import Personalities
from core.configuration.settings import Settings
from core.errors import ConfigError, ModelError
from core.model.hardware.placement import Room
from core.model.host.local_models import LocalModels, find_models
from core.model.library.catalogue import FILE, ModelCatalogue
from core.model.library.choice import STARTER, Choice, choose_configured, choose_unasked
from core.model.library.fit import Resources
from core.model.library.selection import models_folder
from core.model.library.starter import find_starter

log = structlog.get_logger()


class ModelSources:
    """One per host. `room`: the memory by which models' caches are sized."""

    def __init__(self, settings: Settings, room: Room) -> None:
        self.settings = settings
        self.room = room
        self.catalogue = ModelCatalogue(settings.config_file(FILE))
        self.personalities = Personalities(settings.config_file("personalities"))
        self._resources: Resources | None = None
        self._logged: Choice | None = None

    def find_quickly(self) -> LocalModels:
        """The models before this machine is inspected and the personalities are read: the starter answers first.

        Raises ConfigError for an unknown LLM_MODEL.
        """
        with suppress(ConfigError):
            self.catalogue.load()
        choice = choose_configured(self.settings, self.catalogue)
        if choice is None and not self.settings.model.auto:
            choice = choose_unasked(self.settings, self.catalogue, self._find_resources)
        spec = choice.spec if choice else STARTER
        return find_models(self.settings, spec, self.catalogue, self.personalities, self.room)

    def find(self) -> LocalModels:
        """Raises ConfigError for an unknown LLM_MODEL."""
        for each in (self.catalogue, self.personalities):
            with suppress(ConfigError):  # `watch` logs it
                each.load()
        choice = choose_configured(self.settings, self.catalogue)
        choice = choice or choose_unasked(self.settings, self.catalogue, self._find_resources)
        if self._logged is None or (choice.id, choice.reason) != (self._logged.id, self._logged.reason):
            log.info("default_model_chosen", model=choice.id, reason=choice.reason)
            self._logged = choice
        return find_models(self.settings, choice.spec, self.catalogue, self.personalities, self.room, choice.interim)

    def _find_resources(self) -> Resources:
        """The facts of the start, with the models that are here now.

        With models in memory, the same machine would look smaller.
        """
        # They import the hub's client, which takes too long for the start.
        from core.model.library.resources import find_downloaded, find_resources

        if self._resources is None:
            self._resources = find_resources(self.settings, self.catalogue)
        return replace(self._resources, downloaded=find_downloaded(self.settings, self.catalogue))

    def measure_again(self) -> None:
        """Inspects the machine once more, if it counts: at a busy start it looks too small. The best values hold."""
        from core.model.library.resources import find_resources

        if (start := self._resources) is None:
            return
        found = find_resources(self.settings, self.catalogue)
        self._resources = replace(
            found,
            memory_available_bytes=max(start.memory_available_bytes, found.memory_available_bytes),
            gpu_free_bytes=max(start.gpu_free_bytes, found.gpu_free_bytes),
            bandwidth_bytes_per_s=max(start.bandwidth_bytes_per_s, found.bandwidth_bytes_per_s),
        )

    def prepare_starter(self) -> None:
        """Makes the starter's file if it is not there. Raises ConfigError, ModelError."""
        find_starter(models_folder(self.settings.data_folder), transcode_in_child)


def transcode_in_child(source: Path, target: Path) -> None:
    """Requantises in a process of its own: the host loads no llama.cpp. Raises ModelError."""
    command = [sys.executable, "-m", "core.model.worker.prepare", "--transcode", str(source), str(target)]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ModelError(f"{source}: transcoding failed: {done.stderr.strip()}")
