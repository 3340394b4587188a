"""`csps-llm chat`: a conversation in the terminal, or one prompt per line through a pipe."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any

from core.cli.chat_client import ChatClient, Frame, NotTheService, ServiceUnreachable
from core.cli.localization import locale_language
from core.cli.readiness import browser_url
from core.configuration import settings
from core.contract import Language, Status
from core.errors import CspsError, PersonalityUnknown
from core.runtime.log import is_displayable
from core.texts import status_text, text

DEFAULT_PERSONALITIES: Mapping[Language, str] = {"en": "whisper", "fr": "chuchotte"}
DIM, PLAIN = "\x1b[2m", "\x1b[0m"


def chat(environ: Mapping[str, str], personality: str | None, url: str | None) -> int:
    """Runs a conversation. Returns the exit status: 1 if a prompt was not answered."""
    language = locale_language(environ)
    if url is None:
        web = settings.load(environ).web
        url = browser_url(web.host, web.port)
    client = ChatClient(url, personality or DEFAULT_PERSONALITIES[language], language)
    with asyncio.Runner() as runner:
        if sys.stdin.isatty() and sys.stdout.isatty():
            return TerminalChat(client, language, runner).run()
        return answer_lines(client, language, runner)


def answer_lines(client: ChatClient, language: Language, runner: asyncio.Runner) -> int:
    """Answers each line of stdin, slash or not. Writes only answers to stdout. Returns the exit status."""
    status = 0
    for line in sys.stdin:
        if prompt := line.strip():
            status |= runner.run(answer_line(client, prompt, language))
    return status


async def answer_line(client: ChatClient, prompt: str, language: Language) -> int:
    try:
        async with aclosing(client.ask(prompt)) as frames:
            async for frame in frames:
                if frame["type"] == "text":
                    write(frame["text"])
                elif frame["type"] == "error" and frame["code"] != "session_unknown":
                    return print_failure(frame["message"])
    except CspsError as exc:
        return print_failure(failure_text(exc, client, language))
    write("\n")
    return 0


def print_failure(message: str) -> int:
    print(message, file=sys.stderr, flush=True)
    return 1


class TerminalChat:
    """Reads prompts and commands from a terminal, and shows answers while they are written."""

    def __init__(self, client: ChatClient, language: Language, runner: asyncio.Runner) -> None:
        self._client = client
        self._language = language
        self._runner = runner
        self._model: str | None = None  # as last shown

    def run(self) -> int:
        """Returns the exit status when the person leaves."""
        with contextlib.suppress(ImportError):
            importlib.import_module("readline")  # gives input() its history and arrow keys, where Python has it
        if not self._greet():
            return 1
        while (line := read_line()) is not None:
            if line.startswith("/"):
                if not self._run_command(*line.split(maxsplit=1)):
                    return 0
            elif line:
                self._attempt(self._answer(line))
        return 0

    def _run_command(self, command: str, argument: str = "") -> bool:
        """Returns False if the command ends the conversation."""
        if command == "/quit":
            return False
        if command == "/personality" and argument:
            before = self._client
            self._client = ChatClient(before.url, argument, self._language)
            if not self._greet():
                self._client = before
        elif command == "/new":
            self._client.session = None
            self._write_note(text("cli-chat-new", self._language))
        elif command in ("/help", "/personality"):
            self._write_note(text("cli-chat-help", self._language))
        else:
            self._write_note(text("cli-chat-command-unknown", self._language, command=command))
        return True

    def _greet(self) -> bool:
        return self._attempt(self._introduce())

    async def _introduce(self) -> None:
        description = await self._client.describe()
        self._model = description.get("model")
        if self._model:
            key = "cli-chat-model-starter" if description.get("starter") else "cli-chat-model"
            self._write_note(text(key, self._language, model=self._model))
            if awaited := description.get("next_model"):
                self._write_note(awaited_text(awaited, self._model, self._language))
        self._write_note(text("cli-chat-help", self._language))
        if greeting := description.get("greeting"):
            write(f"\n{strip_controls(str(greeting))}\n")

    async def _answer(self, prompt: str) -> None:
        async with on_ctrl_c(self._client.stop), aclosing(self._client.ask(prompt)) as frames:
            async for frame in frames:
                self._show(frame)

    def _show(self, frame: Frame) -> None:
        match frame:
            case {"type": "text", "text": part}:
                write(strip_controls(part))
            case {"type": "status", "state": state}:
                status = Status(state, frame.get("position"), frame.get("wait_s"), frame.get("turns_dropped"))
                self._write_note(status_text(status, self._language))
            case {"type": "masked", "message": message}:
                self._write_note(message)
            case {"type": "source", "number": number, "title": title}:
                self._write_note(f"[{number}] {title} {frame.get('url') or ''}".rstrip())
            case {"type": "error", "code": "session_unknown"}:
                self._write_note(text("cli-chat-session-expired", self._language))
            case {"type": "error", "message": message}:
                write(f"\n{strip_controls(message)}\n")
            case {"type": "done", "reason": reason}:
                write("\n")
                self._note_model(frame.get("model"))
                if reason in ("length", "stopped"):
                    self._write_note(text(f"cli-chat-end-{reason}", self._language))

    def _note_model(self, model: str | None) -> None:
        """Names the model that answered if another one did before."""
        if model and model != self._model:
            self._model = model
            self._write_note(text("cli-chat-model", self._language, model=model))

    def _attempt(self, work: Coroutine[Any, Any, None]) -> bool:
        try:
            self._runner.run(work)
        except CspsError as exc:
            print_failure(failure_text(exc, self._client, self._language))
            return False
        except (KeyboardInterrupt, asyncio.CancelledError):
            write("\n")  # a second Ctrl+C did not wait for the answer's end
        return True

    def _write_note(self, note: str) -> None:
        write(f"{DIM}{strip_controls(note)}{PLAIN}\n")


def awaited_text(awaited: Frame, model: str, language: Language) -> str:
    """The progress of the model (`next_model` of a description) in whose place `model` answers."""
    title, total = awaited["title"], awaited["total_bytes"]
    match awaited["state"]:
        case "failed":
            return text("cli-chat-next-failed", language, title=title, model=model)
        case "loading":
            return text("cli-chat-next-loading", language, title=title)
    if not total:
        return text("cli-chat-next-downloading", language, title=title)
    percent = min(99, 100 * awaited["done_bytes"] // total)  # 100 would be complete
    return text("cli-chat-next-downloading-share", language, title=title, share=percent / 100)


def read_line() -> str | None:
    """Reads a line; None if the person leaves by Ctrl+C or Ctrl+D."""
    try:
        return input("\n> ").strip()
    except (EOFError, KeyboardInterrupt):
        write("\n")
        return None


@asynccontextmanager
async def on_ctrl_c(stop: Callable[[], None]) -> AsyncIterator[None]:
    """The first Ctrl+C calls `stop`; the second cancels the task."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task

    def stop_first() -> None:
        stop()
        loop.add_signal_handler(signal.SIGINT, task.cancel)

    loop.add_signal_handler(signal.SIGINT, stop_first)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)


def write(content: str) -> None:
    sys.stdout.write(content)
    sys.stdout.flush()


def strip_controls(content: str) -> str:
    """Removes control characters: the output of a model must not steer the terminal."""
    return "".join(char for char in content if is_displayable(char) or char in "\n\t")


def failure_text(exc: CspsError, client: ChatClient, language: Language) -> str:
    match exc:
        case ServiceUnreachable():
            return text("cli-chat-unreachable", language, url=client.url)
        case NotTheService():
            return text("cli-chat-not-the-service", language, url=client.url)
        case PersonalityUnknown():
            return text("cli-chat-personality-unknown", language, name=client.personality)
    return exc.message
