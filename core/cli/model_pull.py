"""`csps-llm models pull`: downloads a model now, or watches the process that does. Ctrl+C keeps what has arrived."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import typer

from core.cli.localization import locale_language
from core.cli.model_survey import load_catalogue, load_settings
from core.cli.model_texts import describe_progress, draw_bar
from core.cli.models import find_local
from core.contract import Language
from core.errors import BadRequest, ModelError
from core.model.library.catalogue import ModelCatalogue
from core.model.library.choice import hub_spec, parse_hub_id
from core.model.library.download.failures import DownloadFailed
from core.model.library.download.fetching import fetch
from core.model.library.download.progress import DownloadProgress
from core.model.library.download.repository_files import repo_folder
from core.model.library.selection import models_folder
from core.model.library.specs import HubFile, ModelSpec
from core.texts import text

PLAIN_INTERVAL_S = 10.0
REPOSITORY = re.compile(r"[^/]+/[^/]+")
INTERRUPTED = 130  # the exit status of a program that Ctrl+C ended


class DownloadDisplay:
    """Shows a download: a bar on one changing line of a terminal; elsewhere, a line every ten seconds."""

    def __init__(
        self, title: str, language: Language, stream: TextIO, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._title = title
        self._language = language
        self._stream = stream
        self._clock = clock
        self._live = stream.isatty()
        self._next_s = clock()
        self._last_state = ""

    def __call__(self, progress: DownloadProgress) -> None:
        if progress.state == "failed":
            return  # the command's error says why
        line = describe_progress(self._title, progress, self._language)
        if self._live:
            shown = f"{draw_bar(progress)} {line}"[
                : shutil.get_terminal_size().columns - 1
            ]  # one that wraps would pile up
            self._stream.write(f"\r\x1b[2K{shown}")
            self._stream.flush()
        elif self._clock() >= self._next_s or progress.state != self._last_state:
            self._next_s = self._clock() + PLAIN_INTERVAL_S
            self._last_state = progress.state
            self._stream.write(f"{line}\n")
            self._stream.flush()

    def close(self) -> None:
        """Leaves the last state of the bar on its line."""
        if self._live:
            self._stream.write("\n")
            self._stream.flush()


def pull(model_id: str, pattern: str | None) -> int:
    """Returns the exit status. Raises NotFound, BadRequest, ModelError."""
    settings, language = load_settings(), locale_language(os.environ)
    catalogue = load_catalogue(settings)
    spec = find_source(model_id, pattern, catalogue, language)
    assert isinstance(spec.source, HubFile)
    models = models_folder(settings.data_folder)
    display = DownloadDisplay(spec.title, language, sys.stderr)
    try:
        path = asyncio.run(fetch(spec.source, models, display))
    except KeyboardInterrupt:
        display.close()
        typer.echo(text("cli-models-pull-stopped", language), err=True)
        return INTERRUPTED
    except DownloadFailed as exc:
        display.close()
        raise ModelError(exc.explain(language)) from exc
    display.close()
    use_id = spec.id if spec.id in catalogue.by_id else id_of(path, models, spec.source)
    typer.echo(text("cli-models-pulled", language, title=spec.title, path=str(path)))
    if not spec.embedder:
        typer.echo(text("cli-models-pulled-use", language, id=use_id))
    return 0


def find_source(model_id: str, pattern: str | None, catalogue: ModelCatalogue, language: Language) -> ModelSpec:
    """Returns the model to download: of the catalogue, or of any repository. Raises NotFound, BadRequest."""
    if pattern is not None:
        spec = parse_hub_id(f"{model_id}/{pattern}")
        if spec is None:
            raise BadRequest(text("cli-models-pull-form", language))
        return hub_spec(spec)
    if REPOSITORY.fullmatch(model_id):
        raise BadRequest(text("cli-models-pull-pattern", language, id=model_id))
    found = find_local(model_id, catalogue, language)
    if not isinstance(found.source, HubFile):
        raise BadRequest(text("cli-models-pull-installed", language, title=found.title))
    return found


def id_of(path: Path, models: Path, source: HubFile) -> str:
    """The id of a downloaded model, whose pattern may have had wildcards."""
    name = path.relative_to(repo_folder(models, source.repo)).as_posix()
    return hub_spec(HubFile(source.repo, name)).id
