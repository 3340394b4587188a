"""Files of messages: downloads with the bot's token, from Slack's hosts only, and uploads."""

from __future__ import annotations

from urllib.parse import urljoin

import aiohttp
import structlog
from cachetools import FIFOCache

from bindings.delivery.outlet import Refused, Upload
from bindings.files import CHUNK_BYTES, read_limited, too_large_error
from bindings.incoming import AttachedFile, Place
from bindings.slack.api import SlackApi
from bindings.slack.attached_files import FILE_ID_PREFIX
from bindings.slack.payloads import get_object, get_text
from bindings.slack.refusals import APPS, SlackRefused, build_refusal

log = structlog.get_logger()

SENDER = "Slack"
REDIRECTS_LIMIT = 3
UPLOADS_KEPT = 200
NO_UPLOADS = frozenset({"missing_scope", "file_uploads_disabled", "restricted_action", "storage_limit_reached"})


class SlackFiles:
    def __init__(self, api: SlackApi) -> None:
        self._api = api
        self._file_ids: FIFOCache[str, str] = FIFOCache(UPLOADS_KEPT)  # by nonce, for retries of an upload

    # ------------------------------------------------------------ downloads

    async def fetch(self, file: AttachedFile, limit_bytes: int) -> bytes:
        """Raises DeliveryError: Refused if the file is too large, not on Slack's hosts, or not readable by the bot."""
        if file.size_bytes is not None and file.size_bytes > limit_bytes:
            raise too_large_error(SENDER, limit_bytes)
        url = await self._download_url(file)
        headers = {"Authorization": f"Bearer {self._api.token}"}
        for _ in range(REDIRECTS_LIMIT):
            async with self._api.request("GET", url, "a file", headers=headers) as response:
                if response.status not in (301, 302, 303, 307, 308):
                    check_download(response, file)
                    return await read_limited(response.content.iter_chunked(CHUNK_BYTES), limit_bytes, SENDER)
                url = urljoin(url, response.headers.get("Location", ""))
        raise Refused(f"Slack redirected a file {REDIRECTS_LIMIT} times, which is the limit")

    async def _download_url(self, file: AttachedFile) -> str:
        if not file.url.startswith(FILE_ID_PREFIX):
            return file.url
        answer = await self._api.read("files.info", file=file.url.removeprefix(FILE_ID_PREFIX))
        return get_text(get_object(answer, "file"), "url_private")

    # ------------------------------------------------------------ uploads

    async def send(self, upload: Upload, place: Place, nonce: str) -> bool:
        """Uploads and shares a file, once for each nonce. False: the workspace accepts no files from the bot."""
        try:
            file = self._file_ids.get(nonce)
            if file is None:
                file = await self._upload(upload, nonce)
            elif await self._is_shared(file):
                return True
            await self._share(file, upload.name, place)
        except SlackRefused as error:
            if error.reason not in NO_UPLOADS:
                raise
            log.info("slack_upload_refused", reason=error.reason)
            return False
        return True

    async def _upload(self, upload: Upload, nonce: str) -> str:
        name = name_with_nonce(upload.name, nonce)
        ticket = await self._api.read("files.getUploadURLExternal", filename=name, length=len(upload.body))
        options = {"data": upload.body, "headers": {"Content-Type": "application/octet-stream"}}
        async with self._api.request("POST", str(ticket["upload_url"]), "an upload", **options) as response:
            check_status(response, "an upload")
        self._file_ids[nonce] = str(ticket["file_id"])
        return self._file_ids[nonce]

    async def _share(self, file: str, name: str, place: Place) -> None:
        await self._api.write(
            "files.completeUploadExternal",
            files=[{"id": file, "title": name}],
            channel_id=place.channel,
            thread_ts=place.thread,
        )

    async def _is_shared(self, file: str) -> bool:
        answer = await self._api.read("files.info", file=file)
        return bool(get_object(get_object(answer, "file"), "shares"))


def name_with_nonce(name: str, nonce: str) -> str:
    """The stored name of an upload. The nonce identifies an upload whose outcome is unknown."""
    stem, dot, ending = name.rpartition(".")
    return f"{stem}.{nonce}.{ending}" if dot else f"{name}.{nonce}"


def parse_nonce(name: str) -> str:
    """The nonce in a name from `name_with_nonce`, or ""."""
    parts = name.split(".")
    return next((part for part in reversed(parts[1:]) if part.endswith("-file")), "")


def check_download(response: aiohttp.ClientResponse, file: AttachedFile) -> None:
    """Raises Refused. Without the scope for files, Slack answers with its sign-in page and no error."""
    check_status(response, "a file")
    if response.content_type == "text/html" and "html" not in file.media_type:
        raise build_refusal("a file", "missing_scope", "files:read")


def check_status(response: aiohttp.ClientResponse, purpose: str) -> None:
    if response.status != 200:
        advice = f"the bot token may lack files:read or files:write: see OAuth & Permissions at {APPS}"
        raise Refused(f"Slack refused {purpose}: status {response.status}; {advice}")
