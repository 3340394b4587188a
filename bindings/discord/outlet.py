"""One answer in Discord: pages as messages of 2,000 characters, edited while the answer is written. See `Outlet`."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable

import discord

from bindings.delivery.outlet import Gone, Outlet, Page, PageLimits, Refused, Upload
from bindings.discord import rendering
from bindings.discord.api import MessageBody
from bindings.discord.destinations import Destination
from bindings.discord.formatting import utf16_length

# Discord allows five edits in five seconds for all answers in one channel; the rest leaves room for posts.
EDIT_INTERVAL_S = 1.1  # Discord allows about 5 edits in 5 s in a channel
LIMITS = PageLimits(page_chars=rendering.PAGE_CHARS, edit_interval_s=EDIT_INTERVAL_S, first_words_s=0.4)
UPLOAD_LIMIT_BYTES = 10 * 1024 * 1024  # of a server without boosts


class DiscordOutlet(Outlet):
    """Calls `on_post` after the first post or an edit."""

    limits = LIMITS
    ai_label = False

    def __init__(self, destination: Destination, on_post: Callable[[], None]) -> None:
        self._destination = destination
        self._on_post = on_post

    def length(self, page: Page) -> int:
        return utf16_length(rendering.render_page(page))

    async def post(self, page: Page, nonce: str) -> str:
        body = {**rendering.build_message(page), "components": rendering.build_buttons(page, nonce)}
        try:
            message = await self._destination.create(body, shorten_nonce(nonce))
        finally:
            self._on_post()
        if differs(message, body):  # Discord knew the nonce and returned the message of an earlier attempt
            await self._destination.edit(message["id"], body)
        return str(message["id"])

    async def edit(self, ref: str, page: Page) -> None:
        body = rendering.build_message(page)
        if page.final:  # until then, the stop button stays as posted
            body["components"] = rendering.build_buttons(page)
        await self._destination.edit(ref, body)
        self._on_post()

    async def find(self, nonce: str) -> str | None:
        """Finds a post by its buttons, which an unfinished page and the last one have; else by its position."""
        number = nonce.rpartition("-")[2]
        own = await self._destination.list_own()
        candidates = [each for each in own if bool(each.get("attachments")) != number.isdecimal()]
        for each in candidates:
            if nonce == rendering.parse_nonce(each):
                return str(each["id"])
        index = int(number) - 1 if number.isdecimal() else 0
        found = 0 <= index < len(candidates) and rendering.parse_nonce(candidates[index]) is None
        return str(candidates[index]["id"]) if found else None

    async def delete(self, ref: str) -> None:
        try:
            await self._destination.delete(ref)
        except Gone:
            return

    async def upload(self, upload: Upload, nonce: str) -> bool:
        if len(upload.body) > UPLOAD_LIMIT_BYTES:
            return False
        file = discord.File(io.BytesIO(upload.body), upload.name)
        body: MessageBody = {"allowed_mentions": rendering.NO_MENTIONS, "flags": rendering.SUPPRESS_EMBEDS}
        try:
            await self._destination.create(body, shorten_nonce(nonce), file)
        except Refused:  # usually, the permission to attach files is missing
            return False
        return True


def shorten_nonce(nonce: str) -> str:
    """Discord's limit is 25 characters."""
    return hashlib.blake2s(nonce.encode(), digest_size=12).hexdigest()


def differs(message: MessageBody, body: MessageBody) -> bool:
    """Ignores white space, which Discord trims."""
    return str(message.get("content", "")).split() != str(body["content"]).split()
