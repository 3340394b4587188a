"""/gpt-socket in the dialect csps-llm.v1: sessions, stop, resume, forget."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from core.configuration.settings import Settings
from core.contract import Attachment, Description, Source, Status, Text, TranscriptTurn
from core.errors import Fault, ModelUnavailable, Overloaded, StorageError
from core.texts import error_text, text
from tests.support.fakes import FakeEngine, ReplyStep
from tests.web.support_site import Site, site, until
from tests.web.support_socket import DONE, PROMPT, closing


async def test_v1_answer(own_settings: Settings) -> None:
    """A session, what is waited for, sources, text, and exactly one `done` with model, session and usage."""
    steps: list[ReplyStep] = [Status("queued", 2, 1.5), Status("reading"), Source(1, "T"), Text("a"), Text("b"), DONE]
    async with site(own_settings, FakeEngine(steps)) as running, running.v1() as socket:
        assert socket.protocol == "csps-llm.v1"
        await socket.send_json(
            {**PROMPT, "language": "fr", "attachments": [{"name": "notes.txt", "text": "Some notes"}]}
        )
        session, *frames = await until(socket, "done", "error")

    assert {"personality": "whisper", "model": "fake-model", "starter": True, "turns": []}.items() <= session.items()
    assert frames == [
        {"type": "status", "state": "queued", "position": 2, "wait_s": 1.5},
        {"type": "status", "state": "reading"},
        {"type": "source", "number": 1, "title": "T"},
        {"type": "text", "text": "a"},
        {"type": "text", "text": "b"},
        {
            "type": "done",
            "reason": "stop",
            "model": "fake-model",
            "session": session["session"],
            "usage": {"prompt_tokens": 7, "completion_tokens": 3, "cached_tokens": 2},
        },
    ]
    [prompt] = running.engine.prompts
    assert ("fr", (Attachment("notes.txt", "Some notes"),)) == (prompt.language, prompt.attachments)
    assert session["session"] == prompt.conversation


async def test_v1_session_is_announced_once(whisper: Site) -> None:
    """Only the first answer is preceded by `session`."""
    async with whisper.v1() as socket:
        kinds = []
        for _ in range(2):
            await socket.send_json(PROMPT)
            kinds.append([frame["type"] for frame in await until(socket, "done")])

    assert kinds == [["session", "text", "text", "done"], ["text", "text", "done"]]


async def test_v1_session_without_a_model(own_settings: Settings) -> None:
    """While no model answers, a session can begin all the same: the answer may be waiting for the model."""

    class Restarting(FakeEngine):
        async def describe(self, personality: str) -> Description:
            raise ModelUnavailable("restarting")

    async with site(own_settings, Restarting()) as running, running.v1() as socket:
        await socket.send_json(PROMPT)
        session, *_, done = await until(socket, "done")

    assert (session["model"], session["starter"]) == (None, None)
    assert done["model"] == "fake-model"


async def test_v1_failure_in_the_prompt_s_language(own_settings: Settings) -> None:
    """`error` instead of `done`, with a code for programs and words in the prompt's language."""
    failure = Overloaded("all slots are taken", retry_after_s=3)
    async with site(own_settings, FakeEngine([failure])) as running, running.v1("whisper") as socket:
        await socket.send_json({**PROMPT, "language": "fr"})
        *_, error = await until(socket, "done", "error")

    assert {"type": "error", "code": "overloaded", "message": error_text(failure, "fr"), "retry_after_s": 3} == error


async def test_v1_failure_before_the_session(own_settings: Settings) -> None:
    """If no session can be opened, the prompt fails, and a later one tries again."""

    class Full(FakeEngine):
        refusals = 1

        async def open(self, personality: str, user: str | None = None) -> str:
            if self.refusals:
                self.refusals -= 1
                raise StorageError("disk full")
            return await super().open(personality, user)

    async with site(own_settings, Full()) as running, running.v1() as socket:
        await socket.send_json(PROMPT)
        [error] = await until(socket, "error", "done")
        await socket.send_json(PROMPT)
        session, *_, done = await until(socket, "error", "done")

    assert (error["code"], session["type"], done["type"]) == ("storage", "session", "done")


async def test_v1_stop(own_settings: Settings) -> None:
    """`stop` ends the answer under way with `done`, cancels its generation, and the next prompt is answered."""
    gate = asyncio.Event()
    async with (
        site(own_settings, FakeEngine([Text("a"), gate, Text("b"), DONE])) as running,
        running.v1() as socket,
    ):
        await socket.send_json(PROMPT)
        await until(socket, "text")
        await socket.send_json({"type": "stop"})
        [stopped] = await until(socket, "done", "error")
        await running.engine.cancelled.wait()
        gate.set()
        await socket.send_json(PROMPT)
        whole = await until(socket, "done", "error")

    assert {"reason": "stopped", "model": "fake-model", "usage": None}.items() <= stopped.items()
    assert [frame["text"] for frame in whole[:-1]] == ["a", "b"]
    assert whole[-1]["reason"] == "stop"


async def test_v1_stop_right_behind_its_prompt(own_settings: Settings) -> None:
    """A `stop` that overtakes the beginning of its answer still ends it."""
    async with site(own_settings, FakeEngine([asyncio.Event(), DONE])) as running, running.v1() as socket:
        await socket.send_json(PROMPT)
        await socket.send_json({"type": "stop"})
        *_, done = await until(socket, "done", "error")

    assert done["reason"] == "stopped"


async def test_v1_stop_without_an_answer(whisper: Site) -> None:
    """A `stop` with nothing to stop has no effect, not even on the next prompt."""
    async with whisper.v1() as socket:
        await socket.send_json({"type": "stop"})
        await socket.send_json(PROMPT)
        *_, done = await until(socket, "done", "error")

    assert done["reason"] == "stop"


async def test_v1_resume(whisper: Site) -> None:
    """A session continues on a new connection with its turns, and its next prompt belongs to it."""
    async with whisper.v1() as socket:
        await socket.send_json(PROMPT)
        session = (await until(socket, "done"))[0]["session"]
    async with whisper.v1() as socket:
        await socket.send_json({"type": "resume", "session": session})
        [resumed] = await until(socket, "session", "error")
        await socket.send_json({"type": "prompt", "text": "And?"})
        kinds = [frame["type"] for frame in await until(socket, "done", "error")]

    assert session == resumed["session"]
    assert resumed["turns"] == [
        {"role": "user", "text": "Hi"},
        {"role": "assistant", "text": "Hello world.", "reason": "stop"},
    ]
    assert kinds == ["text", "text", "done"]
    assert [session, session] == [prompt.conversation for prompt in whisper.engine.prompts]


async def test_v1_resumed_turns_have_what_came_with_them(own_settings: Settings) -> None:
    """The names of a question's files, and the sources of an answer as they were told; also of one that was stopped."""
    source = Source(1, "Leave", "https://leave.example/", "en")
    ask = {**PROMPT, "attachments": [{"name": "leave.txt", "text": "Eighteen months."}]}
    engine = FakeEngine([source, Text("So [1]."), asyncio.Event()])
    async with site(own_settings, engine) as running:
        async with running.v1() as socket:
            await socket.send_json(ask)
            opened, told, _ = await until(socket, "text")
            await socket.send_json({"type": "stop"})
            await until(socket, "done")
        async with running.v1() as socket:
            await socket.send_json({"type": "resume", "session": opened["session"]})
            [resumed] = await until(socket, "session", "error")

    assert told.pop("type") == "source"
    assert resumed["turns"] == [
        {"role": "user", "text": "Hi", "attachments": ["leave.txt"]},
        {"role": "assistant", "text": "So [1].", "sources": [told], "reason": "stopped"},
    ]


async def test_v1_resume_of_what_is_not(whisper: Site) -> None:
    """An unknown session, or another personality's, is `session_unknown`; the socket stays, a prompt begins anew."""
    whisper.engine.sessions["web:other"] = ("chuchotte", None, [TranscriptTurn("user", "secret")])
    for session in ("web:never-issued", "web:other", "", "x" * 10_000):
        async with whisper.v1() as socket:
            await socket.send_json({"type": "resume", "session": session})
            [error] = await until(socket, "session", "error")
            await socket.send_json(PROMPT)
            opened, *_, done = await until(socket, "done", "error")

        assert (error["code"], opened["type"], done["type"]) == ("session_unknown", "session", "done")
        assert opened["session"] != session


async def test_v1_resume_must_come_first(whisper: Site) -> None:
    """Later it is an error, and the session stays what it was."""
    async with whisper.v1() as socket:
        await socket.send_json(PROMPT)
        session = (await until(socket, "done"))[0]["session"]
        await socket.send_json({"type": "resume", "session": session})
        [error] = await until(socket, "session", "error")

    assert error["code"] == "bad_request"


@pytest.mark.parametrize(
    ("frame", "fault"),
    [
        ({"type": "prompt", "text": " "}, "empty"),
        ({"type": "sing"}, "frame"),
        ({"type": "prompt", "text": "Hi", "attachments": [{"name": "a", "text": "b"}] * 17}, "attachments"),
    ],
)
async def test_v1_what_is_wrong_is_told_in_one_language(whisper: Site, frame: dict[str, Any], fault: Fault) -> None:
    """`message` is a sentence for the person; what the client's author wants to know is `detail`, in English."""
    async with whisper.v1("chuchotte") as socket:
        await socket.send_json(frame)
        [error] = await until(socket, "session", "error")

    assert ("bad_request", text(f"error-bad_request-{fault}", "fr")) == (error["code"], error["message"])
    assert error["detail"] not in (None, "", error["message"])


async def test_v1_forget(whisper: Site) -> None:
    """The session is deleted, the client is told, and the socket closes."""
    async with whisper.v1() as socket:
        await socket.send_json(PROMPT)
        await until(socket, "done")
        assert whisper.engine.sessions
        await socket.send_json({"type": "forget"})
        [forgotten] = await until(socket, "forgotten", "error")
        code = await closing(socket)

    assert (forgotten, code, whisper.engine.sessions) == ({"type": "forgotten"}, 1000, {})


async def test_v1_forget_during_an_answer(own_settings: Settings) -> None:
    """What is under way is cancelled first, so that nothing of it is stored afterwards."""
    async with (
        site(own_settings, FakeEngine([Text("a"), asyncio.Event(), DONE])) as running,
        running.v1() as socket,
    ):
        await socket.send_json(PROMPT)
        await until(socket, "text")
        await socket.send_json({"type": "forget"})
        await until(socket, "forgotten")
        assert running.engine.cancelled.is_set()
        assert running.engine.sessions == {}


async def test_v1_forget_before_a_session(whisper: Site) -> None:
    """There is nothing to delete, which is what was asked for."""
    async with whisper.v1() as socket:
        await socket.send_json({"type": "forget"})
        assert await until(socket, "forgotten", "error") == [{"type": "forgotten"}]


async def test_v1_forget_that_fails(own_settings: Settings) -> None:
    """A client never believes that something was deleted which was not."""

    class Full(FakeEngine):
        async def forget(self, conversation: str) -> None:
            raise StorageError("disk full")

    async with site(own_settings, Full()) as running, running.v1() as socket:
        await socket.send_json(PROMPT)
        await until(socket, "done")
        await socket.send_json({"type": "forget"})
        [error] = await until(socket, "forgotten", "error")
        code = await closing(socket)

    assert (error["code"], code) == ("storage", 1011)


@pytest.mark.parametrize("frame", ["{", "[]", '{"type": "dance"}', '{"type": "prompt"}', "[" * 50_000])
async def test_v1_frames_that_are_not_understood(whisper: Site, frame: str) -> None:
    """Each is answered with an `error`, and the conversation goes on."""
    async with whisper.v1() as socket:
        await socket.send_str(frame)
        [error] = await until(socket, "error")
        await socket.send_json(PROMPT)
        *_, done = await until(socket, "done", "error")

    assert (error["code"], done["type"]) == ("bad_request", "done")
    assert any(reason in error["detail"] for reason in ("not valid JSON", "object", "`", "nested"))


async def test_v1_each_prompt_has_one_end_in_order(own_settings: Settings) -> None:
    """Frames are answered one after another: an error about one never falls into the answer to another."""
    gate = asyncio.Event()
    async with (
        site(own_settings, FakeEngine([Text("a"), gate, Text("b"), DONE])) as running,
        running.v1() as socket,
    ):
        await socket.send_json(PROMPT)
        await until(socket, "text")
        await socket.send_str("nonsense")
        await socket.send_json(PROMPT)
        gate.set()
        kinds = [frame["type"] for _ in range(3) for frame in await until(socket, "done", "error")]

    assert kinds == ["text", "done", "error", "text", "text", "done"]
