"""The hub's API, as far as a download needs it: the files of a repository, and where the bytes of one are.

https://huggingface.co/docs/hub/api; the headers of a file's address are those that huggingface_hub reads.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from core.model.library.download.checksum import Checksum, normalize_etag, parse_blob_id, parse_etag, parse_sha256
from core.model.library.download.failures import DownloadFailed
from core.model.library.download.http_access import HubHttp, proxy_of
from core.runtime.backoff import parse_retry_after

LIST_LIMIT_BYTES = 16 * 1024 * 1024
REVISION = "main"
SIZE = re.compile(r"[0-9]{1,15}")
BUSY = {408, 425, 429, 500, 502, 503, 504}


class HubBusy(DownloadFailed):
    """429 or 5xx. `wait_s` is the server's Retry-After, or 0."""

    def __init__(self, host: str, status: int, wait_s: float) -> None:
        super().__init__("busy", host=host, status=str(status))
        self.wait_s = wait_s


class HeadRefused(Exception):
    """A mirror or proxy does not know HEAD."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of a repository, as the hub's API lists it. None: it does not say."""

    name: str
    size_bytes: int | None = None
    checksum: Checksum | None = None


@dataclass(frozen=True, slots=True)
class FileLocation:
    """The place of a file's bytes. A signed URL expires."""

    url: httpx.URL
    etag: str
    size_bytes: int | None
    checksum: Checksum | None
    signed: bool  # on another server than the hub


class Hub:
    """Raises DownloadFailed for refusals, and httpx.RequestError for broken connections."""

    def __init__(self, http: HubHttp) -> None:
        self.http = http
        self._endpoint = http.access.endpoint

    @property
    def host(self) -> str:
        return self.http.access.host

    async def list_files(self, repo: str) -> list[RemoteFile]:
        url = httpx.URL(f"{self._endpoint}/api/models/{quote(repo)}?blobs=true")
        async with self.http.stream("GET", url) as response:
            self.require_success(response, repo)
            content = await self._read_json(response)
        siblings = content.get("siblings")
        if not isinstance(siblings, list):
            raise DownloadFailed("protocol", host=self.host)
        return list(parse_siblings(siblings))

    async def locate(self, repo: str, name: str) -> FileLocation:
        """Finds the bytes of a file. The hub states checksum and size as it redirects to a file server."""
        url = httpx.URL(f"{self._endpoint}/{quote(repo)}/resolve/{REVISION}/{quote(name)}")
        try:
            return await self._locate("HEAD", url, repo, name)
        except HeadRefused:
            return await self._locate("GET", url, repo, name)

    async def _locate(self, method: str, url: httpx.URL, repo: str, name: str) -> FileLocation:
        async with self.http.stream(method, url, leave_hub=False) as response:
            if method == "HEAD" and response.status_code in (405, 501):
                raise HeadRefused
            if response.headers.get("X-Error-Code") == "EntryNotFound":
                raise DownloadFailed("file", repo=repo, name=name)
            if not response.has_redirect_location:
                self.require_success(response, repo)
            target = response.url
            if response.has_redirect_location:
                target = await self.http.check_redirect(response.url, response.headers["Location"])
            return parse_location(response.headers, target, signed=target != response.url)

    def require_success(self, response: httpx.Response, repo: str) -> None:
        """Raises DownloadFailed, with what to do, unless the status is 200 or 206."""
        status, code = response.status_code, response.headers.get("X-Error-Code", "")
        if status in (200, 206):
            return
        if status in BUSY:
            wait_s = parse_retry_after(response.headers.get("Retry-After"), 0.0)
            raise HubBusy(response.url.host, status, wait_s)
        if status == 407:
            raise DownloadFailed("proxy_login", proxy=proxy_of(response.url) or "")
        if code == "GatedRepo":
            raise DownloadFailed("gated", repo=repo, url=f"{self._endpoint}/{repo}")
        if status == 401 and self.http.access.token and code != "RepoNotFound":
            raise DownloadFailed("token", host=self.host)
        if status in (401, 404):
            raise DownloadFailed("repository", repo=repo, host=self.host)
        raise DownloadFailed("forbidden", repo=repo, host=response.url.host, status=str(status))

    async def _read_json(self, response: httpx.Response) -> dict[str, Any]:
        body = bytearray()
        async for block in response.aiter_bytes():
            body += block
            if len(body) > LIST_LIMIT_BYTES:
                raise DownloadFailed("protocol", host=self.host)
        try:
            content = await asyncio.to_thread(json.loads, body)  # megabytes in a repository of thousands of files
        except (ValueError, RecursionError) as exc:
            raise DownloadFailed("protocol", host=self.host) from exc
        if not isinstance(content, dict):
            raise DownloadFailed("protocol", host=self.host)
        return content


def parse_siblings(siblings: list[Any]) -> Iterator[RemoteFile]:
    """Yields the files that the hub lists. Entries of another form are skipped."""
    for each in siblings:
        if isinstance(each, dict) and isinstance(name := each.get("rfilename"), str):
            lfs = each.get("lfs")
            large = lfs if isinstance(lfs, dict) else {}
            size = parse_size(large.get("size", each.get("size")))
            checksum = (
                parse_sha256(large.get("sha256", large.get("oid"))) if large else parse_blob_id(each.get("blobId"))
            )
            yield RemoteFile(name, size, checksum)


def parse_location(headers: httpx.Headers, url: httpx.URL, *, signed: bool) -> FileLocation:
    etag = headers.get("X-Linked-Etag") or headers.get("ETag")
    size = headers.get("X-Linked-Size") or (None if signed else headers.get("Content-Length"))
    return FileLocation(
        url,
        normalize_etag(etag),
        int(size) if size and SIZE.fullmatch(size) else None,
        parse_etag(etag),
        signed,
    )


def parse_size(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
