"""/conversations: the list of the owner's conversations, changes and deletions, and ratings of answers.

`web.visitor` finds the owner. A conversation of another owner looks like one that does not exist. Without an owner,
the id gives access to a conversation that has none, as on /gpt-socket.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from core import strict_json
from core.contract import ConversationSummary, Json, Rating
from core.conversation.sessions import require_issued_id
from core.errors import ParameterRefused, SessionUnknown
from web import request_body
from web.running_answers import RUNNING_ANSWERS
from web.service import SERVICE
from web.socket_frames import encode_turn
from web.visitor import find_owner, find_person, renew_cookie

SEARCH_LIMIT_CHARS = 200
TITLE_LIMIT_CHARS = 200
COMMENT_LIMIT_CHARS = 2000


class ChangeRequest(BaseModel):
    """The fields that are absent stay as they are."""

    model_config = ConfigDict(strict=True, extra="forbid")

    title: str | None = Field(default=None, max_length=TITLE_LIMIT_CHARS)
    pinned: bool | None = None


class RatingRequest(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    exchange: int = Field(ge=1, le=2**31 - 1)
    verdict: Literal["good", "bad"]
    comment: str = Field(default="", max_length=COMMENT_LIMIT_CHARS)


class ConversationEndpoints:
    """`kept`: how long the service keeps a conversation after its last message."""

    def __init__(self, kept: timedelta) -> None:
        self._kept = kept

    async def list(self, request: web.Request) -> web.Response:
        """GET /conversations?search=words. Gives a browser its cookie."""
        search, owner, person = parse_search(request), find_owner(request), find_person(request)
        found = await request.app[SERVICE].engine.conversations(owner, search) if owner else ()
        response = send_json(
            {
                "signed_in": person is not None,
                "retention_days": self._kept.days,
                "conversations": [encode_summary(each) for each in found],
            }
        )
        if person is None:
            renew_cookie(request, response, self._kept)
        return response

    async def show(self, request: web.Request) -> web.Response:
        """GET /conversations/<id>."""
        engine = request.app[SERVICE].engine
        summary, turns = await engine.conversation(named_id(request), require_owner(request))
        return send_json({**encode_summary(summary), "turns": [encode_turn(turn) for turn in turns]})

    async def change(self, request: web.Request) -> web.Response:
        """PATCH /conversations/<id>."""
        conversation, owner = named_id(request), require_owner(request)
        fields = await request_body.read_json(request, ChangeRequest)
        engine = request.app[SERVICE].engine
        return send_json(
            encode_summary(await engine.change_conversation(conversation, owner, fields.title, fields.pinned))
        )

    async def delete(self, request: web.Request) -> web.Response:
        """DELETE /conversations/<id>."""
        conversation, owner = named_id(request), find_owner(request)
        if owner:
            await request.app[RUNNING_ANSWERS].end(owner, conversation)
        await request.app[SERVICE].engine.forget(conversation, owner)
        return web.Response(status=204)

    async def delete_all(self, request: web.Request) -> web.Response:
        """DELETE /conversations."""
        owner = find_owner(request)
        if owner is None:
            return send_json({"deleted": 0})
        await request.app[RUNNING_ANSWERS].end(owner)
        return send_json({"deleted": await request.app[SERVICE].engine.forget_all(owner)})

    async def rate(self, request: web.Request) -> web.Response:
        """POST /conversations/<id>/ratings."""
        conversation = named_id(request)
        fields = await request_body.read_json(request, RatingRequest)
        rating = Rating(conversation, fields.exchange, fields.verdict, fields.comment)
        await request.app[SERVICE].engine.rate(rating, find_owner(request))
        return web.Response(status=204)


def parse_search(request: web.Request) -> str:
    search = request_body.parse_form_field(request.raw_path.partition("?")[2], "search")
    if len(search) > SEARCH_LIMIT_CHARS:
        raise ParameterRefused(f"`search` may have at most {SEARCH_LIMIT_CHARS} characters", "search")
    return search


def named_id(request: web.Request) -> str:
    """The id in the path. Raises SessionUnknown for a chat platform's, which can be guessed."""
    return require_issued_id(request.match_info["conversation"])


def require_owner(request: web.Request) -> str:
    """Raises SessionUnknown: who has no owner has no list of conversations either."""
    if (owner := find_owner(request)) is None:
        raise SessionUnknown("no such conversation; it may have expired or been deleted")
    return owner


def encode_summary(summary: ConversationSummary) -> dict[str, Json]:
    return {
        "id": summary.id,
        "personality": summary.personality,
        "title": summary.title,
        "used_at": summary.used_at.isoformat(),
        "pinned": summary.pinned,
    }


def send_json(value: Json) -> web.Response:
    return web.Response(body=strict_json.dump(value), content_type="application/json")
