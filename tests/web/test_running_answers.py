"""Answers that go on when their connection ends, and that several connections watch."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from aiohttp import ClientWebSocketResponse

from core.configuration.settings import Settings
from core.contract import Prompt, Source, Status, Text
from core.errors import ModelError
from core.texts import error_text
from tests.support.fake_engine import FakeEngine, ReplyStep
from tests.web.support_site import Site, receive_until, site
from tests.web.support_socket import DONE, receive_close_code
from web.running_answers import RUNNING_ANSWERS
from web.service import WebLimits

ASK = {"type": "prompt", "text": "Hi", "goes_on": True}
MINE = {"Cookie": f"csps_visitor={'a' * 43}"}
OTHERS = {"Cookie": f"csps_visitor={'b' * 43}"}


class HeldEngine(FakeEngine):
    """An engine whose answers wait in the middle until `may_end` is set."""

    def __init__(self, *beginning: ReplyStep) -> None:
        self.may_end = asyncio.Event()
        super().__init__([*(beginning or (Text("a"),)), self.may_end, Text("b"), DONE])


async def begin(socket: ClientWebSocketResponse) -> str:
    """Asks, waits for the first text, and returns the session."""
    await socket.send_json(ASK)
    opened, *_ = await receive_until(socket, "text")
    return str(opened["session"])


async def leave(running: Site, headers: Mapping[str, str] = MINE) -> str:
    """Asks and closes the connection in the middle of the answer. Returns the session."""
    async with running.v1(headers=headers) as socket:
        return await begin(socket)


async def resume(socket: ClientWebSocketResponse, session: str) -> dict[str, Any]:
    await socket.send_json({"type": "resume", "session": session})
    [frame] = await receive_until(socket, "session", "error")
    return frame


async def test_an_answer_goes_on_after_its_connection(own_settings: Settings) -> None:
    """The next connection gets its question, its beginning as one text, what follows, and `done`; then it may ask."""
    source, trimmed = Source(1, "T"), Status("trimmed", turns_dropped=2)
    engine = HeldEngine(Status("reading"), source, trimmed, Text("a"), Text("a"))
    async with site(own_settings, engine) as running:
        session = await leave(running)
        async with running.v1(headers=MINE) as socket:
            opened = await resume(socket, session)
            beginning = await receive_until(socket, "text")
            engine.may_end.set()
            rest = await receive_until(socket, "done", "error")
            await socket.send_json(ASK)
            later = await receive_until(socket, "done", "error")

    assert opened["answering"]
    assert [("user", "Hi")] == [(turn["role"], turn["text"]) for turn in opened["turns"]]
    assert beginning == [
        {"type": "source", "number": 1, "title": "T"},
        {"type": "status", "state": "trimmed", "turns_dropped": 2},
        {"type": "text", "text": "aa"},
    ]
    assert [("text", "b"), ("done", None)] == [(frame["type"], frame.get("text")) for frame in rest]
    assert (rest[-1]["exchange"], later[-1]["exchange"]) == (1, 2)
    assert not engine.cancelled.is_set()


async def test_an_answer_that_ends_unwatched_is_stored(own_settings: Settings) -> None:
    """The next connection finds it among the turns."""
    engine = HeldEngine()
    async with site(own_settings, engine) as running:
        session = await leave(running)
        engine.may_end.set()
        await engine.finished.wait()
        async with running.v1(headers=MINE) as socket:
            opened = await resume(socket, session)

    assert not opened["answering"]
    assert ("ab", "stop") == (opened["turns"][-1]["text"], opened["turns"][-1]["reason"])


async def test_two_connections_watch_one_answer(own_settings: Settings) -> None:
    """Each gets all of it once, and one may leave."""
    engine = HeldEngine()
    async with site(own_settings, engine) as running, running.v1(headers=MINE) as first:
        session = await begin(first)
        async with running.v1(headers=MINE) as second, running.v1(headers=MINE) as third:
            for socket in (second, third):
                await resume(socket, session)
                await receive_until(socket, "text")
            await third.close()
            engine.may_end.set()
            frames = [await receive_until(socket, "done", "error") for socket in (first, second)]

    assert [["b", None]] * 2 == [[frame.get("text") for frame in each] for each in frames]
    assert len(engine.prompts) == 1


async def test_stop_ends_the_answer_for_all(own_settings: Settings) -> None:
    """Each connection gets `done`, with the model that wrote the answer."""
    engine = HeldEngine()
    async with site(own_settings, engine) as running, running.v1(headers=MINE) as first:
        session = await begin(first)
        async with running.v1(headers=MINE) as second:
            await resume(second, session)
            await second.send_json({"type": "stop"})
            ends = [(await receive_until(socket, "done", "error"))[-1] for socket in (first, second)]

    assert [("stopped", "fake-model")] * 2 == [(end["reason"], end["model"]) for end in ends]
    assert engine.cancelled.is_set()


async def test_stop_right_after_its_prompt(own_settings: Settings) -> None:
    """A `stop` that arrives before the answer starts still ends it."""
    async with site(own_settings, HeldEngine()) as running, running.v1(headers=MINE) as socket:
        await socket.send_json(ASK)
        await socket.send_json({"type": "stop"})
        *_, done = await receive_until(socket, "done", "error")

    assert done["reason"] == "stopped"


async def test_deletion_ends_the_answer(own_settings: Settings) -> None:
    """So do `forget` of another connection and both forms of DELETE. Nothing of it is stored afterwards."""
    for path in (None, "/conversations/{}", "/conversations"):
        engine = HeldEngine()
        async with site(own_settings, engine) as running:
            session = await leave(running)
            if path:
                await running.http.delete(path.format(session), headers=MINE)
            else:
                async with running.v1(headers=MINE) as socket:
                    await resume(socket, session)
                    await socket.send_json({"type": "forget"})
                    await receive_until(socket, "forgotten")
            assert engine.cancelled.is_set()
            assert engine.sessions == {}


async def test_failure_reaches_each_watcher_in_the_language_of_the_prompt(own_settings: Settings) -> None:
    """A connection that resumed gets the same `error` as the one that asked."""
    may_fail, failure = asyncio.Event(), ModelError("broken")
    async with (
        site(own_settings, FakeEngine([Text("a"), may_fail, failure])) as running,
        running.v1(headers=MINE) as first,
        running.v1(headers=MINE) as second,
    ):
        await first.send_json({**ASK, "language": "fr"})
        opened, *_ = await receive_until(first, "text")
        await resume(second, opened["session"])
        may_fail.set()
        errors = [(await receive_until(socket, "done", "error"))[-1] for socket in (first, second)]

    assert [("model_failed", error_text(failure, "fr"))] * 2 == [(each["code"], each["message"]) for each in errors]


async def test_another_owner_sees_no_running_answer(own_settings: Settings) -> None:
    """Neither another browser nor a program can watch or end it."""
    engine = HeldEngine()
    async with site(own_settings, engine) as running:
        session = await leave(running)
        for headers in (OTHERS, {}):
            async with running.v1(headers=headers) as socket:
                assert "session_unknown" == (await resume(socket, session))["code"]
                await socket.send_json({"type": "forget"})
            async with running.http.delete(f"/conversations/{session}", headers=headers) as response:
                assert response.status == 404
        assert not engine.cancelled.is_set()
        assert running.app[RUNNING_ANSWERS].find(session, f"visitor:{'a' * 43}")


async def test_answers_of_programs_end_with_their_connection(own_settings: Settings) -> None:
    """Without an owner `goes_on` has no effect."""
    async with site(own_settings, HeldEngine()) as running:
        await leave(running, {})
        await running.engine.cancelled.wait()


async def test_few_answers_go_on_without_a_connection(own_settings: Settings) -> None:
    """The owner's next one is stopped when its connection ends. Those that are watched do not count."""
    engine = HeldEngine()
    async with (
        site(own_settings, engine, WebLimits(unwatched_answers=1)) as running,
        running.v1(headers=MINE) as watched,
    ):
        await begin(watched)
        unwatched = await leave(running)
        await leave(running, OTHERS)
        assert not engine.cancelled.is_set()
        too_many = await leave(running)
        await engine.cancelled.wait()
        assert "stopped" == engine.sessions[too_many].turns[-1].reason
        assert running.app[RUNNING_ANSWERS].find(unwatched, f"visitor:{'a' * 43}")


async def test_a_slow_connection_holds_nobody_back(own_settings: Settings) -> None:
    """While it takes nothing, others get all of the answer. Then it gets the same text, in fewer pieces."""
    piece, count, may_end = "x" * 200_000, 40, asyncio.Event()

    def large(_prompt: Prompt) -> Iterator[ReplyStep]:
        yield Text("a")
        yield may_end
        yield from (Text(piece) for _ in range(count))
        yield DONE

    options: Any = {"headers": MINE, "max_msg_size": 0}
    async with (
        site(own_settings, FakeEngine(large)) as running,
        running.v1(**options) as slow,
        running.v1(**options) as quick,
    ):
        await resume(quick, await begin(slow))
        may_end.set()
        whole = await receive_until(quick, "done", "error")
        late = await receive_until(slow, "done", "error")

    assert whole[-1]["type"] == late[-1]["type"] == "done"
    assert "".join(frame["text"] for frame in late[:-1]) == piece * count
    assert len(late) < count


async def test_the_service_lets_running_answers_finish(own_settings: Settings) -> None:
    """Within WEB_DRAIN_S, also without a connection. Watchers get the end, then the socket closes with 1001."""
    engine = HeldEngine()
    async with site(own_settings, engine, drain_s=60.0) as running:
        await leave(running)
        async with running.v1(headers=MINE) as socket:
            await begin(socket)
            running.service.gate.stop()
            engine.may_end.set()
            *_, done = await receive_until(socket, "done", "error")
            assert await receive_close_code(socket) == 1001

    assert done["reason"] == "stop"
    assert not engine.cancelled.is_set()
    assert ["stop", "stop"] == [each.turns[-1].reason for each in engine.sessions.values()]


async def test_answers_that_outlast_the_drain_are_ended(own_settings: Settings) -> None:
    """No answer keeps the service from stopping."""
    engine = HeldEngine()
    async with site(own_settings, engine, drain_s=0.0) as running:
        await leave(running)

    assert engine.cancelled.is_set()
