"""Pages on disk: what was fetched for a URL, when, and how long its site vouches for it.

Owns the folder's files and their number; several processes may share it. Knows neither the network nor what a page
says. A file is one line of JSON and then the body, named by the hash of its URL, written beside and moved into place.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

import structlog

from core.runtime.atomic_files import PART_SUFFIX, write_atomically

log = structlog.get_logger()

FILES_LIMIT = 500
SIZE_LIMIT_BYTES = 100 * 2**20
KEEP_S = 7 * 86_400  # a person may have given the URL: nothing stays for good
ENDING = ".page"


@dataclass(frozen=True, slots=True)
class Page:
    """`fetched_at`: when its site last said this is it. `lifetime_s`: how long it vouches; None: it does not say."""

    url: str  # where it was found, after redirects
    media_type: str
    charset: str | None
    body: bytes
    fetched_at: datetime
    etag: str | None = None
    last_modified: str | None = None
    lifetime_s: float | None = None

    def is_fresh(self, now: datetime, max_age_s: float | None = None) -> bool:
        """Whether it may be used without asking its site: by its word, and by `max_age_s` where that is given."""
        limits = [limit for limit in (self.lifetime_s, max_age_s) if limit is not None]
        return bool(limits) and 0 <= (now - self.fetched_at).total_seconds() < min(limits)


class PageCache:
    """By the URL that was asked for. Without a folder it keeps nothing."""

    def __init__(
        self, folder: Path | None, files_limit: int = FILES_LIMIT, size_limit_bytes: int = SIZE_LIMIT_BYTES
    ) -> None:
        self._folder = folder
        self._files_limit = files_limit
        self._size_limit_bytes = size_limit_bytes

    async def get(self, url: str) -> Page | None:
        """None also for a file that cannot be read as one of ours."""
        if self._folder is None:
            return None
        return await asyncio.to_thread(load, self._folder / name_of(url))

    async def keep(self, url: str, page: Page) -> None:
        """A disk that refuses is logged: the page is there all the same."""
        if self._folder is not None:
            await write(self._keep, self._folder, url, page)

    async def drop(self, url: str) -> None:
        if self._folder is not None:
            await write(remove, self._folder / name_of(url))

    def _keep(self, folder: Path, url: str, page: Page) -> None:
        save(folder / name_of(url), page)
        with contextlib.suppress(FileNotFoundError):  # another process tidies up as well
            for path in self._superfluous(folder):
                path.unlink(missing_ok=True)

    def _superfluous(self, folder: Path) -> Iterator[Path]:
        """The oldest, beyond the limits; and what another process was killed while writing."""
        entries = sorted(((kept.stat(), Path(kept.path)) for kept in ours(folder)), key=lambda pair: -pair[0].st_mtime)
        too_old, total_bytes = time.time() - KEEP_S, 0
        for number, (stat, path) in enumerate(entries, 1):
            total_bytes += stat.st_size
            if number > self._files_limit or total_bytes > self._size_limit_bytes or stat.st_mtime < too_old:
                yield path


async def write(work: Callable[..., None], *about: object) -> None:
    try:
        await asyncio.to_thread(work, *about)
    except OSError as exc:
        log.warning("page_cache_refused", error=exc.strerror)


def remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def name_of(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest() + ENDING


def ours(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        yield from (entry for entry in entries if entry.name.endswith((ENDING, PART_SUFFIX)))


def save(path: Path, page: Page) -> None:
    told = asdict(replace(page, body=b"")) | {"body": len(page.body), "fetched_at": page.fetched_at.isoformat()}
    suffix = f".{secrets.token_hex(8)}{PART_SUFFIX}"  # other processes may keep the same page at this moment
    write_atomically(path, json.dumps(told).encode() + b"\n" + page.body, part_suffix=suffix)


def load(path: Path) -> Page | None:
    try:
        head, _, body = path.read_bytes().partition(b"\n")
        told = json.loads(head)
        whole = told.pop("body") == len(body)
        page = Page(**told | {"body": body, "fetched_at": datetime.fromisoformat(told["fetched_at"])})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        log.warning("kept_page_unreadable")
        return None
    return page if whole else None
