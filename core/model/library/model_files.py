"""Finds the configured model file: a path, a Hugging Face repository, or the bundled starter model.

Each download is checked against the sha256 of the repository. The hub's client has returned a corrupt file of the right
size as a success. Downloads stay in `.unchecked` until then; files in the models folder are all checked.
"""

from __future__ import annotations

import fnmatch
import hashlib
from pathlib import Path

import structlog

from core.configuration.settings import Settings
from core.errors import ConfigError, ModelError
from core.model.library.gguf_file import ModelFile, check_gguf
from core.model.library.model_parts import choose
from core.model.library.starter import Transcode, find_starter

log = structlog.get_logger()

UNCHECKED = ".unchecked"  # folder of downloads whose sha256 is not yet checked


def find(settings: Settings, transcode: Transcode) -> ModelFile:
    """Returns the file to load, after a download or transcoding. Raises ConfigError; ModelError if a retry may help."""
    try:
        return find_configured(settings, transcode)
    except OSError as exc:
        raise ConfigError(f"{exc.filename or settings.data_folder}: {exc.strerror or exc}") from exc


def find_configured(settings: Settings, transcode: Transcode) -> ModelFile:
    model = settings.model
    if model.file:
        path = Path(model.file).expanduser()
        check_gguf(path, "LLM_MODEL_FILE")
        return ModelFile(path, path.stem)
    if model.huggingface_repo and model.huggingface_file:
        return download(model.huggingface_repo, model.huggingface_file, settings.data_folder / "models")
    return find_starter(settings.data_folder / "models", transcode)


def download(repo: str, pattern: str, folder: Path) -> ModelFile:
    """Downloads a repository's file once, or all parts of a split model, of which it returns the first."""
    import huggingface_hub as hub

    place = folder / repo.replace("/", "--")
    try:
        info = hub.HfApi().model_info(repo, files_metadata=True)
    except Exception as exc:  # noqa: BLE001 - the hub's client raises its own, its HTTP client's and built-in ones
        return find_downloaded(repo, pattern, place, exc)
    siblings = {s.rfilename: s for s in info.siblings or []}
    parts = choose([name for name in siblings if name.endswith(".gguf")], pattern, repo)
    for name in parts:
        target = place / name
        lfs = siblings[name].lfs
        if not target.is_file():
            log.info("model_download_started", repo=repo, file=name, size_bytes=siblings[name].size)
            fetched = fetch(repo, name, folder / UNCHECKED / place.name)
            verify(fetched, lfs.sha256 if lfs else None)
            target.parent.mkdir(parents=True, exist_ok=True)
            fetched.replace(target)
        check_gguf(target, "LLM_HUGGINGFACE_FILE")
    return ModelFile(place / parts[0], Path(parts[0]).stem)


def fetch(repo: str, name: str, place: Path) -> Path:
    """Downloads one file. A retry after a broken transfer resumes it. Raises ModelError."""
    import huggingface_hub as hub

    try:
        return Path(hub.hf_hub_download(repo, name, local_dir=place))
    except Exception as exc:
        problem = f"{type(exc).__name__}: {first_line(exc)}"
        raise ModelError(f"{repo}: downloading {name} failed ({problem}); the next start resumes it") from exc


def find_downloaded(repo: str, pattern: str, place: Path, cause: Exception) -> ModelFile:
    """Returns an earlier download when the hub is unreachable. Raises ConfigError, ModelError."""
    local = [str(path.relative_to(place)) for path in place.rglob("*.gguf")]
    if not any(fnmatch.fnmatch(name, pattern) for name in local):
        raise (ConfigError if is_refusal(cause) else ModelError)(
            f"{repo} cannot be read ({type(cause).__name__}: {first_line(cause)}) and {place} holds no file that "
            f"matches {pattern}. Check LLM_HUGGINGFACE_REPO and the network, or set LLM_MODEL_FILE to a file you have."
        ) from cause
    log.warning("hub_unreachable", repo=repo)
    name = choose(local, pattern, repo)[0]
    return ModelFile(place / name, Path(name).stem)


def is_refusal(cause: Exception) -> bool:
    """Tells whether the repository's name is invalid or the hub denied it, so that a retry cannot succeed."""
    import huggingface_hub.errors as hub

    if isinstance(cause, hub.HfHubHTTPError):
        return cause.response is not None and cause.response.status_code < 500
    return isinstance(cause, hub.HFValidationError)


def verify(path: Path, sha256: str | None) -> None:
    """Deletes a file with the wrong sha256. Raises ModelError then."""
    if sha256 is None:
        return
    with path.open("rb") as file:
        actual = hashlib.file_digest(file, "sha256").hexdigest()
    if actual != sha256:
        path.unlink()
        raise ModelError(
            f"{path.name}: the download is corrupt (sha256 {actual}, expected {sha256}); the next start repeats it"
        )


def first_line(exc: Exception) -> str:
    return (str(exc).splitlines() or [""])[0]
