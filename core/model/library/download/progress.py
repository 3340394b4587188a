"""Progress as a value, its rate, and the file through which other processes read it."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import unquote

from core.contract import Language
from core.model.library.download.repository_files import matching, partials_folder
from core.model.library.specs import HubFile
from core.runtime.atomic_files import write_atomically

DownloadState = Literal[
    "downloading",
    "waiting",  # for a network or a server; `problem` says for which
    "checking",  # all bytes are there
    "paused",  # no process downloads it; the next attempt continues
    "failed",  # `problem` says why
]
PROGRESS_FILE = "progress.json"
LOCK_FILE = "lock"
RATE_WINDOW_S = 10.0
BLOCK_BYTES = 512  # the unit of st_blocks
LOAD_FAULT = "load"  # the file is here, or is the operator's own, and cannot be loaded


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    state: DownloadState
    done_bytes: int
    total_bytes: int
    bytes_per_s: float = 0.0  # over the last seconds
    expected_s: float | None = None  # until the end; None while nothing arrives
    problem: str | None = None  # an English sentence
    fault: str | None = None  # the reason of the problem, a DownloadFault or LOAD_FAULT
    problem_in_french: str | None = None

    def explain(self, language: Language) -> str:
        """Returns the problem in a language, if this process or the file knows it; "" without a problem."""
        return (self.problem_in_french if language == "fr" else None) or self.problem or ""


OnProgress = Callable[[DownloadProgress], None]


class RateMeter:
    """The rate over the last seconds. `clock` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float], window_s: float = RATE_WINDOW_S) -> None:
        self._clock = clock
        self._window_s = window_s
        self._samples: deque[tuple[float, int]] = deque()  # (time, bytes that arrived until then)
        self._arrived = 0
        self._sample()

    def add(self, count: int) -> None:
        self._arrived += count

    def bytes_per_s(self) -> float:
        self._sample()
        (first_s, first), (last_s, last) = self._samples[0], self._samples[-1]
        return (last - first) / (last_s - first_s) if last_s > first_s else 0.0

    def _sample(self) -> None:
        now = self._clock()
        self._samples.append((now, self._arrived))
        while len(self._samples) > 2 and now - self._samples[0][0] > self._window_s:
            self._samples.popleft()


def write_progress(folder: Path, progress: DownloadProgress, names: tuple[str, ...]) -> None:
    """Writes the progress of the files `names` into the folder of a download. Raises OSError."""
    content = {"files": list(names), **dataclasses.asdict(progress)}
    write_atomically(folder / PROGRESS_FILE, json.dumps(content).encode(), mode=0o644)


def read_progress(models: Path, source: HubFile) -> DownloadProgress | None:
    """Returns the progress of a model's download, by any process; None if it has not begun or is finished."""
    for folder in download_folders(partials_folder(models, source.repo)):
        found = read_folder(folder, source)
        if found is not None:
            return found
    return None


def download_folders(repo_folder: Path) -> Iterator[Path]:
    """Yields the folders of the downloads of one repository."""
    with contextlib.suppress(OSError):
        yield from sorted(path for path in repo_folder.iterdir() if path.is_dir())


def read_folder(folder: Path, source: HubFile) -> DownloadProgress | None:
    try:
        content = json.loads((folder / PROGRESS_FILE).read_bytes())
        names = [str(name) for name in content.pop("files")]
        progress = parse_progress(content)
    except (OSError, ValueError, TypeError, AttributeError, KeyError):
        return None
    if not matching(names, source.pattern):
        return None
    if progress.state != "failed" and not is_locked(folder):
        done_bytes = max(progress.done_bytes, min(part_bytes(folder), progress.total_bytes))  # it was killed since
        return dataclasses.replace(progress, state="paused", done_bytes=done_bytes, bytes_per_s=0.0, expected_s=None)
    return progress


def part_bytes(folder: Path) -> int:
    """Returns the room that the parts of a download take on the disk, without the holes in them."""
    stored = 0
    for part in folder.glob("*.part"):
        with contextlib.suppress(FileNotFoundError):  # it has just been moved to its place
            stored += part.stat().st_blocks * BLOCK_BYTES
    return stored


def read_names(folder: Path) -> list[str]:
    """Returns the names of the files that a download folder is for; by its own name if it does not say."""
    try:
        return [str(name) for name in json.loads((folder / PROGRESS_FILE).read_bytes())["files"]]
    except (OSError, ValueError, TypeError, KeyError):
        return [unquote(folder.name)]


def parse_progress(content: dict[str, Any]) -> DownloadProgress:
    progress = DownloadProgress(**content)
    if progress.state not in get_args(DownloadState):
        raise ValueError(progress.state)
    return progress


def is_locked(folder: Path) -> bool:
    """Tells whether a process holds the lock of the download in `folder`."""
    try:
        with (folder / LOCK_FILE).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
