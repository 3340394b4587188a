"""`csps-llm up`: checks, starts the Procfile's processes, says where to go, and stays until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core import PROJECT_ROOT
from core.cli import announcement, engine_watch, preflight, procfile
from core.cli.announcement import Announcement
from core.cli.console import Console, wants_colour
from core.cli.engine_watch import EngineWatch
from core.cli.procfile import Skip
from core.cli.supervisor import Process, Supervisor
from core.cli.words import Table, Words, language_of
from core.configuration import settings as settings_module
from core.configuration.personalities import Personalities
from core.configuration.settings import Settings
from core.errors import ConfigError
from core.model import catalog
from core.model.client import ModelClient

WORDS: Table = {
    "started": ("{process} started (process {pid})", "{process} démarré (processus {pid})"),
    "ended": (
        "{process} ended: {why}. Starting it again in {delay_s:g} s.",
        "{process} s'est arrêté : {why}. Nouveau démarrage dans {delay_s:g} s.",
    ),
    "failing": (
        "{process} ended {times} times in a row. It is tried again and again, and the others go on. Its last words:",
        "{process} s'est arrêté {times} fois de suite. Il est relancé encore et encore, et les autres continuent."
        " Ses derniers mots :",
    ),
    "refused": (
        "{process} cannot be started like this: what is wrong is said below. The others are stopped.",
        "{process} ne peut pas démarrer ainsi : voir plus bas ce qui ne va pas. Les autres sont arrêtés.",
    ),
    "waiting": (
        "{process} cannot start again until somebody mends this. The others go on; it is tried again in {delay_s:g} s:",
        "{process} ne peut pas redémarrer avant qu'on ait corrigé ceci. Les autres continuent; nouvel essai dans"
        " {delay_s:g} s :",
    ),
    "overdue": (
        "{process} did not end within {grace_s:g} s: killed.",
        "{process} ne s'est pas arrêté en {grace_s:g} s : tué.",
    ),
    "skipped": ("{process} is not started: {variable} is set.", "{process} n'est pas démarré : {variable} est défini."),
    "no_bots": (
        "No bot is started, for no token of {platforms} is set: docs/ says where to find them.",
        "Aucun robot n'est démarré, car aucun jeton de {platforms} n'est défini : voir docs/.",
    ),
    "stopping": (
        "Stopping. Answers under way may finish, for at most {drain_s:g} s; Ctrl-C again stops at once.",
        "Arrêt. Les réponses en cours peuvent finir, en {drain_s:g} s au plus; encore Ctrl-C arrête aussitôt.",
    ),
    "stopped": ("Stopped.", "Arrêté."),
}


@dataclass(frozen=True)
class Start:
    """All that was checked before anything is started."""

    settings: Settings
    environ: Mapping[str, str]
    processes: list[Process]
    skipped: Mapping[str, Skip]
    personality: str
    words: Words


class Shown:
    """The supervisor's events, in words."""

    def __init__(self, console: Console, words: Words) -> None:
        self.line = console.line
        self._console = console
        self._words = words

    def event(self, event: str, process: str, **values: Any) -> None:
        quoted = [f"    {line}" for line in values.get("last_lines", ())]
        text = "\n".join([self._words(event, process=process, **values), *quoted])
        level = "info" if event == "started" else "error"
        self._console.tell(f"process_{event}", text, level=level, of=process, **values)


def up(environ: Mapping[str, str]) -> None:
    """Serve until Ctrl-C or SIGTERM. Raises ConfigError if it cannot be started, or what it started can never be."""
    start = prepare(environ)
    web = start.settings.web
    with preflight.alone(start.settings.data_folder, start.words):
        preflight.require_port(web.host, web.port, start.words)
        preflight.clear_socket(start.settings.model_socket, start.words)
        asyncio.run(serve(start))


def prepare(environ: Mapping[str, str]) -> Start:
    """Read and check everything that a person could have got wrong. Raises ConfigError."""
    settings = settings_module.load(environ)
    if settings.web.port == 0:  # any free one: then all must be told the same
        environ = {**environ, "PORT": str(preflight.free_port(settings.web.host))}
        settings = settings_module.load(environ)
    personalities = Personalities(settings.config_file("personalities"))
    personalities.load()
    if settings.model.file and not settings.model.url:
        catalog.check_gguf(Path(settings.model.file).expanduser(), "LLM_MODEL_FILE")
    processes, skipped = procfile.plan(procfile.read(PROJECT_ROOT / "Procfile"), settings)
    words = Words({**WORDS, **preflight.WORDS, **announcement.WORDS, **engine_watch.WORDS}, language_of(environ))
    return Start(settings, environ, processes, skipped, personalities.names()[0], words)


async def serve(start: Start) -> None:
    words, web = start.words, start.settings.web
    console = Console(
        sys.stdout,
        [process.name for process in start.processes],
        as_json=start.settings.log.format == "json",
        colour=wants_colour(sys.stdout, start.environ),
    )
    supervisor = Supervisor(start.processes, Shown(console, words), start.environ, PROJECT_ROOT)

    def stop() -> None:
        if not supervisor.stopping:
            console.tell("stopping", words("stopping", drain_s=web.drain_s))
        supervisor.stop()

    try:
        tell_skipped(start.skipped, console, words)
        on_signals(stop)
        model = None if start.settings.model.url else procfile.model_health(start.settings)
        announced = Announcement(web.host, web.port, start.personality, console, words, model)
        await run(supervisor, announce(announced, supervisor), watch_engine(start.settings, console, words))
        console.tell("stopped", words("stopped"))
    finally:
        console.close()
    if supervisor.refusals:
        raise ConfigError("\n".join(supervisor.refusals))


def tell_skipped(skipped: Mapping[str, Skip], console: Console, words: Words) -> None:
    for name, skip in skipped.items():
        if skip.is_set:
            console.tell("process_skipped", words("skipped", process=name, variable=skip.variable), of=name)
    platforms = ", ".join(name.title() for name in procfile.PLATFORMS)
    if all(name in skipped for name in procfile.PLATFORMS):
        console.tell("no_bots", words("no_bots", platforms=platforms))


def on_signals(stop: Callable[[], None]) -> None:
    """Ctrl-C, a service manager's wish, and a terminal that is closed."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop)


async def announce(announced: Announcement, supervisor: Supervisor) -> None:
    await announced.make()
    supervisor.saw_ready("model", "web")  # for it says what both of them answered


async def watch_engine(settings: Settings, console: Console, words: Words) -> None:
    """Until cancelled; returns at once where the model is a process of ours."""
    if settings.model.url:
        client = ModelClient.from_settings(settings)
        try:
            await EngineWatch(client, settings.model.url, console, words).run()
        finally:
            await client.close()


async def run(supervisor: Supervisor, *beside: Coroutine[None, None, None]) -> None:
    async with asyncio.TaskGroup() as tasks:
        started = [tasks.create_task(each) for each in beside]
        await supervisor.run()
        for task in started:
            task.cancel()
