"""`csps-llm chat`: a conversation in the terminal, or one prompt a line through a pipe. The protocol is elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any

from core.cli.announcement import shown_url
from core.cli.conversation import Conversation, Frame, NotOurs, PersonalityAway, ServiceAway
from core.cli.words import Table, Words, language_of
from core.configuration import settings
from core.contract import Language
from core.errors import CspsError

WHO: Mapping[Language, str] = {"en": "whisper", "fr": "chuchotte"}
DIM, PLAIN = "\x1b[2m", "\x1b[0m"

WORDS: Table = {
    "model": ("Model: {model}", "Modèle : {model}"),
    "starter": (
        "Model: {model}, the starter model: its answers are weak.",
        "Modèle : {model}, le modèle de départ : ses réponses sont faibles.",
    ),
    "help": (
        "/new begins anew · /personality NAME changes it · /quit or Ctrl-C leaves · Ctrl-C stops an answer",
        "/new recommence · /personality NOM en change · /quit ou Ctrl-C quitte · Ctrl-C arrête une réponse",
    ),
    "new": ("A new conversation.", "Une nouvelle conversation."),
    "queued": ("waiting, place {position} …", "en attente, place {position} …"),
    "reading": ("reading …", "lecture …"),
    "thinking": ("thinking …", "réflexion …"),
    "reconnecting": (
        "the model is being restarted; the answer will go on …",
        "le modèle redémarre; la réponse va continuer …",
    ),
    "trimmed": (
        "the {turns} oldest turns no longer fit and are left out",
        "les {turns} plus anciens échanges ne tiennent plus et sont laissés de côté",
    ),
    "length": ("(cut off: the longest answer there is)", "(coupée : c'est la plus longue réponse possible)"),
    "stopped": ("(stopped)", "(arrêtée)"),
    "expired": (
        "That conversation no longer exists; this is a new one.",
        "Cette conversation n'existe plus; en voici une nouvelle.",
    ),
    "away": (
        "No service answers at {url}. Start it with `make run`, or name another with --url.",
        "Aucun service ne répond à {url}. Lancez-le avec `make run`, ou nommez-en un autre par --url.",
    ),
    "not_ours": (
        "What answers at {url} is not csps-llm. Name the service with --url, or see HOST and PORT.",
        "Ce qui répond à {url} n'est pas csps-llm. Nommez le service par --url, ou voyez HOST et PORT.",
    ),
    "nobody": (
        "There is no personality named {name}. `csps-llm personalities list` shows those there are.",
        "Il n'y a pas de personnalité nommée {name}. `csps-llm personalities list` montre celles qui existent.",
    ),
    "unknown_command": ("There is no command {command}.", "Il n'y a pas de commande {command}."),
}


def chat(environ: Mapping[str, str], personality: str | None, url: str | None) -> int:
    """The exit status: 0, or 1 when a prompt was not answered."""
    language = language_of(environ)
    words = Words(WORDS, language)
    if url is None:
        web = settings.load(environ).web
        url = shown_url(web.host, web.port)
    conversation = Conversation(url, personality or WHO[language], language)
    with asyncio.Runner() as runner:
        if sys.stdin.isatty() and sys.stdout.isatty():
            return Terminal(conversation, words, language, runner).talk()
        return through_pipe(conversation, words, runner)


def through_pipe(conversation: Conversation, words: Words, runner: asyncio.Runner) -> int:
    """Each line of stdin is a prompt, whatever it looks like; stdout gets the answers and nothing else."""
    failed = 0
    for line in sys.stdin:
        if prompt := line.strip():
            failed |= runner.run(answer_line(conversation, prompt, words))
    return failed


async def answer_line(conversation: Conversation, prompt: str, words: Words) -> int:
    try:
        async with aclosing(conversation.ask(prompt)) as frames:
            async for frame in frames:
                if frame["type"] == "text":
                    write(frame["text"])
                elif frame["type"] == "error" and frame["code"] != "session_unknown":
                    return complain(frame["message"])
    except CspsError as exc:
        return complain(in_words(exc, conversation, words))
    write("\n")
    return 0


def complain(message: str) -> int:
    print(message, file=sys.stderr, flush=True)
    return 1


class Terminal:
    """Reads lines, shows answers as they are written."""

    def __init__(self, conversation: Conversation, words: Words, language: Language, runner: asyncio.Runner) -> None:
        self._conversation = conversation
        self._words = words
        self._language = language
        self._runner = runner

    def talk(self) -> int:
        """Until the person leaves."""
        with contextlib.suppress(ImportError):
            importlib.import_module("readline")  # gives input() its history and arrow keys, where Python has it
        if not self._greet():
            return 1
        while (line := read_line()) is not None:
            if line.startswith("/"):
                if not self._obey(*line.split(maxsplit=1)):
                    return 0
            elif line:
                self._attempt(self._answer(line))
        return 0

    def _obey(self, command: str, argument: str = "") -> bool:
        """Whether the conversation goes on."""
        if command == "/quit":
            return False
        if command == "/personality" and argument:
            before = self._conversation
            self._conversation = Conversation(before.url, argument, self._language)
            if not self._greet():
                self._conversation = before
        elif command == "/new":
            self._conversation.session = None
            self._note("new")
        else:
            self._note("help" if command in ("/help", "/personality") else "unknown_command", command=command)
        return True

    def _greet(self) -> bool:
        return self._attempt(self._introduce())

    async def _introduce(self) -> None:
        about = await self._conversation.describe()
        if about.get("model"):
            self._note("starter" if about.get("starter") else "model", model=about["model"])
        self._note("help")
        if about.get("greeting"):
            write(f"\n{harmless(str(about['greeting']))}\n")

    async def _answer(self, prompt: str) -> None:
        async with on_ctrl_c(self._conversation.stop), aclosing(self._conversation.ask(prompt)) as frames:
            async for frame in frames:
                self._show(frame)

    def _show(self, frame: Frame) -> None:
        match frame:
            case {"type": "text", "text": text}:
                write(harmless(text))
            case {"type": "status", "state": str(state)}:
                self._note(state, position=frame.get("position"), turns=frame.get("turns_dropped"))
            case {"type": "source", "number": number, "title": title}:
                write(f"{DIM}[{number}] {harmless(str(title))} {harmless(str(frame.get('url') or ''))}{PLAIN}\n")
            case {"type": "error", "code": "session_unknown"}:
                self._note("expired")
            case {"type": "error", "message": message}:
                write(f"\n{harmless(message)}\n")
            case {"type": "done", "reason": reason}:
                write("\n")
                if reason in ("length", "stopped"):
                    self._note(reason)

    def _attempt(self, doing: Coroutine[Any, Any, None]) -> bool:
        try:
            self._runner.run(doing)
        except CspsError as exc:
            print(in_words(exc, self._conversation, self._words), file=sys.stderr)
            return False
        except (KeyboardInterrupt, asyncio.CancelledError):
            write("\n")  # the second Ctrl-C did not wait for the answer's end
        return True

    def _note(self, key: str, **values: object) -> None:
        write(f"{DIM}{harmless(self._words(key, **values))}{PLAIN}\n")


def read_line() -> str | None:
    """What was typed; None when the person leaves by Ctrl-C or Ctrl-D."""
    try:
        return input("\n> ").strip()
    except (EOFError, KeyboardInterrupt):
        write("\n")
        return None


@asynccontextmanager
async def on_ctrl_c(stop: Callable[[], None]) -> AsyncIterator[None]:
    """The first Ctrl-C calls `stop`; the second cancels, as it would have done."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task

    def first() -> None:
        stop()
        loop.add_signal_handler(signal.SIGINT, task.cancel)

    loop.add_signal_handler(signal.SIGINT, first)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)


def write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def harmless(text: str) -> str:
    """What a model wrote must not steer the terminal."""
    return "".join(char for char in text if char.isprintable() or char in "\n\t")


def in_words(exc: CspsError, conversation: Conversation, words: Words) -> str:
    if isinstance(exc, ServiceAway):
        return words("away", url=conversation.url)
    if isinstance(exc, NotOurs):
        return words("not_ours", url=conversation.url)
    if isinstance(exc, PersonalityAway):
        return words("nobody", name=conversation.personality)
    return exc.message
