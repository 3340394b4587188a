"""Calls to Discord, and what it means for a delivery when one fails.

Codes: https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import aiohttp
import discord
from discord.http import HTTPClient, MultipartParameters, Route

from bindings.delivery.outlet import DeliveryError, Gone, Refused, Throttled, Unreachable
from bindings.metrics import BotMetrics

Body = dict[str, Any]
Doing = Literal["post", "edit", "delete", "read", "upload", "answer"]

PERMISSIONS: Mapping[Doing, str] = {
    "post": '"View Channel", "Send Messages", "Send Messages in Threads" and "Read Message History"',
    "edit": '"View Channel"',
    "delete": '"View Channel"',
    "read": '"View Channel" and "Read Message History"',
    "upload": '"Attach Files"',
    "answer": '"Use Application Commands"',
}
CANNOT_DM = 50007  # the person takes no messages from us
ARCHIVED = 50083  # a thread that was closed under way
OLD_EDITS = 30046  # too many edits of a message that is older than an hour
TOO_LARGE = 40005
NO_HISTORY = 160002  # one cannot reply without reading
OLD_EDITS_WAIT_S = 60.0


class Calls:
    """`http`: of the client that is logged in now. Without `metrics`, somebody else counts."""

    def __init__(self, http: Callable[[], HTTPClient], metrics: BotMetrics | None = None) -> None:
        self._http = http
        self._metrics = metrics

    async def ask(self, doing: Doing, method: str, path: str, ids: Mapping[str, str], **content: Any) -> Any:
        """`path` has names of `ids` in braces. Raises DeliveryError."""
        route = Route(method, path, **ids)
        try:
            answer = await self._http().request(route, **content)
        except Exception as exc:
            failure = failure_of(exc, doing, ids)
            self._count(type(failure).__name__.lower())
            raise failure from exc
        self._count("ok")
        return answer

    async def message(self, doing: Doing, method: str, path: str, ids: Mapping[str, str], **content: Any) -> Body:
        """As `ask`, for what answers with an object that has an id."""
        answer = await self.ask(doing, method, path, ids, **content)
        if not isinstance(answer, dict) or "id" not in answer:
            raise Unreachable(f"Discord's API answered a {doing} with something else than a message")
        return answer

    def _count(self, outcome: str) -> None:
        if self._metrics is not None:
            self._metrics.calls.labels(outcome).inc()


def content_of(body: Body, file: discord.File | None = None) -> dict[str, Any]:
    """As `HTTPClient.request` takes it."""
    if file is None:
        return {"json": body}
    params: MultipartParameters = discord.http.handle_message_parameters(file=file)
    head, *parts = params.multipart or []
    described = {**discord.utils._from_json(head["value"]), **body}
    return {"form": [{**head, "value": discord.utils._to_json(described)}, *parts], "files": [file]}


def failure_of(exc: Exception, doing: Doing, ids: Mapping[str, str]) -> DeliveryError:
    """Raises what is none of Discord's failures but a mistake of ours."""
    where = f"channel {ids['channel_id']}" if "channel_id" in ids else "an interaction"
    match exc:
        case discord.RateLimited():
            return Throttled(f"Discord limits how often we {doing}", retry_after_s=exc.retry_after)
        case discord.HTTPException():
            return of_status(exc, doing, where)
        case aiohttp.ClientError() | OSError() | TimeoutError():
            return Unreachable(f"Discord's API cannot be reached: {type(exc).__name__}")
        case ValueError():
            return Unreachable("Discord's API answered with something that is not JSON")
    raise exc


def of_status(exc: discord.HTTPException, doing: Doing, where: str) -> DeliveryError:
    said = f"Discord refused to {doing} in {where} ({exc.status}, code {exc.code})"
    if exc.status == 429 or exc.code == OLD_EDITS:
        return Throttled(said, retry_after_s=OLD_EDITS_WAIT_S)
    if exc.status >= 500:
        return Unreachable(f"Discord's API answered {exc.status}")
    if exc.status == 404 or exc.code in (CANNOT_DM, ARCHIVED):
        return Gone(f"{said}: it is no more, or not for us")
    if exc.status == 403 or exc.code == NO_HISTORY:
        return Refused(f"{said}: give the bot's role {PERMISSIONS[doing]} there (channel settings, Permissions)")
    if exc.status == 401:
        return Refused(f"{said}: the bot's token is no longer valid; set DISCORD_BOT_TOKEN to a new one")
    return Refused(said)
