"""Downloads attached files, only from Discord's own hosts."""

from __future__ import annotations

import aiohttp
from yarl import URL

from bindings.delivery.outlet import Gone, Refused, Throttled, Unreachable
from bindings.files import CHUNK_BYTES, read_limited, too_large_error
from bindings.incoming import AttachedFile

FILE_HOSTS = ("cdn.discordapp.com", "media.discordapp.net")
DOWNLOAD_S = 30.0
RETRY_AFTER_S = 5.0


class DiscordFiles:
    """`api_base_url` is an operator's proxy, whose host may serve files too."""

    def __init__(self, api_base_url: str | None) -> None:
        self._proxy = URL(api_base_url).origin() if api_base_url else None
        self._session: aiohttp.ClientSession | None = None

    async def fetch(self, file: AttachedFile, limit_bytes: int) -> bytes:
        """See `Platform.fetch`."""
        url = self._parse_url(file.url)
        if file.size_bytes is not None and file.size_bytes > limit_bytes:
            raise too_large_error("Discord", limit_bytes)
        try:
            async with self._get(url) as response:
                check_download(response)
                return await read_limited(response.content.iter_chunked(CHUNK_BYTES), limit_bytes, "Discord")
        except (aiohttp.ClientError, OSError, TimeoutError) as exc:
            raise Unreachable(f"Discord's files cannot be reached: {type(exc).__name__}") from exc

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _parse_url(self, address: str) -> URL:
        """Raises Refused for other hosts: a message must not make the bot open an address of its author's choice."""
        try:
            url = URL(address)
            is_allowed = url.origin() == self._proxy or (
                url.scheme == "https" and url.host in FILE_HOSTS and url.port == 443
            )
        except ValueError:
            is_allowed = False
        if not is_allowed:
            raise Refused("an attached file has an address that does not belong to Discord")
        return url

    def _get(self, url: URL) -> aiohttp.client._RequestContextManager:
        if self._session is None:
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False)
        return self._session.get(
            url,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=DOWNLOAD_S),
            headers={"Accept-Encoding": "identity"},  # so that the size limit counts the file's own bytes
        )


def check_download(response: aiohttp.ClientResponse) -> None:
    if response.status == 429:
        raise Throttled("Discord limits the rate of downloads", retry_after_s=RETRY_AFTER_S)
    if response.status >= 500:
        raise Unreachable(f"Discord's file server answered {response.status}")
    if response.status in (403, 404, 410):
        raise Gone(f"Discord no longer has the file ({response.status})")
    if response.status != 200 or response.headers.get("Content-Encoding", "identity") != "identity":
        raise Refused(f"Discord did not send the file ({response.status})")
