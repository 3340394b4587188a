"""An answer in Discord: pages as messages of 2,000 characters, edited while they are written. See `Outlet`."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable

import discord

from bindings.delivery.outlet import Gone, Page, PageLimits, Refused, Upload
from bindings.discord.calls import Body
from bindings.discord.destinations import Destination
from bindings.discord.formatting import length
from bindings.discord.rendering import NOBODY, PAGE_CHARS, SUPPRESS_EMBEDS, buttons, content, message, nonce_of

# Five edits in five seconds for all answers in one channel; a little slower leaves room for the posts.
LIMITS = PageLimits(page_chars=PAGE_CHARS, edit_interval_s=1.1, first_words_s=0.4)
UPLOAD_BYTES = 10 * 1024 * 1024  # of a server that nobody boosted


class DiscordOutlet:
    """`posted` is told when the first message stands there."""

    limits = LIMITS
    ai_label = False

    def __init__(self, destination: Destination, posted: Callable[[], None]) -> None:
        self._destination = destination
        self._posted = posted

    def length(self, page: Page) -> int:
        return length(content(page))

    async def post(self, page: Page, nonce: str) -> str:
        body = {**message(page), "components": buttons(page, nonce)}
        try:
            made = await self._destination.create(body, short(nonce))
        finally:
            self._posted()
        if differs(made, body):  # the nonce was known: this is the message of an earlier try
            await self._destination.change(made["id"], body)
        return str(made["id"])

    async def edit(self, ref: str, page: Page) -> None:
        body = message(page)
        if page.final:  # until then, the button that stops it stays as it was posted
            body["components"] = buttons(page)
        await self._destination.change(ref, body)
        self._posted()

    async def find(self, nonce: str) -> str | None:
        """By its buttons, which a page has while it is written and the last one always; else by its place."""
        ours = await self._destination.ours()
        number = nonce.rpartition("-")[2]
        alike = [each for each in ours if bool(each.get("attachments")) != number.isdecimal()]
        for each in alike:
            if nonce == nonce_of(each):
                return str(each["id"])
        index = int(number) - 1 if number.isdecimal() else 0
        known = 0 <= index < len(alike) and nonce_of(alike[index]) is None
        return str(alike[index]["id"]) if known else None

    async def delete(self, ref: str) -> None:
        try:
            await self._destination.remove(ref)
        except Gone:
            return

    async def upload(self, upload: Upload, nonce: str) -> bool:
        if len(upload.body) > UPLOAD_BYTES:
            return False
        file = discord.File(io.BytesIO(upload.body), upload.name)
        body: Body = {"allowed_mentions": NOBODY, "flags": SUPPRESS_EMBEDS}
        try:
            await self._destination.create(body, short(nonce), file)
        except Refused:  # most often, the right to attach files is missing
            return False
        return True


def short(nonce: str) -> str:
    """Discord's limit is 25 characters."""
    return hashlib.blake2s(nonce.encode(), digest_size=12).hexdigest()


def differs(made: Body, body: Body) -> bool:
    """Discord trims white space."""
    return str(made.get("content", "")).split() != str(body["content"]).split()
