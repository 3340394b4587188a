"""Pages on disk: what was fetched for a URL, when, and how long its site vouches for it.

Owns the folder's files and their number; several processes may share it. Knows neither the network nor what a page
says. A file is one line of JSON and then the body, named by the hash of its URL, written beside and moved into place.
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
from collections.abc import Callable, Iterator, Sequence
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
RETENTION_S = 7 * 86_400  # a person may have given the URL: nothing stays for good
ENDING = ".page"


@dataclass(frozen=True, slots=True)
class CachedPage:
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

    async def get(self, url: str) -> CachedPage | None:
        """None also for a file that cannot be read as one of ours."""
        if self._folder is None:
            return None
        return await asyncio.to_thread(load, self._folder / file_name(url))

    async def keep(self, url: str, page: CachedPage) -> None:
        """A disk that refuses is logged: the page is there all the same."""
        if self._folder is not None:
            await write_logged(self._keep, self._folder, url, page)

    async def drop(self, url: str) -> None:
        if self._folder is not None:
            await write_logged(remove, self._folder / file_name(url))

    def _keep(self, folder: Path, url: str, page: CachedPage) -> None:
        save(folder / file_name(url), page)
        with contextlib.suppress(FileNotFoundError):  # another process tidies up as well
            for path in self._superfluous(folder):
                path.unlink(missing_ok=True)

    def _superfluous(self, folder: Path) -> Iterator[Path]:
        """The oldest, beyond the limits; and what another process was killed while writing."""
        entries = sorted(
            ((kept.stat(), Path(kept.path)) for kept in cache_files(folder)), key=lambda pair: -pair[0].st_mtime
        )
        too_old, total_bytes = time.time() - RETENTION_S, 0
        for number, (stat, path) in enumerate(entries, 1):
            total_bytes += stat.st_size
            if number > self._files_limit or total_bytes > self._size_limit_bytes or stat.st_mtime < too_old:
                yield path


async def write_logged(work: Callable[..., None], *about: object) -> None:
    try:
        await asyncio.to_thread(work, *about)
    except OSError as exc:
        log.warning("page_cache_refused", error=exc.strerror)


def remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def file_name(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest() + ENDING


def cache_files(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        yield from (entry for entry in entries if entry.name.endswith((ENDING, PART_SUFFIX)))


def save(path: Path, page: CachedPage) -> None:
    told = asdict(replace(page, body=b"")) | {"body": len(page.body), "fetched_at": page.fetched_at.isoformat()}
    suffix = f".{secrets.token_hex(8)}{PART_SUFFIX}"  # other processes may keep the same page at this moment
    write_atomically(path, json.dumps(told).encode() + b"\n" + page.body, part_suffix=suffix)


def load(path: Path) -> CachedPage | None:
    try:
        head, _, body = path.read_bytes().partition(b"\n")
        told = json.loads(head)
        whole = told.pop("body") == len(body)
        page = CachedPage(**told | {"body": body, "fetched_at": datetime.fromisoformat(told["fetched_at"])})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        log.warning("kept_page_unreadable")
        return None
    return page if whole else None


PERMANENT = {301, 308}
LIFETIME_LIMIT_S = 30 * 86_400.0
VALIDATOR_LIMIT_CHARS = 256


def directives(headers: httpx.Headers) -> dict[str, str]:
    """Of Cache-Control, in lower case; "" for those without a value."""
    parts = (part.partition("=") for part in headers.get("cache-control", "").lower().split(","))
    return {name.strip(): value.strip().strip('"') for name, _, value in parts}


def may_be_kept(headers: httpx.Headers) -> bool:
    """Ours is a cache that people share."""
    return not {"no-store", "private"} & directives(headers).keys() and headers.get("vary", "").strip() != "*"


def lifetime_s(headers: httpx.Headers) -> float | None:
    """How long the site vouches for this, from now; 0: ask each time. None: it does not say."""
    said = directives(headers)
    if "no-cache" in said:
        return 0.0
    total_s = parse_seconds(said["max-age"]) if "max-age" in said else expires_s(headers)
    return (
        None if total_s is None else min(max(total_s - parse_seconds(headers.get("age", "0")), 0.0), LIFETIME_LIMIT_S)
    )


def parse_seconds(text: str) -> float:
    """What is no number is stale."""
    return float(text) if text.isascii() and text.isdecimal() and len(text) < 12 else 0.0


def expires_s(headers: httpx.Headers) -> float | None:
    """By Expires and Date. A date that is none has passed."""
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
    """As `lifetime_s`, of a redirect: a permanent one that says nothing holds for good."""
    said = lifetime_s(headers)
    return math.inf if said is None and status in PERMANENT else said


def combined_lifetime_s(lifetimes: Sequence[float | None]) -> float | None:
    """Of a page at the end of redirects: each step must be vouched for. None if one is not, 0 if one must be asked."""
    if 0.0 in lifetimes:
        return 0.0
    said = [lifetime for lifetime in lifetimes if lifetime is not None]
    return min(said) if len(said) == len(lifetimes) else None


def validator(headers: httpx.Headers, name: str) -> str | None:
    """An ETag or Last-Modified that can be sent back as it came."""
    value = headers.get(name)
    return value if value and value.isascii() and value.isprintable() and len(value) <= VALIDATOR_LIMIT_CHARS else None
