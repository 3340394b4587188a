"""Files: fetched from where Teams keeps them, and put where a person agreed that they are kept.

Addresses come in messages, so only Microsoft's are called, and our token goes with none but the connector's.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urljoin

import httpx

from bindings.delivery.outlet import Gone, Refused, Upload
from bindings.teams import transport
from bindings.teams.credentials import Credentials
from bindings.teams.hosts import Hosts
from bindings.teams.transport import Answer

DEADLINE_S = 30.0
HOPS_LIMIT = 3
MOVED = frozenset({301, 302, 303, 307, 308})
WHERE = "OneDrive"


class Files:
    def __init__(self, http: httpx.AsyncClient, credentials: Credentials | None, hosts: Hosts) -> None:
        self._http = http
        self._credentials = credentials
        self._hosts = hosts

    async def fetch(self, url: str, limit_bytes: int) -> bytes:
        """Raises DeliveryError: Refused if it is larger, or not where Teams keeps files."""
        for _ in range(HOPS_LIMIT + 1):
            answer = await self._get(url, limit_bytes)
            if answer.status not in MOVED:
                break
            url = urljoin(url, answer.headers.get("Location", ""))
        raise_for(answer)
        return answer.body

    async def put(self, upload: Upload, url: str) -> None:
        """To the address that Teams told when the person agreed. Raises DeliveryError."""
        if not self._hosts.keeps_files(url):
            raise Refused(f"{transport.host_of(url)} is no place where Teams keeps files")
        size = len(upload.body)
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Range": f"bytes 0-{max(0, size - 1)}/{size}",
        }
        raise_for(await self._call("PUT", url, headers, content=upload.body))

    async def _get(self, url: str, limit_bytes: int) -> Answer:
        if self._hosts.keeps_files(url) and not self._hosts.is_connector(url):
            return await self._call("GET", url, {}, limit_bytes=limit_bytes)
        if not self._hosts.is_connector(url):
            raise Refused(f"{transport.host_of(url)} is no place where Teams keeps files")
        # Pictures in a message are at the connector, behind our token.
        token = await self._credentials.token() if self._credentials else None
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return await self._call("GET", url, headers, limit_bytes=limit_bytes)

    async def _call(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        *,
        content: bytes | None = None,
        limit_bytes: int = transport.ANSWER_LIMIT_BYTES,
    ) -> Answer:
        return await transport.call(
            self._http, method, url, headers=headers, content=content, limit_bytes=limit_bytes, deadline_s=DEADLINE_S
        )


def raise_for(answer: Answer) -> None:
    if 200 <= answer.status < 300:
        return
    transport.raise_if_passing(answer, WHERE)
    if answer.status in (404, 410):
        raise Gone(f"{WHERE} has no such file any more")
    raise Refused(f"{WHERE} answered {answer.status}")
