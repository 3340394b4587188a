"""Decides which files of a repository make one model, and where they are on disk.

Names come from the hub and are hostile until checked: each must stay in its repository's folder.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import quote

from core.model.library.download.failures import DownloadFailed
from core.model.library.model_parts import SUFFIX, is_whole, model_key
from core.model.library.specs import HubFile

PARTIALS = ".downloads"  # in the models folder: files that are not complete or not checked
REPO = re.compile(
    r"(?!.*(--|\.\.))[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?(/[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?)?"
)
REPO_LIMIT_CHARS = 96
PROJECTOR = "mmproj"  # files with this in their name read images; they are no models
SHOWN_NAMES = 30


def check_repo(repo: str) -> str:
    """Returns `repo` if it has the form that the hub allows. Raises DownloadFailed."""
    if len(repo) > REPO_LIMIT_CHARS or not REPO.fullmatch(repo) or repo.endswith(".git"):
        raise DownloadFailed("name", repo=repo)
    return repo


def repo_folder(models: Path, repo: str) -> Path:
    """The folder of a repository's checked files."""
    return models / check_repo(repo).replace("/", "--")


def partials_folder(models: Path, repo: str) -> Path:
    """The folder of a repository's downloads that are not finished."""
    return models / PARTIALS / check_repo(repo).replace("/", "--")


def download_folder(models: Path, repo: str, first_name: str) -> Path:
    """The folder of one model's download, by the name of its file or first part."""
    return partials_folder(models, repo) / quote(first_name, safe=" ()[]+,=@")


def choose_model(names: Iterable[str], source: HubFile) -> list[str]:
    """Returns the one model that the source names: its file, or all its parts in order. Raises DownloadFailed."""
    models = [name for name in names if name.endswith(SUFFIX)]
    keys = {model_key(name) for name in matching(models, source.pattern)}
    if not keys:
        raise DownloadFailed("no_match", repo=source.repo, pattern=source.pattern, names=shown(models))
    if len(keys) > 1:
        found = shown(name for name, _parts in keys)
        raise DownloadFailed("ambiguous", repo=source.repo, pattern=source.pattern, count=len(keys), names=found)
    (key,) = keys
    parts = sorted(name for name in models if model_key(name) == key)
    if not is_whole(parts):
        raise DownloadFailed("incomplete", repo=source.repo, name=key[0])
    for name in parts:
        check_name(name, source.repo)
    return parts


def find_downloaded(models: Path, source: HubFile) -> Path | None:
    """Returns the model's file, or its first part, if it is whole on disk. Raises DownloadFailed if several match."""
    folder = repo_folder(models, source.repo)
    names = [path.relative_to(folder).as_posix() for path in folder.rglob(f"*{SUFFIX}") if path.is_file()]
    visible = [name for name in names if is_safe(name)]
    try:
        return folder / choose_model(visible, source)[0]
    except DownloadFailed as exc:
        if exc.reason in ("no_match", "incomplete"):
            return None
        raise


def matching(names: Sequence[str], pattern: str) -> list[str]:
    """Returns the names that match. Image projectors match only patterns that name them."""
    found = [name for name in names if fnmatch.fnmatchcase(name, pattern)]
    return found if PROJECTOR in pattern else [name for name in found if PROJECTOR not in name.lower()]


def check_name(name: str, repo: str) -> None:
    if not is_safe(name):
        raise DownloadFailed("unsafe", repo=repo, name=name)


def is_safe(name: str) -> bool:
    """Tells whether the name stays in its folder, and outside the folders of this package."""
    plain = not any(char < " " or char in "\\\x7f" for char in name)
    return plain and all(part and not part.startswith(".") for part in name.split("/"))


def shown(names: Iterable[str]) -> str:
    """Names for a message: repositories have hundreds of files."""
    ordered = sorted(name for name in names if name.isprintable())
    listed = ", ".join(ordered[:SHOWN_NAMES])
    return f"{listed}, … ({len(ordered)})" if len(ordered) > SHOWN_NAMES else listed
