"""Pages on disk, and how long they may be used without asking their site.

Owns the folder's files and their number; several processes may share it. Knows neither the network nor the content of
a page. A file is named by the hash of its URL; it holds a line of JSON, then the body. Lifetimes follow RFC 9111, as
far as a cache without credentials needs it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import math
import os
import secrets
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import structlog

from core.runtime.atomic_files import PART_SUFFIX, write_atomically

log = structlog.get_logger()

FILES_LIMIT = 500
SIZE_LIMIT_BYTES = 100 * 2**20
RETENTION_S = 7 * 86_400.0  # by default; the user may have given the URL, so nothing stays for good
ENDING = ".page"
PERMANENT = {301, 308}
LIFETIME_LIMIT_S = 30 * 86_400.0
VALIDATOR_LIMIT_CHARS = 256


@dataclass(frozen=True, slots=True)
class CachedPage:
    """A page, the time of its site's last confirmation, and its lifetime by the site; None: the site does not say."""

    url: str  # after redirects
    media_type: str
    charset: str | None
    body: bytes
    fetched_at: datetime
    etag: str | None = None
    last_modified: str | None = None
    lifetime_s: float | None = None
    is_cut: bool = False  # the end of the body is missing
    file_name: str = ""  # from the header

    def is_fresh(self, now: datetime, max_age_s: float | None = None) -> bool:
        """Tells whether the page may be used without asking: within its lifetime and `max_age_s`, if they are set."""
        limits = [limit for limit in (self.lifetime_s, max_age_s) if limit is not None]
        return bool(limits) and 0 <= (now - self.fetched_at).total_seconds() < min(limits)


class PageCache:
    """Pages by requested URL. Without a folder, it stores nothing."""

    def __init__(
        self,
        folder: Path | None,
        files_limit: int = FILES_LIMIT,
        size_limit_bytes: int = SIZE_LIMIT_BYTES,
        retention_s: float = RETENTION_S,
    ) -> None:
        self._folder = folder
        self._files_limit = files_limit
        self._size_limit_bytes = size_limit_bytes
        self._retention_s = retention_s

    async def get(self, url: str) -> CachedPage | None:
        """Returns None for a missing file, and for a damaged one."""
        if self._folder is None:
            return None
        return await asyncio.to_thread(load, self._folder / file_name(url))

    async def store(self, url: str, page: CachedPage) -> None:
        """Stores the page. Logs an error of the disk, which does not concern the caller."""
        if self._folder is not None:
            await write_logged(self._store, self._folder, url, page)

    async def forget(self, urls: Collection[str]) -> None:
        """Deletes what `drop_pages` does. Logs an error of the disk."""
        if self._folder is not None:
            await write_logged(drop_pages, self._folder, urls)

    async def drop(self, url: str) -> None:
        if self._folder is not None:
            await write_logged(remove, self._folder / file_name(url))

    def _store(self, folder: Path, url: str, page: CachedPage) -> None:
        save(folder / file_name(url), page)
        with contextlib.suppress(FileNotFoundError):  # another process tidies up as well
            for path in self._superfluous(folder):
                path.unlink(missing_ok=True)

    def _superfluous(self, folder: Path) -> Iterator[Path]:
        """Yields the oldest files beyond the limits, and partial files of crashed processes."""
        files = ((entry.stat(), Path(entry.path)) for entry in cache_files(folder))
        entries = sorted(files, key=lambda pair: -pair[0].st_mtime)
        too_old, total_bytes = time.time() - self._retention_s, 0
        for number, (stat, path) in enumerate(entries, 1):
            total_bytes += stat.st_size
            if number > self._files_limit or total_bytes > self._size_limit_bytes or stat.st_mtime < too_old:
                yield path


def drop_pages(folder: Path, urls: Collection[str]) -> int:
    """Deletes the pages of these addresses, before or after redirects, and those of all searches. Returns their number.

    The address of a search has the words of a question. Raises OSError.
    """
    if not urls or not folder.is_dir():
        return 0
    names, count = {file_name(url) for url in urls}, 0
    for entry in list(cache_files(folder)):
        page = load(Path(entry.path))
        if page is None or entry.name in names or page.url in urls or httpx.URL(page.url).query:
            remove(Path(entry.path))
            count += 1
    return count


async def write_logged(work: Callable[..., object], *about: object) -> None:
    try:
        await asyncio.to_thread(work, *about)
    except OSError as exc:
        log.warning("page_cache_write_failed", problem=exc.strerror)


def remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def file_name(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest() + ENDING


def cache_files(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        yield from (entry for entry in entries if entry.name.endswith((ENDING, PART_SUFFIX)))


def save(path: Path, page: CachedPage) -> None:
    fields = asdict(replace(page, body=b"")) | {"body": len(page.body), "fetched_at": page.fetched_at.isoformat()}
    suffix = f".{secrets.token_hex(8)}{PART_SUFFIX}"  # other processes may store the same page now
    write_atomically(path, json.dumps(fields).encode() + b"\n" + page.body, part_suffix=suffix)


def load(path: Path) -> CachedPage | None:
    try:
        head, _, body = path.read_bytes().partition(b"\n")
        fields = json.loads(head)
        whole = fields.pop("body") == len(body)
        page = CachedPage(**fields | {"body": body, "fetched_at": datetime.fromisoformat(fields["fetched_at"])})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        log.warning("page_cache_entry_rejected")
        return None
    return page if whole else None


def directives(headers: httpx.Headers) -> dict[str, str]:
    """Parses Cache-Control, in lower case; the value is "" for directives without one."""
    parts = (part.partition("=") for part in headers.get("cache-control", "").lower().split(","))
    return {name.strip(): value.strip().strip('"') for name, _, value in parts}


def is_storable(headers: httpx.Headers) -> bool:
    """Applies the rules of a shared cache."""
    return not {"no-store", "private"} & directives(headers).keys() and headers.get("vary", "").strip() != "*"


def lifetime_s(headers: httpx.Headers) -> float | None:
    """Returns the lifetime from now by the site's headers. 0: ask each time; None: they do not say."""
    declared = directives(headers)
    if "no-cache" in declared:
        return 0.0
    total_s = parse_seconds(declared["max-age"]) if "max-age" in declared else expires_s(headers)
    return (
        None if total_s is None else min(max(total_s - parse_seconds(headers.get("age", "0")), 0.0), LIFETIME_LIMIT_S)
    )


def parse_seconds(text: str) -> float:
    """Returns 0, which is stale, for text that is no number."""
    return float(text) if text.isascii() and text.isdecimal() and len(text) < 12 else 0.0


def expires_s(headers: httpx.Headers) -> float | None:
    """Computes the lifetime from Expires and Date. An invalid date has passed."""
    if "expires" not in headers:
        return None
    expires, date = parse_date(headers["expires"]), parse_date(headers.get("date", ""))
    return (expires - date).total_seconds() if expires and date else 0.0


def parse_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else None


def redirect_lifetime_s(status: int, headers: httpx.Headers) -> float | None:
    """Returns a redirect's lifetime; a permanent redirect without one is valid for good."""
    declared = lifetime_s(headers)
    return math.inf if declared is None and status in PERMANENT else declared


def combined_lifetime_s(lifetimes: Sequence[float | None]) -> float | None:
    """Returns the shortest lifetime of a page and its redirects: None if one is unknown, 0 if one must be asked."""
    if 0.0 in lifetimes:
        return 0.0
    declared = [lifetime for lifetime in lifetimes if lifetime is not None]
    return min(declared) if len(declared) == len(lifetimes) else None


def validator(headers: httpx.Headers, name: str) -> str | None:
    """Returns an ETag or Last-Modified that can be sent back unchanged."""
    value = headers.get(name)
    return value if value and value.isascii() and value.isprintable() and len(value) <= VALIDATOR_LIMIT_CHARS else None
