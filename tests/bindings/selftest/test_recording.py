"""bindings.selftest.recording: messages over their life, and the calls of the bot."""

from __future__ import annotations

from dataclasses import replace

import aiohttp
from aiohttp import web

from bindings.selftest.loopback import serve_on_loopback
from bindings.selftest.recording import Recording, VisibleMessage

SEEN = VisibleMessage("1", "Whisper", True, "#general", "")


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_a_message_is_followed_from_its_post_to_its_deletion() -> None:
    """Its final form is kept, with the times of its first words and of its end."""
    clock, visible = Clock(), [SEEN]
    recording = Recording(lambda: visible, clock, step="mention")
    recording.observe()
    clock.now_s, visible[0] = 101.0, replace(SEEN, text="A")
    recording.observe()
    clock.now_s, visible[0] = 102.0, replace(SEEN, text="A b")
    recording.observe()
    recording.step = "deletion"
    clock.now_s = 103.0
    visible.clear()
    recording.observe()
    (message,) = recording.messages.values()

    assert "A b" == message.message.text
    assert "mention" == message.step
    assert (0.0, 1.0, 2.0, 3.0) == (message.posted_s, message.first_words_s, message.changed_s, message.deleted_s)
    assert 2 == message.changes


async def test_calls_are_recorded_with_the_reason_of_a_refusal() -> None:
    """Slack refuses with status 200, others with an error object or a message. A long id is shortened."""

    async def slack(_: web.Request) -> web.Response:
        return web.json_response({"ok": False, "error": "not_in_channel"})

    async def teams(_: web.Request) -> web.Response:
        return web.json_response({"error": {"code": "BotNotInRoster", "message": "no"}}, status=403)

    async def found(_: web.Request) -> web.Response:
        return web.json_response({"ok": True, "message": {"text": "private words"}})

    async def missing(_: web.Request) -> web.Response:
        raise web.HTTPNotFound

    recording = Recording()
    app = web.Application(middlewares=[recording.middleware])
    app.add_routes([web.get("/slack", slack), web.get("/teams", teams), web.get("/" + "x" * 50, found)])
    app.add_routes([web.get("/missing", missing)])
    async with serve_on_loopback(app) as url, aiohttp.ClientSession(url) as http:
        for path in ("/slack", "/teams", "/" + "x" * 50, "/missing"):
            await (await http.get(path)).read()

    assert [
        ("GET /slack", 200, "not_in_channel"),
        ("GET /teams", 403, "BotNotInRoster: no"),
        (f"GET /{'x' * 36}…", 200, ""),
        ("GET /missing", 404, "Not Found"),
    ] == [(call.method, call.status, call.note) for call in recording.calls]
