"""Fetches what people attached, from where Discord keeps it and from nowhere else."""

from __future__ import annotations

import aiohttp
from yarl import URL

from bindings.delivery.outlet import Gone, Refused, Throttled, Unreachable
from bindings.files import CHUNK_BYTES, read_limited, too_large_error
from bindings.incoming import AttachedFile

CDN = ("cdn.discordapp.com", "media.discordapp.net")
FETCH_S = 30.0
WHO = "Discord"
WAIT_S = 5.0


class Files:
    """`api_base_url`: an operator's proxy, whose host may hand out files too."""

    def __init__(self, api_base_url: str | None) -> None:
        self._proxy = URL(api_base_url).origin() if api_base_url else None
        self._session: aiohttp.ClientSession | None = None

    async def fetch(self, file: AttachedFile, limit_bytes: int) -> bytes:
        """As `Platform.fetch`."""
        url = self._checked(file.url)
        if file.size_bytes is not None and file.size_bytes > limit_bytes:
            raise too_large_error(WHO, limit_bytes)
        try:
            async with self._get(url) as response:
                check(response)
                return await read_limited(response.content.iter_chunked(CHUNK_BYTES), limit_bytes, WHO)
        except (aiohttp.ClientError, OSError, TimeoutError) as exc:
            raise Unreachable(f"Discord's files cannot be reached: {type(exc).__name__}") from exc

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _checked(self, address: str) -> URL:
        try:
            url = URL(address)
            known = url.origin() == self._proxy or (url.scheme == "https" and url.host in CDN and url.port == 443)
        except ValueError:
            known = False
        if not known:
            raise Refused("a file that is said to be attached is not kept by Discord")
        return url

    def _get(self, url: URL) -> aiohttp.client._RequestContextManager:
        if self._session is None:
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False)
        return self._session.get(
            url,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=FETCH_S),
            headers={"Accept-Encoding": "identity"},  # what is counted is then what comes
        )


def check(response: aiohttp.ClientResponse) -> None:
    if response.status == 429:
        raise Throttled("Discord limits how often files are fetched", retry_after_s=WAIT_S)
    if response.status >= 500:
        raise Unreachable(f"Discord's files answered {response.status}")
    if response.status in (403, 404, 410):
        raise Gone(f"a file is no longer kept by Discord ({response.status})")
    if response.status != 200 or response.headers.get("Content-Encoding", "identity") != "identity":
        raise Refused(f"Discord did not hand over a file ({response.status})")
