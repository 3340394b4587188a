"""What only the person who gave a command sees, by the response URL that came with it. It has no edits to speak of.

Slack takes five calls in half an hour, so only what is final is sent.
https://docs.slack.dev/interactivity/handling-user-interaction/#message_responses
"""

from __future__ import annotations

from urllib.parse import urlsplit

import aiohttp

from bindings.delivery.outlet import Gone, Page, PageLimits, Refused, Throttled, Unreachable, Upload
from bindings.slack.api import Api, retry_after_s
from bindings.slack.formatting import PAGE_CHARS, blocks, length, preview

REF = "aside"


class AsideOutlet:
    ai_label = False

    def __init__(self, api: Api, url: str) -> None:
        self._api = api
        self._url = url
        self.limits = PageLimits(PAGE_CHARS, 0.0)

    def length(self, page: Page) -> int:
        return length(page)

    async def post(self, page: Page, nonce: str) -> str:
        if page.final:
            await self._send(page)
        return REF

    async def edit(self, ref: str, page: Page) -> None:
        if page.final:
            await self._send(page)

    async def find(self, nonce: str) -> str | None:
        return None

    async def delete(self, ref: str) -> None:
        """Nothing was shown yet, or it is the person's own to dismiss."""

    async def upload(self, upload: Upload, nonce: str) -> bool:
        return False

    async def _send(self, page: Page) -> None:
        message = {"response_type": "ephemeral", "text": preview(page), "blocks": blocks(page)}
        self._check()
        try:
            async with self._api.session.post(self._url, json=message, allow_redirects=False) as response:
                status, wait_s = response.status, retry_after_s(response.headers)
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise Unreachable(f"Slack cannot be reached (a response URL: {type(exc).__name__})") from exc
        if status == 429:
            raise Throttled("Slack asks to slow down (a response URL)", retry_after_s=wait_s)
        if status >= 500:
            raise Unreachable(f"Slack failed (a response URL: status {status})")
        if status != 200:
            raise Gone(f"the response URL is used up (status {status})")

    def _check(self) -> None:
        """It came in a signed message, but was written down since: still only to Slack."""
        parts, base = urlsplit(self._url), urlsplit(self._api.web.base_url)
        same = (parts.scheme, parts.netloc) == (base.scheme, base.netloc)
        if not same and not (parts.scheme == "https" and f".{parts.hostname}".endswith(f".{base.hostname}")):
            raise Refused("the response URL is not Slack's")
