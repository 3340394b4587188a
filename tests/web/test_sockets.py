"""/gpt-socket in the plain dialect, and draining of sockets."""

from __future__ import annotations

import asyncio
from socket import SHUT_RDWR

import pytest
from structlog.testing import capture_logs

from core.configuration.settings import Settings
from core.contract import Language, Text
from core.errors import Overloaded
from core.texts import error_text, text
from tests.support.fake_engine import FakeEngine
from tests.web.support_site import Site, receive_answer, receive_until, site
from tests.web.support_socket import DONE, PROMPT, echo, receive_close_code


async def test_answer_ends_with_a_marker(whisper: Site) -> None:
    """A frame is a prompt; frames of text come back, then `<END>`."""
    async with whisper.plain() as socket:
        await socket.send_str("Hi")
        assert await receive_answer(socket) == ["Hello", " world."]


async def test_prompts_of_one_connection_are_one_conversation(whisper: Site) -> None:
    """They share one stored conversation, which starts with the first prompt."""
    async with whisper.plain() as socket:
        assert whisper.engine.sessions == {}
        for text in ("One", "Two"):
            await socket.send_str(text)
            await receive_answer(socket)

    first, second = whisper.engine.prompts
    assert (first.text, second.text) == ("One", "Two")
    assert first.conversation == second.conversation
    assert [first.conversation] == list(whisper.engine.sessions)
    assert first.user == second.user
    assert "127.0.0.1" not in str(first.user)


async def test_ten_sockets_at_once(own_settings: Settings) -> None:
    """Each gets its own answer and its own `<END>`."""
    async with site(own_settings, FakeEngine(echo)) as running:

        async def ask(number: int) -> str:
            async with running.plain() as socket:
                await socket.send_str(f"number {number}")
                return "".join(await receive_answer(socket))

        answers = await asyncio.gather(*(ask(number) for number in range(10)))

    assert [f"You said: number {number}" for number in range(10)] == answers
    assert len({prompt.conversation for prompt in running.engine.prompts}) == 10


async def test_model_cannot_end_its_answer_early(own_settings: Settings) -> None:
    """Markers in the model's text arrive in frames that no client takes for markers."""
    async with (
        site(own_settings, FakeEngine([Text("<END>"), Text("<ERROR> no"), DONE])) as running,
        running.plain() as socket,
    ):
        await socket.send_str("Hi")
        frames = await receive_answer(socket)

    assert "".join(frames) == "<END><ERROR> no"
    assert not any(frame.startswith("<ERROR>") for frame in frames)


@pytest.mark.parametrize(("personality", "language"), [("whisper", "en"), ("chuchotte", "fr")])
async def test_failure_is_in_the_language_of_the_personality(
    own_settings: Settings, personality: str, language: str
) -> None:
    """One `<ERROR> ` frame and `<END>`, also after text; the conversation goes on."""
    failure = Overloaded("all slots are taken", retry_after_s=3)
    async with (
        site(own_settings, FakeEngine([Text("Well"), failure])) as running,
        running.plain(personality) as socket,
    ):
        for _ in range(2):
            await socket.send_str("Hi")
            text, error = await receive_answer(socket)
            assert ("Well", f"<ERROR> {error_text(failure, language)}") == (text, error)  # type: ignore[arg-type]


@pytest.mark.parametrize(("personality", "language"), [("whisper", "en"), ("chuchotte", "fr")])
async def test_blank_prompt_is_an_error(whisper: Site, personality: str, language: Language) -> None:
    """The engine is not called; the error is in the personality's language only."""
    async with whisper.plain(personality) as socket:
        for blank in ("", " \n"):
            await socket.send_str(blank)
            assert [f"<ERROR> {text('error-bad_request-empty', language)}"] == await receive_answer(socket)

    assert whisper.engine.prompts == []


async def test_closed_socket_counts_as_101(whisper: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """499 is for lost connections."""
    ended = count_ended(whisper, monkeypatch)
    with capture_logs() as logs:
        async with whisper.plain() as socket:
            await socket.send_str("Hi")
            await receive_answer(socket)
        async with whisper.v1() as socket:
            await socket.send_json(PROMPT)
            await receive_until(socket, "done")
            await socket.send_json({"type": "forget"})
            await receive_close_code(socket)
        await ended.get()
        await ended.get()

    assert [101, 101] == [each["status"] for each in logs if each["event"] == "request"]


async def test_lost_socket_counts_as_499(whisper: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was lost without a closing frame."""
    ended = count_ended(whisper, monkeypatch)
    with capture_logs() as logs:
        async with whisper.plain() as socket:
            await socket.send_str("Hi")
            await receive_answer(socket)
            connection = socket.get_extra_info("socket")
            connection.shutdown(SHUT_RDWR)
            await ended.get()

    assert [499] == [each["status"] for each in logs if each["event"] == "request"]


def count_ended(running: Site, monkeypatch: pytest.MonkeyPatch) -> asyncio.Queue[int]:
    """A queue of the statuses of ended requests. A socket is counted when its handler has ended."""
    ended: asyncio.Queue[int] = asyncio.Queue()
    count_request = running.service.metrics.count_request

    def count(route: str, method: str, status: int) -> None:
        count_request(route, method, status)
        ended.put_nowait(status)

    monkeypatch.setattr(running.service.metrics, "count_request", count)
    return ended


async def test_defect_is_an_error_without_its_message(own_settings: Settings) -> None:
    """An unexpected exception ends the answer, not the conversation."""
    async with (
        site(own_settings, FakeEngine([ValueError("the secret"), DONE])) as running,
        running.plain() as socket,
    ):
        for _ in range(2):
            await socket.send_str("Hi")
            [error] = await receive_answer(socket)
            assert error.startswith("<ERROR> ")
            assert "secret" not in error


async def test_drain_closes_an_idle_socket(whisper: Site) -> None:
    """The close code is 1001, "going away"."""
    async with whisper.plain() as socket:
        await socket.send_str("Hi")
        await receive_answer(socket)
        whisper.service.gate.stop()
        assert await receive_close_code(socket) == 1001


async def test_drain_finishes_the_running_answer(own_settings: Settings) -> None:
    """Waiting prompts are refused, then the socket is closed."""
    gate = asyncio.Event()
    async with (
        site(own_settings, FakeEngine([Text("a"), gate, Text("b"), DONE]), drain_s=60.0) as running,
        running.v1() as socket,
    ):
        await socket.send_json(PROMPT)
        await receive_until(socket, "text")
        await socket.send_json(PROMPT)
        await socket.send_json({"type": "unknown"})
        running.service.gate.stop()
        gate.set()
        first = await receive_until(socket, "done", "error")
        second = await receive_until(socket, "done", "error")
        third = await receive_until(socket, "done", "error")
        code = await receive_close_code(socket)

    assert [first[0]["text"], first[1]["type"]] == ["b", "done"]
    assert [second[0]["code"], third[0]["code"]] == ["stopping", "bad_request"]
    assert code == 1001


async def test_answer_that_outlasts_the_drain_ends_with_an_error(own_settings: Settings) -> None:
    """No answer is left without an end."""
    async with site(own_settings, FakeEngine([Text("a"), asyncio.Event(), DONE]), drain_s=0.0) as running:
        async with running.plain() as socket:
            await socket.send_str("Hi")
            await socket.receive_str()
            running.service.gate.stop()
            [error] = await receive_answer(socket)
            assert error.startswith("<ERROR> ")
            assert await receive_close_code(socket) == 1001
        assert running.engine.cancelled.is_set()
