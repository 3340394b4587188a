"""Files of Slack: fetched with the bot's token, from Slack's own hosts and nowhere else; and sent."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import aiohttp
import structlog
from cachetools import FIFOCache

from bindings.delivery.outlet import Refused, Throttled, Unreachable, Upload
from bindings.files import CHUNK_BYTES, read_limited, too_large_error
from bindings.incoming import AttachedFile, Place
from bindings.slack.api import APPS, Api, Declined, declined, retry_after_s
from bindings.slack.mapping import fields, text

log = structlog.get_logger()

WHO = "Slack"
HOPS_LIMIT = 3
KEPT = 200
BY_ID = "slack-file:"
CANNOT = frozenset({"missing_scope", "file_uploads_disabled", "restricted_action", "storage_limit_reached"})


class Files:
    def __init__(self, api: Api) -> None:
        self._api = api
        self._sent: FIFOCache[str, str] = FIFOCache(KEPT)  # ids by nonce, of uploads that may not have been finished

    # ------------------------------------------------------------ in

    async def fetch(self, file: AttachedFile, limit_bytes: int) -> bytes:
        """Raises DeliveryError; Refused if it is larger, not Slack's, or not ours to read."""
        if file.size_bytes is not None and file.size_bytes > limit_bytes:
            raise too_large_error(WHO, limit_bytes)
        url = await self._address(file)
        try:
            return await self._get(url, file, limit_bytes)
        except (aiohttp.ClientError, TimeoutError, ValueError) as exc:
            raise Unreachable(f"the file could not be fetched from Slack ({type(exc).__name__})") from exc

    async def _address(self, file: AttachedFile) -> str:
        if not file.url.startswith(BY_ID):
            return file.url
        answer = await self._api.read("files.info", file=file.url.removeprefix(BY_ID))
        return text(fields(answer, "file"), "url_private")

    async def _get(self, url: str, file: AttachedFile, limit_bytes: int) -> bytes:
        headers = {"Authorization": f"Bearer {self._api.token}"}
        for _ in range(HOPS_LIMIT):
            self._check_host(url)
            async with self._api.session.get(url, headers=headers, allow_redirects=False) as response:
                if response.status in (301, 302, 303, 307, 308):
                    url = urljoin(url, response.headers.get("Location", ""))
                    continue
                check(response, file)
                return await read_limited(response.content.iter_chunked(CHUNK_BYTES), limit_bytes, WHO)
        raise Refused("Slack redirects the file's address in circles")

    def _check_host(self, url: str) -> None:
        """The token goes with the request, so the host must be Slack's: that of the API, or beneath its domain."""
        parts, base = urlsplit(url), urlsplit(self._api.web.base_url)
        same = (parts.scheme, parts.netloc) == (base.scheme, base.netloc)
        beneath = parts.scheme == "https" and f".{parts.hostname}".endswith(f".{base.hostname}") and not parts.port
        if not (same or beneath) or parts.username is not None:
            raise Refused("the file is not on Slack's own hosts")

    # ------------------------------------------------------------ out

    async def send(self, upload: Upload, place: Place, nonce: str) -> bool:
        """False if this workspace takes no files of the bot. The same nonce shares one file once."""
        try:
            file = self._sent.get(nonce)
            if file is None:
                file = await self._put(upload, nonce)
            elif await self._is_shared(file):
                return True
            await self._share(file, upload.name, place)
        except Declined as error:
            if error.reason not in CANNOT:
                raise
            log.info("slack_files_refused", reason=error.reason)
            return False
        return True

    async def _put(self, upload: Upload, nonce: str) -> str:
        name = named(upload.name, nonce)
        ticket = await self._api.read("files.getUploadURLExternal", filename=name, length=len(upload.body))
        await self._post(str(ticket["upload_url"]), upload)
        file = str(ticket["file_id"])
        self._sent[nonce] = file
        return file

    async def _post(self, url: str, upload: Upload) -> None:
        self._check_host(url)
        headers = {"Content-Type": "application/octet-stream"}
        try:
            async with self._api.session.post(
                url, data=upload.body, headers=headers, allow_redirects=False
            ) as response:
                check_status(response, "the upload of a file")
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise Unreachable(f"the file could not be sent to Slack ({type(exc).__name__})") from exc

    async def _share(self, file: str, name: str, place: Place) -> None:
        await self._api.write(
            "files.completeUploadExternal",
            files=[{"id": file, "title": name}],
            channel_id=place.channel,
            thread_ts=place.thread,
        )

    async def _is_shared(self, file: str) -> bool:
        answer = await self._api.read("files.info", file=file)
        return bool(fields(fields(answer, "file"), "shares"))


def named(name: str, nonce: str) -> str:
    """The name that is saved by: with the nonce, so that a file whose sending was cut can be told from others."""
    stem, dot, ending = name.rpartition(".")
    return f"{stem}.{nonce}.{ending}" if dot else f"{name}.{nonce}"


def nonce_in(name: str) -> str:
    """Of `named`; "" if there is none."""
    parts = name.split(".")
    return next((part for part in reversed(parts[1:]) if part.endswith("-file")), "")


def check(response: aiohttp.ClientResponse, file: AttachedFile) -> None:
    """Without the scope for files, Slack answers with its sign-in page instead of an error."""
    check_status(response, "a file")
    if response.content_type == "text/html" and "html" not in file.media_type:
        raise declined("a file", "missing_scope", "files:read")


def check_status(response: aiohttp.ClientResponse, what: str) -> None:
    if response.status == 429:
        raise Throttled("Slack asks to slow down (files)", retry_after_s=retry_after_s(response.headers))
    if response.status >= 500:
        raise Unreachable(f"Slack failed to serve {what}: status {response.status}")
    if response.status != 200:
        advice = f"the bot token may lack files:read or files:write: see OAuth & Permissions at {APPS}"
        raise Refused(f"Slack refused {what}: status {response.status}; {advice}")
