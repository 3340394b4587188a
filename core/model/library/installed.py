"""The models whose files are on this machine: finds them, lists them, removes them. Reaches no network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.model.library.choice import hub_spec
from core.model.library.download.failures import DownloadFailed
from core.model.library.download.leftovers import remove_model
from core.model.library.download.progress import read_progress
from core.model.library.download.repository_files import find_downloaded, repo_folder
from core.model.library.model_parts import SUFFIX, is_whole, parts_on_disk
from core.model.library.specs import HubFile, LocalFile, ModelSource, ModelSpec
from core.model.library.starter import starter_path


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A downloaded model; `spec` names it as a model outside the catalogue, `path` is its file or first part."""

    spec: ModelSpec
    path: Path


def find_installed(models: Path, source: ModelSource) -> Path | None:
    """Returns the model's file, or the first of several; None if the model is not here as a whole."""
    if isinstance(source, LocalFile):
        return source.path if source.path.is_file() else None
    if isinstance(source, HubFile):
        try:
            return find_downloaded(models, source)
        except DownloadFailed:  # its pattern matches several models that are here, or its name is none
            return None
    path = starter_path(models)
    return path if path.is_file() else None


def installed_bytes(path: Path) -> int:
    """Returns the size of a model on disk, with all its parts."""
    return sum(part.stat().st_size for part in parts_on_disk(path))


def stored_bytes(models: Path, source: HubFile) -> int:
    """Returns what is here of a download that is not finished."""
    try:
        progress = read_progress(models, source)
    except DownloadFailed:
        return 0
    return progress.done_bytes if progress else 0


def list_installed(models: Path) -> tuple[InstalledModel, ...]:
    """Returns the models of the hub that are here as a whole, whether the catalogue has them or not."""
    return tuple(
        InstalledModel(hub_spec(HubFile(repo, path.relative_to(folder).as_posix())), path)
        for repo, folder in repo_folders(models)
        for path in sorted(folder.rglob(f"*{SUFFIX}"))
        if path == (parts := parts_on_disk(path))[0] and is_whole([part.name for part in parts])
    )


def repo_folders(models: Path) -> Iterator[tuple[str, Path]]:
    """Yields the repositories of which the models folder has files, with their folders."""
    for folder in sorted(models.glob("*--*")) if models.is_dir() else ():
        repo = "/".join(folder.name.split("--"))
        try:
            if repo_folder(models, repo) == folder:
                yield repo, folder
        except DownloadFailed:
            continue  # no folder of a repository


def remove_installed(models: Path, source: HubFile) -> int:
    """Deletes a model's files and its unfinished download. Returns the freed bytes. Raises OSError."""
    path = find_installed(models, source)
    freed = stored_bytes(models, source) + (installed_bytes(path) if path else 0)
    remove_model(models, source)
    return freed
