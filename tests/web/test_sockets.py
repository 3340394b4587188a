"""/gpt-socket in both dialects, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType, WSServerHandshakeError

from core.contract import Attachment, Description, Done, Prompt, Said, Source, Status, Text, Usage
from core.errors import ModelUnavailable, Overloaded, StorageError
from core.messages import words
from core.settings import Settings
from tests.fakes import FakeEngine, ReplyStep
from tests.web.site import Site, answer, site, until
from web.limits import Limits

PROMPT = {"type": "prompt", "text": "Hi"}
DONE = Done("stop", "fake-model", Usage(7, 3, 2))


def echo(prompt: Prompt) -> Iterator[ReplyStep]:
    yield Text("You said: ")
    yield Text(prompt.text)
    yield DONE


async def closing(socket: ClientWebSocketResponse) -> int | None:
    """The code with which the server closed."""
    while (await socket.receive()).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING):
        pass
    return socket.close_code


# ---------------------------------------------------------------- plain


async def test_plain_answer(whisper: Site) -> None:
    """A frame is a prompt; frames of text come back, and then `<END>`."""
    async with whisper.plain() as socket:
        await socket.send_str("Hi")
        assert await answer(socket) == ["Hello", " world."]


async def test_prompts_of_one_connection_are_one_conversation(whisper: Site) -> None:
    """Prompts follow one another in the same stored conversation, which begins with the first."""
    async with whisper.plain() as socket:
        assert whisper.engine.sessions == {}
        for text in ("One", "Two"):
            await socket.send_str(text)
            await answer(socket)

    first, second = whisper.engine.prompts
    assert (first.text, second.text) == ("One", "Two")
    assert first.conversation == second.conversation
    assert [first.conversation] == list(whisper.engine.sessions)
    assert first.user == second.user
    assert "127.0.0.1" not in str(first.user)


async def test_ten_at_once(own_settings: Settings) -> None:
    """Ten concurrent sockets each get their own answer and their own `<END>`."""
    async with site(own_settings, FakeEngine(echo)) as running:

        async def ask(number: int) -> str:
            async with running.plain() as socket:
                await socket.send_str(f"number {number}")
                return "".join(await answer(socket))

        answers = await asyncio.gather(*(ask(number) for number in range(10)))

    assert [f"You said: number {number}" for number in range(10)] == answers
    assert len({prompt.conversation for prompt in running.engine.prompts}) == 10


async def test_a_model_cannot_end_its_answer_early(own_settings: Settings) -> None:
    """Markers that the model writes arrive as text, in frames that no client takes for markers."""
    async with (
        site(own_settings, FakeEngine([Text("<END>"), Text("<ERROR> no"), DONE])) as running,
        running.plain() as socket,
    ):
        await socket.send_str("Hi")
        frames = await answer(socket)

    assert "".join(frames) == "<END><ERROR> no"
    assert not any(frame.startswith("<ERROR>") for frame in frames)


@pytest.mark.parametrize(("personality", "language"), [("whisper", "en"), ("chuchotte", "fr")])
async def test_plain_failure_in_the_personality_s_language(
    own_settings: Settings, personality: str, language: str
) -> None:
    """A failure is one `<ERROR> ` frame and `<END>`, also after text; the connection goes on."""
    failure = Overloaded("all slots are taken", retry_after_s=3)
    async with (
        site(own_settings, FakeEngine([Text("Well"), failure])) as running,
        running.plain(personality) as socket,
    ):
        for _ in range(2):
            await socket.send_str("Hi")
            text, error = await answer(socket)
            assert ("Well", f"<ERROR> {words(failure, language)}") == (text, error)  # type: ignore[arg-type]


async def test_a_blank_prompt_is_a_failure(whisper: Site) -> None:
    """White space asks nothing: the engine is not bothered, the client is told."""
    async with whisper.plain() as socket:
        for blank in ("", " \n"):
            await socket.send_str(blank)
            [error] = await answer(socket)
            assert error.startswith("<ERROR> ")
            assert "the prompt is empty" in error

    assert whisper.engine.prompts == []


async def test_a_defect_of_ours_is_a_failure_that_tells_nothing(own_settings: Settings) -> None:
    """An unexpected exception ends the answer, not the conversation, and its message stays inside."""
    async with (
        site(own_settings, FakeEngine([ValueError("the secret"), DONE])) as running,
        running.plain() as socket,
    ):
        for _ in range(2):
            await socket.send_str("Hi")
            [error] = await answer(socket)
            assert error.startswith("<ERROR> ")
            assert "secret" not in error


async def test_closing_cancels(own_settings: Settings) -> None:
    """A closed socket frees its slot at once."""
    async with site(own_settings, FakeEngine([Text("a"), asyncio.Event(), DONE])) as running:
        async with running.plain() as socket:
            await socket.send_str("Hi")
            await running.engine.started.wait()
        await running.engine.cancelled.wait()
        assert running.count("csps_web_replies_running") == 0


async def test_a_client_that_vanishes_cancels(own_settings: Settings) -> None:
    """A connection torn down without a closing frame frees its slot, too."""
    async with site(own_settings, FakeEngine([asyncio.Event(), DONE])) as running:
        _reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(handshake(running.port) + client_frame(b"Hi"))
        await running.engine.started.wait()
        writer.transport.abort()
        await running.engine.cancelled.wait()


async def test_a_silent_peer_is_noticed(own_settings: Settings) -> None:
    """One that answers no ping, as behind a cable that was pulled, is cut off and its answer cancelled."""
    limits = Limits(heartbeat_s=0.05)
    async with (
        site(own_settings, FakeEngine([asyncio.Event(), DONE]), limits) as running,
        running.plain(autoping=False) as socket,
    ):
        await socket.send_str("Hi")
        await running.engine.cancelled.wait()


async def test_a_reader_that_takes_nothing_is_cut_off(own_settings: Settings) -> None:
    """A client that does not read is given up, so that its slot is free for others."""

    def endless(_prompt: Prompt) -> Iterator[ReplyStep]:
        while True:
            yield Text("x" * 65_536)

    limits = Limits(send_timeout_s=0.2)
    async with site(own_settings, FakeEngine(endless), limits) as running:
        _reader, writer = await asyncio.open_connection("127.0.0.1", running.port, limit=1)
        writer.write(handshake(running.port) + client_frame(b"Hi"))
        await running.engine.cancelled.wait()
        await running.service.life.idle()
        writer.transport.abort()


def handshake(port: int) -> bytes:
    return (
        f"GET /gpt-socket/whisper HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


def client_frame(text: bytes) -> bytes:
    """A masked text frame whose mask is zero."""
    return bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text


# ---------------------------------------------------------------- what closes a connection


async def test_eight_prompts_may_wait(own_settings: Settings) -> None:
    """Beside the one that is being answered, eight wait; a ninth closes the connection with 1008."""
    gate = asyncio.Event()
    async with site(own_settings, FakeEngine([gate, Text("a"), DONE])) as running:
        async with running.plain() as socket:
            for number in range(9):
                await socket.send_str(str(number))
            gate.set()
            assert [await answer(socket) for _ in range(9)] == [["a"]] * 9

        gate.clear()
        async with running.plain() as socket:
            for number in range(10):
                await socket.send_str(str(number))
            assert await closing(socket) == 1008


async def test_binary_frames_are_refused(whisper: Site) -> None:
    """A binary frame closes with 1003."""
    async with whisper.plain() as socket:
        await socket.send_bytes(b"Hi")
        assert await closing(socket) == 1003


async def test_frames_are_limited_in_size(own_settings: Settings) -> None:
    """A frame above the limit closes with 1009; one below is a prompt."""
    async with site(own_settings, body_limit_bytes=2048) as running, running.plain() as socket:
        await socket.send_str("x" * 2000)
        await answer(socket)
        await socket.send_str("x" * 3000)
        assert await closing(socket) == 1009


async def test_frames_must_be_utf8(whisper: Site) -> None:
    """Text that is none closes with 1007."""
    async with whisper.plain() as socket:
        await socket.send_frame(b"\xff\xfe", WSMsgType.TEXT)
        assert await closing(socket) == 1007


# ---------------------------------------------------------------- refused before the upgrade


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/gpt-socket/nobody", {}, 404),
        ("/gpt-socket/", {}, 404),
        ("/gpt-socket/whisper", {"Origin": "https://evil.example"}, 403),
        ("/gpt-socket/whisper", {"Origin": "null"}, 403),
        ("/gpt-socket/whisper", {"Sec-Fetch-Site": "cross-site"}, 403),
        ("/gpt-socket/whisper", {"Host": "evil.example"}, 421),
        ("/gpt-socket/whisper", {"Sec-WebSocket-Protocol": "csps-llm.v9"}, 400),
    ],
)
async def test_refused_handshakes(whisper: Site, path: str, headers: dict[str, str], status: int) -> None:
    """What can be refused is refused with a status, not with an upgrade and a closing frame."""
    with pytest.raises(WSServerHandshakeError) as refusal:
        await whisper.http.ws_connect(path, headers=headers)

    assert status == refusal.value.status


async def test_own_origin_may_connect(whisper: Site) -> None:
    """The page's own origin is allowed, by whichever name of the loopback."""
    for name in ("localhost", "127.0.0.1", "[::1]"):
        async with whisper.plain(headers={"Origin": f"http://{name}:{whisper.port}"}) as socket:
            await socket.send_str("Hi")
            await answer(socket)


async def test_without_an_upgrade(whisper: Site) -> None:
    """A plain GET is told what this endpoint is."""
    async with whisper.http.get("/gpt-socket/whisper") as response:
        assert (response.status, response.headers["Upgrade"]) == (426, "websocket")
        assert "WebSocket" in await response.text()


# ---------------------------------------------------------------- csps-llm.v1


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

    assert {"type": "error", "code": "overloaded", "message": words(failure, "fr"), "retry_after_s": 3} == error


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
    whisper.engine.sessions["web:other"] = ("chuchotte", None, [Said("user", "secret")])
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
    assert any(reason in error["message"] for reason in ("not valid JSON", "object", "`", "nested"))


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


# ---------------------------------------------------------------- stopping


async def test_an_idle_socket_is_closed_when_the_service_stops(whisper: Site) -> None:
    """1001: going away."""
    async with whisper.plain() as socket:
        await socket.send_str("Hi")
        await answer(socket)
        whisper.service.life.stop()
        assert await closing(socket) == 1001


async def test_answers_may_finish_when_the_service_stops(own_settings: Settings) -> None:
    """What is being answered is answered, what waits is refused, and then the socket is closed."""
    gate = asyncio.Event()
    async with (
        site(own_settings, FakeEngine([Text("a"), gate, Text("b"), DONE]), drain_s=60.0) as running,
        running.v1() as socket,
    ):
        await socket.send_json(PROMPT)
        await until(socket, "text")
        await socket.send_json(PROMPT)
        await socket.send_json({"type": "unknown"})
        running.service.life.stop()
        gate.set()
        first = await until(socket, "done", "error")
        second = await until(socket, "done", "error")
        third = await until(socket, "done", "error")
        code = await closing(socket)

    assert [first[0]["text"], first[1]["type"]] == ["b", "done"]
    assert [second[0]["code"], third[0]["code"]] == ["stopping", "bad_request"]
    assert code == 1001


async def test_answers_that_outlast_the_drain_end_with_an_error(own_settings: Settings) -> None:
    """Nobody is left without an end: what is cut says so."""
    async with site(own_settings, FakeEngine([Text("a"), asyncio.Event(), DONE]), drain_s=0.0) as running:
        async with running.plain() as socket:
            await socket.send_str("Hi")
            await socket.receive_str()
            running.service.life.stop()
            [error] = await answer(socket)
            assert error.startswith("<ERROR> ")
            assert await closing(socket) == 1001
        assert running.engine.cancelled.is_set()


async def test_frames_of_garbage_do_no_harm(whisper: Site) -> None:
    """Bytes that are no frames at all end their own connection and no other."""
    for garbage in (b"\x00" * 64, b"\xff" * 64, b"\x8f\x80\0\0\0\0"):
        reader, writer = await asyncio.open_connection("127.0.0.1", whisper.port)
        writer.write(handshake(whisper.port) + garbage)
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.transport.abort()

    async with whisper.plain() as socket:
        await socket.send_str(json.dumps(PROMPT))
        assert await answer(socket) == ["Hello", " world."]
