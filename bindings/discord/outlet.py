"""One answer in Discord: pages as messages of 2,000 characters, edited while the answer is written. See `Outlet`.

Its forms, from the richest to the plainest: a reply with buttons (""), new messages without them ("plain"), direct
messages to the asker (DIRECT). `bindings.discord.refusals` decides which of them Discord still allows.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

import discord

from bindings.delivery.outlet import (
    DIRECT,
    DeliveryError,
    Gone,
    OutcomeUnknown,
    Outlet,
    Page,
    PageLimits,
    Refused,
    Upload,
)
from bindings.discord import rendering
from bindings.discord.api import MessageBody
from bindings.discord.command_reply import CommandReply
from bindings.discord.destinations import ChannelDestination, Destination
from bindings.discord.formatting import utf16_length
from bindings.discord.refusals import DirectReason, Remedy, find_reason, find_remedies, parse_refusal
from core.contract import Language

# Discord allows five edits in five seconds for all answers in one channel; the rest leaves room for posts.
EDIT_INTERVAL_S = 1.1  # Discord allows about 5 edits in 5 s in a channel
LIMITS = PageLimits(page_chars=rendering.PAGE_CHARS, edit_interval_s=EDIT_INTERVAL_S, first_words_s=0.4)
UPLOAD_LIMIT_BYTES = 10 * 1024 * 1024  # of a server without boosts
PLAIN = "plain"  # the form of new messages without buttons


@dataclass(frozen=True, slots=True)
class AnswerPlaces:
    """The places where one answer may go. `direct` is None if its place is a direct message already."""

    reply: Destination
    direct: Destination | None = None
    asked_in: str = ""  # the id of the channel, which a direct message names
    language: Language = "en"
    is_private: bool = False  # only the asker sees the reply


class DiscordOutlet(Outlet):
    """Calls `on_post` after the first post or an edit."""

    limits = LIMITS
    ai_label = False

    def __init__(
        self,
        places: AnswerPlaces,
        on_post: Callable[[], None],
        *,
        form: str = "",
        is_plain: bool = False,
        reason: DirectReason = "other",
    ) -> None:
        self._places = places
        self._on_post = on_post
        self._destination = places.direct if form == DIRECT and places.direct else places.reply
        self._is_plain = is_plain
        self._reason = reason
        self.form = form
        # Other forms are posted once they are whole, because an edit may be what Discord refuses.
        self.can_edit = form == "" or (form == PLAIN and isinstance(places.reply, CommandReply))
        self.can_find = self._destination.is_safe_to_repeat

    def length(self, page: Page) -> int:
        return utf16_length(self._build_body(page)["content"])

    async def post(self, page: Page, nonce: str) -> str:
        body = self._build_body(page)
        if not self._is_plain:
            body["components"] = rendering.build_buttons(page, nonce, self._audience)
        try:
            if self.form == DIRECT and nonce.endswith("-1"):
                await self._explain(nonce)
            message = await self._destination.create(body, shorten_nonce(nonce))
        finally:
            self._on_post()
            self.can_find = self._destination.is_safe_to_repeat
        if differs(message, body):  # Discord knew the nonce and returned the message of an earlier attempt
            await self._destination.edit(message["id"], body)
        return str(message["id"])

    async def edit(self, ref: str, page: Page) -> None:
        body = self._build_body(page)
        if self._is_plain:
            body["components"] = []
        elif page.final:  # until then, the stop button stays as posted
            body["components"] = rendering.build_buttons(page, audience=self._audience)
        await self._destination.edit(ref, body)
        self._on_post()

    async def find(self, nonce: str) -> str | None:
        """Finds a post by its buttons, which an unfinished page and the last one have; else by its position."""
        number = nonce.rpartition("-")[2]
        own = await self._destination.list_own()
        self.can_find = self._destination.is_safe_to_repeat
        candidates = [each for each in own if bool(each.get("attachments")) != number.isdecimal()]
        for each in candidates:
            if nonce == rendering.parse_nonce(each):
                return str(each["id"])
        index = int(number) - 1 if number.isdecimal() else 0
        has_position = self.form == "" and self._destination.is_ordered and 0 <= index < len(candidates)
        found = has_position and rendering.parse_nonce(candidates[index]) is None
        return str(candidates[index]["id"]) if found else None

    async def delete(self, ref: str) -> None:
        with suppress(Gone):
            await self._destination.delete(ref)

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

    def plainer(self, error: DeliveryError) -> DiscordOutlet | None:
        """See `Outlet.plainer`. The remedies depend on what Discord said; each is taken once."""
        refusal = parse_refusal(error)
        remedies: tuple[Remedy, ...] = ("direct",) if isinstance(error, OutcomeUnknown) else find_remedies(refusal)
        for remedy in remedies:
            if outlet := self._apply(remedy, find_reason(refusal)):
                return outlet
        return None

    def in_form(self, form: str) -> DiscordOutlet:
        if form == self.form:
            return self
        if form == DIRECT and self._places.direct is None:
            form = PLAIN
        return DiscordOutlet(self._places, self._on_post, form=form, is_plain=form == PLAIN)

    def _apply(self, remedy: Remedy, reason: DirectReason) -> DiscordOutlet | None:
        """The outlet after a remedy. None: it does not apply here, or was taken already."""
        places, reply, is_direct = self._places, self._places.reply, self.form == DIRECT
        match remedy:
            case "unlink" if not is_direct and isinstance(reply, ChannelDestination) and reply.is_ordered:
                return self._changed(replace(places, reply=reply.replying_to(None)))
            case "channel" if not is_direct and isinstance(reply, CommandReply) and reply.close():
                return self._changed(places)
            case "plain" if not self._is_plain:
                return self._changed(places, is_plain=True)
            case "repost" if self.form == "":
                return self._changed(places, form=PLAIN, is_plain=True)
            case "direct" if not is_direct and places.direct is not None:
                return self._changed(places, form=DIRECT, is_plain=False, reason=reason)
        return None

    def _changed(
        self,
        places: AnswerPlaces,
        *,
        form: str | None = None,
        is_plain: bool | None = None,
        reason: DirectReason = "other",
    ) -> DiscordOutlet:
        return DiscordOutlet(
            places,
            self._on_post,
            form=self.form if form is None else form,
            is_plain=self._is_plain if is_plain is None else is_plain,
            reason=reason,
        )

    @property
    def _audience(self) -> rendering.Audience:
        if self.form == DIRECT:
            return "direct"
        return "private" if self._places.is_private else "everyone"

    def _build_body(self, page: Page) -> MessageBody:
        return rendering.build_plain_message(page) if self._is_plain else rendering.build_message(page)

    async def _explain(self, nonce: str) -> None:
        """Says in a message of its own why the answer comes as a direct message."""
        words = rendering.explain_direct(self._reason, self._places.asked_in, self._places.language)
        body = {"content": words, "allowed_mentions": rendering.NO_MENTIONS, "flags": rendering.SUPPRESS_EMBEDS}
        await self._destination.create(body, shorten_nonce(f"{nonce}-why"))


def shorten_nonce(nonce: str) -> str:
    """Discord's limit is 25 characters."""
    return hashlib.blake2s(nonce.encode(), digest_size=12).hexdigest()


def differs(message: MessageBody, body: MessageBody) -> bool:
    """Ignores white space, which Discord trims."""
    return str(message.get("content", "")).split() != str(body["content"]).split()
