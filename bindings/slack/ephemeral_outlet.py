"""Answers to a slash command that only their author sees. They never become public by themselves.

The response URL takes five messages within 30 minutes. After that chat.postEphemeral shows them to a person who is in
the channel; else they are a direct message. An ephemeral message cannot be edited, so only final pages are sent.

https://docs.slack.dev/interactivity/handling-user-interaction/#message_responses
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping
from copy import copy
from typing import Any

import aiohttp

from bindings.delivery.outlet import DeliveryError, Outlet, Page, PageLimits, Upload
from bindings.incoming import Place
from bindings.slack.api import NO_PINGS, SlackApi
from bindings.slack.formatting import (
    PAGE_CHARS,
    TEXT_ONLY_BYTES,
    BlockKitBlock,
    build_blocks,
    page_bytes,
    page_length,
    page_text,
)
from bindings.slack.outlet import DirectOutlet
from bindings.slack.refusals import CONTENT, SlackErrorResponse, build_refusal
from bindings.slack.services import SlackServices
from bindings.slack.sharing import build_share_block

EPHEMERAL_REF = "aside"  # stands in for a message id; deliveries in databases contain it
POSTED_FORM = "posted"


class EphemeralOutlet(Outlet):
    """Sends final pages to one person, with blocks or as text."""

    ai_label = False
    can_find = False

    def __init__(self, services: SlackServices, place: Place, question: str) -> None:
        self._services = services
        self._place = place
        self._question = question
        self._text_only = False
        self._sent: list[Page] = []
        self.limits = PageLimits(PAGE_CHARS, 0.0)

    def length(self, page: Page) -> int:
        return page_bytes(page) if self._text_only else page_length(page)

    async def post(self, page: Page, nonce: str) -> str:
        await self.edit(EPHEMERAL_REF, page)
        return EPHEMERAL_REF

    async def edit(self, ref: str, page: Page) -> None:
        if page.final:
            blocks = {} if self._text_only else {"blocks": self._build_blocks(page)}
            await self._send({"text": page_text(page), **blocks})
            self._sent.append(page)

    def _build_blocks(self, page: Page) -> list[BlockKitBlock]:
        """The last page has the button that shows everyone the answer. No message could hold another version of it."""
        blocks = [each for each in build_blocks(page) if each["type"] != "actions"]
        return [*blocks, *build_share_block(self._question, [*self._sent, page])] if page.closing else blocks

    @abstractmethod
    async def _send(self, message: Mapping[str, Any]) -> None: ...

    async def find(self, nonce: str) -> str | None:
        return None

    async def delete(self, ref: str) -> None:
        """Deletes nothing: no page was sent yet, or the author can dismiss it."""

    async def upload(self, upload: Upload, nonce: str) -> bool:
        return False

    def plainer(self, error: DeliveryError) -> Outlet | None:
        """Text in the same way, then the next way to reach the author."""
        is_content = isinstance(error, SlackErrorResponse) and error.reason in CONTENT
        if self._text_only or not is_content:
            return self._next_way()
        outlet = copy(self)
        outlet._text_only, outlet._sent, outlet.limits = True, [], PageLimits(TEXT_ONLY_BYTES, 0.0)
        return outlet

    @abstractmethod
    def _next_way(self) -> Outlet: ...


class ResponseUrlOutlet(EphemeralOutlet):
    def __init__(self, services: SlackServices, place: Place, question: str, url: str) -> None:
        super().__init__(services, place, question)
        self._url = url

    async def _send(self, message: Mapping[str, Any]) -> None:
        await send_response(self._services.api, self._url, {"response_type": "ephemeral", **message})

    def _next_way(self) -> Outlet:
        return self.in_form(POSTED_FORM)

    def in_form(self, form: str) -> Outlet:
        later = PostedEphemeralOutlet(self._services, self._place, self._question)
        return later.in_form(form) if form else self


class PostedEphemeralOutlet(EphemeralOutlet):
    form = POSTED_FORM

    async def _send(self, message: Mapping[str, Any]) -> None:
        user = self._place.route.get("user")
        where = {"channel": self._place.channel, "user": user}
        await self._services.api.write("chat.postEphemeral", **where, **message, **NO_PINGS)

    def _next_way(self) -> Outlet:
        return DirectOutlet(self._services, self._place, self._question)

    def in_form(self, form: str) -> Outlet:
        return self if form == POSTED_FORM else self._next_way()


async def send_response(api: SlackApi, url: str, message: Mapping[str, Any]) -> None:
    """Posts to a response URL. Raises DeliveryError; SlackErrorResponse for one that is expired or used up."""
    async with api.request("POST", url, "a response URL", json=message) as response:
        if reason := await find_reason(response):
            raise build_refusal("response_url", reason)


async def find_reason(response: aiohttp.ClientResponse) -> str:
    """Slack's error code. "": accepted."""
    try:
        answer = json.loads(await response.text())
    except ValueError:
        answer = None
    if isinstance(answer, dict) and answer.get("ok") is False:
        return str(answer.get("error") or f"status {response.status}")
    return "" if response.status == 200 else f"status {response.status}"
