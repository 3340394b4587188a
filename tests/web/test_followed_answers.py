"""A page that reconnects to another process while the first one writes its answer."""

from __future__ import annotations

import asyncio
from typing import Any

from core.configuration.settings import Settings
from core.contract import Source, TranscriptTurn
from core.errors import AnswerLost
from tests.support.fake_engine import FakeEngine
from tests.web.support_site import Site, receive_until, site
from tests.web.test_running_answers import MINE

QUESTION = TranscriptTurn("user", "Hi", exchange=1)
ANSWER = TranscriptTurn("assistant", "whole", sources=(Source(1, "T"),), reason="stop", exchange=1, model="m")


async def opened_elsewhere(engine: FakeEngine) -> str:
    """A conversation whose question another process answers."""
    session = await engine.open("whisper", f"visitor:{'a' * 43}")
    engine.sessions[session].turns.append(QUESTION)
    engine.elsewhere = asyncio.get_running_loop().create_future()
    return session


async def follow(running: Site, engine: FakeEngine, outcome: TranscriptTurn | Exception) -> list[dict[str, Any]]:
    """The frames of a page that resumes the conversation before the answer is stored."""
    session = await opened_elsewhere(engine)
    async with running.v1(headers=MINE) as socket:
        await socket.send_json({"type": "resume", "session": session})
        frames = await receive_until(socket, "session")
        assert engine.elsewhere is not None
        if isinstance(outcome, Exception):
            engine.elsewhere.set_exception(outcome)
        else:
            engine.elsewhere.set_result(outcome)
        return [*frames, *await receive_until(socket, "done", "error")]


async def test_the_answer_of_another_process_is_shown_when_it_is_whole(own_settings: Settings) -> None:
    """The page sees its question and that it is being answered, then sources, text and end."""
    async with site(own_settings, engine := FakeEngine()) as running:
        opened, *rest = await follow(running, engine, ANSWER)

    assert opened["answering"]
    assert ["Hi"] == [turn["text"] for turn in opened["turns"]]
    assert ["source", "text", "done"] == [frame["type"] for frame in rest]
    assert ("whole", "stop", 1) == (rest[1]["text"], rest[2]["reason"], rest[2]["exchange"])


async def test_a_process_that_died_ends_the_waiting(own_settings: Settings) -> None:
    """The page can ask again."""
    async with site(own_settings, engine := FakeEngine()) as running:
        *_, last = await follow(running, engine, AnswerLost("died"))

    assert ("error", "answer_lost") == (last["type"], last["code"])


async def test_a_stop_reaches_the_other_process(own_settings: Settings) -> None:
    """The answer ends as that process stored it."""
    async with site(own_settings, engine := FakeEngine()) as running:
        session = await opened_elsewhere(engine)
        async with running.v1(headers=MINE) as socket:
            await socket.send_json({"type": "resume", "session": session})
            await receive_until(socket, "session")
            await socket.send_json({"type": "stop"})
            await engine.stopped_elsewhere.wait()
            assert engine.elsewhere is not None
            engine.elsewhere.set_result(TranscriptTurn("assistant", "half", reason="stopped", exchange=1))
            *_, text, done = await receive_until(socket, "done", "error")

    assert ("half", "stopped") == (text["text"], done["reason"])
