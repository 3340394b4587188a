"""Decides what an answer can still become after Discord refused a call for good. Pure.

Codes: https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import discord

from bindings.delivery.outlet import DeliveryError

Remedy = Literal["unlink", "channel", "plain", "repost", "direct"]
"""
- unlink   the same messages, without a reply to the question
- channel  the same messages, reached through the channel in place of the command's token
- plain    the same messages, without buttons and flags
- repost   new messages in the same place, without buttons and flags
- direct   direct messages to the asker
"""
DirectReason = Literal["permission", "filter", "gone", "other"]  # what the asker is told there

UNKNOWN_CHANNEL, UNKNOWN_GUILD, UNKNOWN_MESSAGE, UNKNOWN_WEBHOOK, UNKNOWN_INTERACTION = (
    10003,
    10004,
    10008,
    10015,
    10062,
)
OLD_EDITS = 30046  # too many edits of a message that is older than an hour
MISSING_ACCESS, FOREIGN_MESSAGE, MISSING_PERMISSIONS = 50001, 50005, 50013
INVALID_TOKEN, INVALID_FORM, ARCHIVED = 50027, 50035, 50083
NO_HISTORY, LOCKED = 160002, 160005
FILTERED = (200000, 200001, 240000)  # by the server's automatic moderation, or as a harmful link
DEAD_TOKEN = (UNKNOWN_WEBHOOK, UNKNOWN_INTERACTION, INVALID_TOKEN)
BUSY = (20028, 20029, 40003, 40062, 130000)  # rate limits and overloads, with whatever status
NO_PLACE = (UNKNOWN_CHANNEL, UNKNOWN_GUILD, ARCHIVED, LOCKED)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The error of Discord. Zeros: the error did not come from Discord."""

    status: int = 0
    code: int = 0
    text: str = ""  # Discord's own, which names the fields of a form
    method: str = ""


def parse_refusal(error: DeliveryError) -> Refusal:
    cause = error.__cause__
    if not isinstance(cause, discord.HTTPException):
        return Refusal()
    method = getattr(cause.response, "method", "")
    return Refusal(cause.status, cause.code, cause.text, method)


def find_remedies(refusal: Refusal) -> tuple[Remedy, ...]:
    """The remedies in the order in which they are tried. (): people ended this answer."""
    code = refusal.code
    if code == UNKNOWN_MESSAGE and refusal.method != "POST":
        return ()  # somebody deleted the answer
    if code in (NO_HISTORY, UNKNOWN_MESSAGE) or (code == INVALID_FORM and "message_reference" in refusal.text):
        return ("unlink", "repost", "direct")
    if code in DEAD_TOKEN:
        return ("channel", "direct")
    if code in (OLD_EDITS, FOREIGN_MESSAGE, ARCHIVED):  # a new message reopens an archived thread
        return ("repost", "direct")
    if code in FILTERED or code in NO_PLACE or refusal.status in (403, 404):
        return ("direct",)
    return ("plain", "repost", "direct")


def find_reason(refusal: Refusal) -> DirectReason:
    if refusal.code in FILTERED:
        return "filter"
    if refusal.code in (*NO_PLACE, *DEAD_TOKEN) or refusal.status == 404:
        return "gone"
    return "permission" if refusal.status == 403 or refusal.code == NO_HISTORY else "other"
