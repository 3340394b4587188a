"""/gpt-socket in the dialect csps-llm.v1: sessions, stop, resume, forget."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from core.configuration.settings import Settings
from core.contract import Attachment, Description, Source, Status, Text, TranscriptTurn
from core.errors import ModelUnavailable, Overloaded, RequestFault, StorageError
from core.texts import error_text, text
from tests.support.fake_engine import BEGINNING, FakeConversation, FakeEngine, ReplyStep
from tests.web.support_site import Site, receive_until, site
from tests.web.support_socket import DONE, PROMPT, receive_close_code

ASKED_AT = (BEGINNING + timedelta(minutes=3)).isoformat()  # of a first question: the session was opened and entered


async def test_answer_frames(own_settings: Settings) -> None:
    """A session, statuses, sources, text, and exactly one `done` with model, session and usage."""
    steps: list[ReplyStep] = [Status("queued", 2, 1.5), Status("reading"), Source(1, "T"), Text("a"), Text("b"), DONE]
    async with site(own_settings, FakeEngine(steps)) as running, running.v1() as socket:
        assert socket.protocol == "csps-llm.v1"
        await socket.send_json(
            {**PROMPT, "language": "fr", "attachments": [{"name": "notes.txt", "text": "Some notes"}]}
        )
        session, *frames = await receive_until(socket, "done", "error")

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
            "exchange": 1,
            "receipt": None,
        },
    ]
    [prompt] = running.engine.prompts
    assert ("fr", (Attachment("notes.txt", "Some notes"),)) == (prompt.language, prompt.attachments)
    assert session["session"] == prompt.conversation


async def test_session_frame_comes_once(whisper: Site) -> None:
    """Only the first answer is preceded by `session`."""
    async with whisper.v1() as socket:
        kinds = []
        for _ in range(2):
            await socket.send_json(PROMPT)
            kinds.append([frame["type"] for frame in await receive_until(socket, "done")])

    assert kinds == [["session", "text", "text", "done"], ["text", "text", "done"]]


async def test_session_opens_without_a_model(own_settings: Settings) -> None:
    """The answer may wait for the model."""

    class Restarting(FakeEngine):
        async def describe(self, personality: str, wait_s: float = 0) -> Description:
            raise ModelUnavailable("restarting")

    async with site(own_settings, Restarting()) as running, running.v1() as socket:
        await socket.send_json(PROMPT)
        session, *_, done = await receive_until(socket, "done")

    assert (session["model"], session["starter"]) == (None, None)
    assert done["model"] == "fake-model"


async def test_a_stopped_answer_names_the_model_that_wrote_it(own_settings: Settings) -> None:
    """Another model can take over during it and before the next prompt on the same socket."""
    engine = FakeEngine([Text("It begins"), asyncio.Event()])
    async with site(own_settings, engine) as running, running.v1() as socket:
        models = []
        for taking_over in ("large", "larger"):
            await socket.send_json(PROMPT)
            await receive_until(socket, "text")
            engine.model = taking_over
            await socket.send_json({"type": "stop"})
            models.append((await receive_until(socket, "done"))[-1]["model"])

    assert models == ["fake-model", "large"]


async def test_failure_is_in_the_language_of_the_prompt(own_settings: Settings) -> None:
    """`error` instead of `done`, with a code for programs and a message for the person."""
    failure = Overloaded("all slots are taken", retry_after_s=3)
    async with site(own_settings, FakeEngine([failure])) as running, running.v1("whisper") as socket:
        await socket.send_json({**PROMPT, "language": "fr"})
        *_, error = await receive_until(socket, "done", "error")

    assert {"type": "error", "code": "overloaded", "message": error_text(failure, "fr"), "retry_after_s": 3} == error


async def test_failed_session_is_opened_again(own_settings: Settings) -> None:
    """If no session can be opened, the prompt fails, and the next one tries again."""

    class Full(FakeEngine):
        refusals = 1

        async def open(self, personality: str, user: str | None = None) -> str:
            if self.refusals:
                self.refusals -= 1
                raise StorageError("disk full")
            return await super().open(personality, user)

    async with site(own_settings, Full()) as running, running.v1() as socket:
        await socket.send_json(PROMPT)
        [error] = await receive_until(socket, "error", "done")
        await socket.send_json(PROMPT)
        session, *_, done = await receive_until(socket, "error", "done")

    assert (error["code"], session["type"], done["type"]) == ("storage", "session", "done")


async def test_stop_ends_the_answer(own_settings: Settings) -> None:
    """`done` ends it, its generation is cancelled, and the next prompt is answered."""
    gate = asyncio.Event()
    async with (
        site(own_settings, FakeEngine([Text("a"), gate, Text("b"), DONE])) as running,
        running.v1() as socket,
    ):
        await socket.send_json(PROMPT)
        await receive_until(socket, "text")
        await socket.send_json({"type": "stop"})
        [stopped] = await receive_until(socket, "done", "error")
        await running.engine.cancelled.wait()
        gate.set()
        await socket.send_json(PROMPT)
        whole = await receive_until(socket, "done", "error")

    assert {"reason": "stopped", "model": "fake-model", "usage": None}.items() <= stopped.items()
    assert [frame["text"] for frame in whole[:-1]] == ["a", "b"]
    assert whole[-1]["reason"] == "stop"


async def test_stop_right_after_its_prompt(own_settings: Settings) -> None:
    """A `stop` that arrives before the answer starts still ends it."""
    async with site(own_settings, FakeEngine([asyncio.Event(), DONE])) as running, running.v1() as socket:
        await socket.send_json(PROMPT)
        await socket.send_json({"type": "stop"})
        *_, done = await receive_until(socket, "done", "error")

    assert done["reason"] == "stopped"


async def test_stop_without_an_answer_has_no_effect(whisper: Site) -> None:
    """It does not affect the next prompt either."""
    async with whisper.v1() as socket:
        await socket.send_json({"type": "stop"})
        await socket.send_json(PROMPT)
        *_, done = await receive_until(socket, "done", "error")

    assert done["reason"] == "stop"


async def test_resume_continues_a_session(whisper: Site) -> None:
    """The new connection gets its turns, and its next prompt belongs to the session."""
    async with whisper.v1() as socket:
        await socket.send_json(PROMPT)
        session = (await receive_until(socket, "done"))[0]["session"]
    async with whisper.v1() as socket:
        await socket.send_json({"type": "resume", "session": session})
        [resumed] = await receive_until(socket, "session", "error")
        await socket.send_json({"type": "prompt", "text": "And?"})
        kinds = [frame["type"] for frame in await receive_until(socket, "done", "error")]

    assert session == resumed["session"]
    assert resumed["turns"] == [
        {"role": "user", "text": "Hi", "exchange": 1, "at": ASKED_AT},
        {
            **{"role": "assistant", "text": "Hello world.", "reason": "stop"},
            **{"exchange": 1, "at": ASKED_AT, "model": "fake-model"},
        },
    ]
    assert kinds == ["text", "text", "done"]
    assert [session, session] == [prompt.conversation for prompt in whisper.engine.prompts]


async def test_resumed_turns_have_files_and_sources(own_settings: Settings) -> None:
    """The names of a question's files and the sources of an answer, also of a stopped one."""
    source = Source(1, "Leave", "https://leave.example/", "en")
    prompt = {**PROMPT, "attachments": [{"name": "leave.txt", "text": "Eighteen months."}]}
    engine = FakeEngine([source, Text("So [1]."), asyncio.Event()])
    async with site(own_settings, engine) as running:
        async with running.v1() as socket:
            await socket.send_json(prompt)
            opened, source_frame, _ = await receive_until(socket, "text")
            await socket.send_json({"type": "stop"})
            await receive_until(socket, "done")
        async with running.v1() as socket:
            await socket.send_json({"type": "resume", "session": opened["session"]})
            [resumed] = await receive_until(socket, "session", "error")

    assert source_frame.pop("type") == "source"
    assert resumed["turns"] == [
        {"role": "user", "text": "Hi", "attachments": ["leave.txt"], "exchange": 1, "at": ASKED_AT},
        {
            **{"role": "assistant", "text": "So [1].", "sources": [source_frame], "reason": "stopped"},
            **{"exchange": 1, "at": ASKED_AT},
        },
    ]


async def test_resume_of_an_unknown_session_fails(whisper: Site) -> None:
    """So does that of another personality's session. The socket stays open, and a prompt starts a new session."""
    other = FakeConversation("chuchotte", None, BEGINNING, [TranscriptTurn("user", "secret")])
    whisper.engine.sessions["web:other"] = other
    for session in ("web:never-issued", "web:other", "", "x" * 10_000):
        async with whisper.v1() as socket:
            await socket.send_json({"type": "resume", "session": session})
            [error] = await receive_until(socket, "session", "error")
            await socket.send_json(PROMPT)
            opened, *_, done = await receive_until(socket, "done", "error")

        assert (error["code"], opened["type"], done["type"]) == ("session_unknown", "session", "done")
        assert opened["session"] != session


async def test_late_resume_fails(whisper: Site) -> None:
    """The session does not change."""
    async with whisper.v1() as socket:
        await socket.send_json(PROMPT)
        session = (await receive_until(socket, "done"))[0]["session"]
        await socket.send_json({"type": "resume", "session": session})
        [error] = await receive_until(socket, "session", "error")

    assert error["code"] == "bad_request"


@pytest.mark.parametrize(
    ("frame", "fault"),
    [
        ({"type": "prompt", "text": " "}, "empty"),
        ({"type": "sing"}, "frame"),
        ({"type": "prompt", "text": "Hi", "attachments": [{"name": "a", "text": "b"}] * 17}, "attachments"),
    ],
)
async def test_error_message_is_for_the_person_and_detail_for_the_author(
    whisper: Site, frame: dict[str, Any], fault: RequestFault
) -> None:
    """`message` is in one language; `detail` is in English."""
    async with whisper.v1("chuchotte") as socket:
        await socket.send_json(frame)
        [error] = await receive_until(socket, "session", "error")

    assert ("bad_request", text(f"error-bad_request-{fault}", "fr")) == (error["code"], error["message"])
    assert error["detail"] not in (None, "", error["message"])


async def test_forget_deletes_the_session(whisper: Site) -> None:
    """The client gets `forgotten`, and the socket closes."""
    async with whisper.v1() as socket:
        await socket.send_json(PROMPT)
        await receive_until(socket, "done")
        assert whisper.engine.sessions
        await socket.send_json({"type": "forget"})
        [forgotten] = await receive_until(socket, "forgotten", "error")
        code = await receive_close_code(socket)

    assert (forgotten, code, whisper.engine.sessions) == ({"type": "forgotten"}, 1000, {})


async def test_forget_cancels_the_answer_first(own_settings: Settings) -> None:
    """Nothing of it is stored afterwards."""
    async with (
        site(own_settings, FakeEngine([Text("a"), asyncio.Event(), DONE])) as running,
        running.v1() as socket,
    ):
        await socket.send_json(PROMPT)
        await receive_until(socket, "text")
        await socket.send_json({"type": "forget"})
        await receive_until(socket, "forgotten")
        assert running.engine.cancelled.is_set()
        assert running.engine.sessions == {}


async def test_forget_without_a_session_succeeds(whisper: Site) -> None:
    """There is nothing to delete."""
    async with whisper.v1() as socket:
        await socket.send_json({"type": "forget"})
        assert await receive_until(socket, "forgotten", "error") == [{"type": "forgotten"}]


async def test_failed_forget_is_an_error(own_settings: Settings) -> None:
    """The client never believes that the session is deleted when it is not."""

    class Full(FakeEngine):
        async def forget(self, conversation: str, owner: str | None = None) -> None:
            raise StorageError("disk full")

    async with site(own_settings, Full()) as running, running.v1() as socket:
        await socket.send_json(PROMPT)
        await receive_until(socket, "done")
        await socket.send_json({"type": "forget"})
        [error] = await receive_until(socket, "forgotten", "error")
        code = await receive_close_code(socket)

    assert (error["code"], code) == ("storage", 1011)


@pytest.mark.parametrize("frame", ["{", "[]", '{"type": "dance"}', '{"type": "prompt"}', "[" * 50_000])
async def test_invalid_frame_is_an_error(whisper: Site, frame: str) -> None:
    """The conversation goes on."""
    async with whisper.v1() as socket:
        await socket.send_str(frame)
        [error] = await receive_until(socket, "error")
        await socket.send_json(PROMPT)
        *_, done = await receive_until(socket, "done", "error")

    assert (error["code"], done["type"]) == ("bad_request", "done")
    assert any(reason in error["detail"] for reason in ("not valid JSON", "object", "`", "nested"))


async def test_frames_are_answered_in_order(own_settings: Settings) -> None:
    """An error about one frame never falls into the answer to another."""
    gate = asyncio.Event()
    async with (
        site(own_settings, FakeEngine([Text("a"), gate, Text("b"), DONE])) as running,
        running.v1() as socket,
    ):
        await socket.send_json(PROMPT)
        await receive_until(socket, "text")
        await socket.send_str("nonsense")
        await socket.send_json(PROMPT)
        gate.set()
        kinds = [frame["type"] for _ in range(3) for frame in await receive_until(socket, "done", "error")]

    assert kinds == ["text", "done", "error", "text", "text", "done"]
