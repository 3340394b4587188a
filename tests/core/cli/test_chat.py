"""`csps-llm chat` against the real web application, with a fake engine."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest
from aiohttp import web

from core import PROJECT_ROOT
from core.cli.chat import awaited_text, failure_text, strip_controls
from core.cli.chat_client import ChatClient, Frame, NotTheService, ServiceUnreachable
from core.configuration.settings import Settings
from core.contract import Done, ModelProgress, Status, Text, Usage
from core.errors import ModelRefused, PersonalityUnknown
from tests.support.fake_engine import FakeEngine
from tests.web.support_site import site

COMMAND = (sys.executable, "-c", "from core.cli import main; main()", "chat")
ENVIRON = {**os.environ, "LC_ALL": "C.UTF-8"}
FINISHED = Done("stop", "fake-model", Usage(1, 1, 0))


async def frames_of(client: ChatClient, prompt: str) -> list[Frame]:
    async with aclosing(client.ask(prompt)) as frames:
        return [frame async for frame in frames]


# ---------------------------------------------------------------- the client


async def test_prompts_follow_one_another_in_one_session(own_settings: Settings) -> None:
    """The second prompt has its own connection, and resumes the first one's session."""
    engine = FakeEngine()
    async with site(own_settings, engine) as running:
        client = ChatClient(running.url, "whisper", "en")
        first = await frames_of(client, "one")
        second = await frames_of(client, "two")
    assert [frame["type"] for frame in first] == ["session", "text", "text", "done"]
    assert "".join(frame["text"] for frame in second if frame["type"] == "text") == "Hello world."
    assert [prompt.text for prompt in engine.prompts] == ["one", "two"]
    assert len({prompt.conversation for prompt in engine.prompts}) == 1


async def test_an_expired_session_is_replaced(own_settings: Settings) -> None:
    """An error frame says so, and the prompt is answered in a new session."""
    engine = FakeEngine()
    async with site(own_settings, engine) as running:
        client = ChatClient(running.url, "whisper", "en")
        client.session = "web:gone"
        frames = await frames_of(client, "hello")
    assert [frame["type"] for frame in frames] == ["error", "session", "text", "text", "done"]
    assert client.session in engine.sessions


async def test_stop_ends_the_answer(own_settings: Settings) -> None:
    """The engine is cancelled, and the last frame has the reason "stopped"."""
    engine = FakeEngine([Text("Once"), asyncio.Event()])
    async with site(own_settings, engine) as running:
        client = ChatClient(running.url, "whisper", "en")
        seen = []
        async with asyncio.timeout(30), aclosing(client.ask("a story")) as frames:
            async for frame in frames:
                seen.append(frame)
                if frame["type"] == "text":
                    client.stop()
        await asyncio.wait_for(engine.cancelled.wait(), 30)
    assert seen[-1]["reason"] == "stopped"


async def test_a_missing_service_or_personality(own_settings: Settings) -> None:
    """They are different errors."""
    async with site(own_settings) as running:
        with pytest.raises(PersonalityUnknown):
            await ChatClient(running.url, "nobody", "en").describe()
        with pytest.raises(PersonalityUnknown):
            await frames_of(ChatClient(running.url, "nobody", "en"), "hello")
        url = running.url
    with pytest.raises(ServiceUnreachable):
        await ChatClient(url, "whisper", "en").describe()
    with pytest.raises(ServiceUnreachable):
        await frames_of(ChatClient(url, "whisper", "en"), "hello")


@asynccontextmanager
async def another_program(answer: bytes) -> AsyncIterator[str]:
    """The URL of a program that sends `answer` to any request."""

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(once, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nNot Found",
        b'HTTP/1.1 404 Not Found\r\nContent-Length: 21\r\n\r\n{"detail":"Not Found"}'[:-1],
        b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>",
        b"SSH-2.0-OpenSSH_9.6\r\n",
    ],
)
async def test_another_program_is_not_taken_for_the_service(answer: bytes) -> None:
    """The error is about the program, not about a missing personality."""
    async with another_program(answer) as url:
        client = ChatClient(url, "whisper", "en")
        with pytest.raises(NotTheService):
            await client.describe()
        with pytest.raises(NotTheService):
            await frames_of(client, "hello")
        assert failure_text(NotTheService(url), client, "en").startswith(
            f"The program that answers at {url} is not csps"
        )


# ---------------------------------------------------------------- through a pipe


async def piped(text: str, *arguments: str, **environ: str) -> tuple[int | None, str, str]:
    child = await asyncio.create_subprocess_exec(
        *COMMAND, *arguments, stdin=PIPE, stdout=PIPE, stderr=PIPE, cwd=PROJECT_ROOT, env={**ENVIRON, **environ}
    )
    async with asyncio.timeout(60):
        out, err = await child.communicate(text.encode())
    return child.returncode, out.decode(), err.decode()


async def test_each_line_is_a_prompt(own_settings: Settings) -> None:
    """Empty lines are skipped, and a slash has no meaning. stdout holds only answers."""
    engine = FakeEngine()
    async with site(own_settings, engine) as running:
        outcome = await piped("one\n\n/quit\n", "--url", running.url)
    assert outcome == (0, "Hello world.\nHello world.\n", "")
    assert [prompt.text for prompt in engine.prompts] == ["one", "/quit"]
    assert [prompt.personality for prompt in engine.prompts] == ["whisper", "whisper"]


async def test_a_failure_goes_to_stderr_and_into_the_exit_status(own_settings: Settings) -> None:
    """Later lines are still answered."""
    replies = iter([[ModelRefused("no")], [Text("Yes"), FINISHED]])
    async with site(own_settings, FakeEngine(lambda _: next(replies))) as running:
        status, out, err = await piped("one\ntwo\n", "--url", running.url)
    assert (status, out) == (1, "Yes\n")
    assert err != ""


async def test_an_unreachable_service_in_french() -> None:
    """The message is in the locale's language, and says how to start the service."""
    status, out, err = await piped("hello\n", "--url", "http://127.0.0.1:1", LC_ALL="fr_CA.UTF-8")
    assert (status, out) == (1, "")
    assert "Aucun service" in err
    assert "make run" in err


# ---------------------------------------------------------------- at a terminal


class TerminalUser:
    """Types into a terminal and reads its output."""

    def __init__(self, child: asyncio.subprocess.Process, terminal: int, shown: asyncio.StreamReader) -> None:
        self.child = child
        self._terminal = terminal
        self._shown = shown
        self.seen = ""
        self._read_to = 0

    def type(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    async def interrupts(self) -> int:
        """Sends Ctrl+C until the program ends: Python's readline misses one that comes while it shows its prompt."""
        ended = asyncio.create_task(self.child.wait())
        while not ended.done():
            self.child.send_signal(signal.SIGINT)
            await asyncio.wait({ended}, timeout=5)
        return ended.result()

    async def sees(self, text: str) -> None:
        """Returns when `text` appears after the text of the last call."""
        async with asyncio.timeout(30):
            while text not in self.seen[self._read_to :]:
                chunk = await self._shown.read(4096)
                assert chunk, f"{text!r} never came; it showed: {self.seen}"
                self.seen += chunk.decode(errors="replace")
        self._read_to = self.seen.index(text, self._read_to) + len(text)


@asynccontextmanager
async def open_terminal(*arguments: str) -> AsyncIterator[TerminalUser]:
    terminal, theirs = pty.openpty()
    child = await asyncio.create_subprocess_exec(
        *COMMAND, *arguments, stdin=theirs, stdout=theirs, stderr=theirs, cwd=PROJECT_ROOT, env=ENVIRON
    )
    os.close(theirs)
    shown = asyncio.StreamReader()
    pipe = os.fdopen(os.dup(terminal), "rb", buffering=0)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(shown), pipe)
    try:
        yield TerminalUser(child, terminal, shown)
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()
        transport.close()
        os.close(terminal)


async def test_a_session_at_the_terminal(own_settings: Settings) -> None:
    """Greeting, answers, Ctrl+C during an answer, commands, and Ctrl+C at the prompt, which ends with status 0."""
    replies = iter(
        [[Text("Hi \x1b[2Jthere"), FINISHED], [Text("Once upon"), asyncio.Event()], [Text("Anew"), FINISHED]]
    )
    engine = FakeEngine(lambda _: next(replies))
    async with site(own_settings, engine) as running, open_terminal("--url", running.url) as person:
        await person.sees("fake-model, the starter model")
        await person.sees("Hello!")
        await person.sees("> ")
        person.type("hello\n")
        await person.sees("Hi [2Jthere")
        await person.sees("> ")
        person.type("a story\n")
        await person.sees("Once upon")
        person.child.send_signal(signal.SIGINT)
        await person.sees("(stopped)")
        await person.sees("> ")
        person.type("/new\n")
        await person.sees("A new conversation.")
        await person.sees("> ")
        person.type("/personality chuchotte\n")
        await person.sees("Bonjour !")
        await person.sees("> ")
        person.type("salut\n")
        await person.sees("Anew")
        await person.sees("> ")
        person.type("/dance\n")
        await person.sees("There is no command /dance.")
        await person.sees("> ")
        async with asyncio.timeout(30):
            assert await person.interrupts() == 0
    assert [prompt.personality for prompt in engine.prompts] == ["whisper", "whisper", "chuchotte"]
    assert engine.prompts[0].conversation == engine.prompts[1].conversation


async def test_a_terminal_names_the_models(own_settings: Settings) -> None:
    """It shows a download at the start, a model that is loaded, and another model that answers."""
    done = Done("stop", "Ministral 3B", Usage())
    engine = FakeEngine([Status("loading", wait_s=3.0), Text("Hi"), done])
    engine.next_model = ModelProgress("Ministral 3B", "downloading", 2, 5)
    async with site(own_settings, engine) as running, open_terminal("--url", running.url) as person:
        await person.sees("fake-model, the starter model")
        await person.sees("Ministral 3B is being downloaded (40%) and will then answer.")
        person.type("hello\n")
        await person.sees("The model is loading… Expected wait: about 5 seconds.")
        await person.sees("Hi")
        await person.sees("Model: Ministral 3B")
        await person.sees("> ")


@pytest.mark.parametrize(
    ("state", "total", "words"),
    [
        ("downloading", None, "is being downloaded and will"),
        ("loading", None, "is being loaded"),
        ("failed", 5, "is not available. Tiny answers in its place."),
    ],
)
def test_a_model_that_does_not_answer_yet(state: str, total: int | None, words: str) -> None:
    awaited = {"title": "Large", "state": state, "done_bytes": 1, "total_bytes": total}

    assert words in awaited_text(awaited, "Tiny", "en")


@asynccontextmanager
async def service_that_never_stops() -> AsyncIterator[tuple[str, asyncio.Event]]:
    """The URL of a service that does not stop answers, and an event that is set when it gets a `stop` frame."""
    stop_received = asyncio.Event()

    async def socket(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=("csps-llm.v1",))
        await socket.prepare(request)
        async for message in socket:
            if message.json()["type"] == "stop":
                stop_received.set()
            else:
                await socket.send_json({"type": "text", "text": "Once upon"})
        return socket

    async def describe(_: web.Request) -> web.Response:
        return web.json_response({"personality": "whisper", "model": "m"})

    app = web.Application()
    app.router.add_get("/gpt-socket/whisper", socket)
    app.router.add_get("/describe/whisper", describe)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0)
    await listener.start()
    try:
        yield f"http://127.0.0.1:{listener.port}", stop_received
    finally:
        await runner.cleanup()


async def test_a_second_ctrl_c_does_not_wait() -> None:
    """The prompt appears again, even if the service does not stop the answer."""
    async with service_that_never_stops() as (url, stop_received), open_terminal("--url", url) as person:
        await person.sees("> ")
        person.type("a story\n")
        await person.sees("Once upon")
        person.child.send_signal(signal.SIGINT)
        async with asyncio.timeout(30):
            await stop_received.wait()
        person.child.send_signal(signal.SIGINT)
        await person.sees("> ")
        person.type("/quit\n")
        async with asyncio.timeout(30):
            assert await person.child.wait() == 0


async def test_an_unreachable_service_ends_the_chat() -> None:
    """The exit status is 1."""
    async with open_terminal("--url", "http://127.0.0.1:1") as person:
        await person.sees("No service answers")
        async with asyncio.timeout(30):
            assert await person.child.wait() == 1


def test_an_answer_cannot_steer_the_terminal() -> None:
    """Control characters are removed; line ends, tabs and every language stay."""
    assert strip_controls("a\x1b[31mb\r\x07\n\tçé日 5\u00a0$") == "a[31mb\n\tçé日 5\u00a0$"
