"""`csps-llm up`: checks, starts the Procfile's processes, announces the address, and runs until it is stopped."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core import PROJECT_ROOT
from core.cli import procfile, startup_checks
from core.cli.bot_health import BotMonitor, bot_url
from core.cli.engine_monitors import monitor_engines
from core.cli.localization import locale_language
from core.cli.merged_log import MergedLog, is_live, wants_colour
from core.cli.procfile import PLATFORMS, SkipReason
from core.cli.readiness import ReadyAnnouncer
from core.cli.supervisor import Process, Supervisor
from core.configuration import settings as settings_module
from core.configuration.personalities import Personalities
from core.configuration.settings import Settings
from core.contract import Language
from core.errors import ConfigError
from core.model.library.catalogue import FILE, ModelCatalogue
from core.model.library.choice import choose_configured
from core.model.library.gguf_file import check_gguf
from core.runtime.process_end import ProcessEndReason
from core.texts import text


@dataclass(frozen=True)
class StartPlan:
    """The checked configuration of a start."""

    settings: Settings
    environ: Mapping[str, str]
    processes: list[Process]
    skipped: Mapping[str, SkipReason]
    personality: str
    language: Language


class LoggedReport:
    """Writes the supervisor's lines and events into the merged log."""

    def __init__(self, log: MergedLog, language: Language) -> None:
        self.line = log.write_line
        self._log = log
        self._language = language

    def event(self, event: str, process: str, **values: Any) -> None:
        """JSON logs keep the English reason; people read it in their language."""
        shown = {**values, "process": process}
        if "pid" in shown:
            shown["pid"] = str(shown["pid"])  # a number that is not grouped
        if isinstance(why := values.get("why"), ProcessEndReason):
            shown["why"] = why.in_language(self._language)
        last_lines = [f"    {line}" for line in shown.pop("last_lines", ())]
        message = "\n".join([text(f"cli-process-{event}", self._language, **shown), *last_lines])
        level = "info" if event == "started" else "error"
        self._log.write_event(f"process_{event}", message, level=level, of=process, **values)


def up(environ: Mapping[str, str]) -> None:
    """Serves until Ctrl+C or SIGTERM. Raises ConfigError if the service, or one of its processes, can never start."""
    plan = plan_start(environ)
    web = plan.settings.web
    with startup_checks.lock_data_folder(plan.settings.data_folder, plan.language):
        startup_checks.require_free_port(web.host, web.port, plan.language)
        startup_checks.remove_stale_socket(plan.settings.model_socket, plan.language)
        asyncio.run(serve(plan))


def plan_start(environ: Mapping[str, str]) -> StartPlan:
    """Reads and checks all that an operator may have written wrongly. Raises ConfigError."""
    language = locale_language(environ)
    settings = settings_module.load(environ)
    if settings.web.port == 0:  # any free port: chosen here, so that all processes get the same one
        environ = {**environ, "PORT": str(startup_checks.find_free_port(settings.web.host))}
        settings = settings_module.load(environ)
    personalities = Personalities(settings.config_file("personalities"))
    personalities.load()
    check_model_settings(settings)
    commands = procfile.read_procfile(PROJECT_ROOT / "Procfile", language)
    processes, skipped = procfile.plan_processes(commands, settings, language)
    return StartPlan(settings, environ, processes, skipped, personalities.names()[0], language)


def check_model_settings(settings: Settings) -> None:
    """Raises ConfigError for a broken catalogue, an unknown LLM_MODEL, and a file that is no model."""
    catalogue = ModelCatalogue(settings.config_file(FILE))
    catalogue.load()
    choose_configured(settings, catalogue)
    if settings.model.file and not settings.model.url:
        check_gguf(Path(settings.model.file).expanduser(), "LLM_MODEL_FILE")


async def serve(plan: StartPlan) -> None:
    """Runs the processes until a signal. Raises ConfigError with the errors of processes that can never start."""
    language, web = plan.language, plan.settings.web
    names = [process.name for process in plan.processes]
    as_json, colour = plan.settings.log.format == "json", wants_colour(sys.stdout, plan.environ)
    live = is_live(sys.stdout, plan.environ)
    log = MergedLog(sys.stdout, names, language, as_json=as_json, colour=colour, live=live)
    supervisor = Supervisor(plan.processes, LoggedReport(log, language), plan.environ, PROJECT_ROOT)

    def stop() -> None:
        if not supervisor.stopping:
            log.write_event("stopping", text("cli-up-stopping", language, seconds=web.notice_s + web.drain_s))
        supervisor.stop()

    try:
        report_skipped(plan.skipped, log, language)
        handle_signals(stop)
        model = None if plan.settings.model.url else procfile.model_health(plan.settings)
        announcer = ReadyAnnouncer(web.host, web.port, plan.personality, log, language, model)
        bots = {each.name: bot_url(plan.settings, each.name) for each in plan.processes if each.name in PLATFORMS}
        announced = asyncio.Event()
        await run(
            supervisor,
            announce(announcer, supervisor, announced),
            monitor_model(plan.settings, log, language, announced),
            monitor_engines(plan.settings, plan.environ, log, language),
            BotMonitor(bots, log, language).run(),
        )
        log.write_event("stopped", text("cli-up-stopped", language))
    finally:
        log.close()
    if supervisor.refusals:
        raise ConfigError("\n".join(supervisor.refusals))


def report_skipped(skipped: Mapping[str, SkipReason], log: MergedLog, language: Language) -> None:
    for name, skip in skipped.items():
        if skip.is_set:
            message = text("cli-process-skipped", language, process=name, variable=skip.variable)
            log.write_event("process_skipped", message, of=name)
    if all(name in skipped for name in PLATFORMS):
        log.write_event("no_bots", text("cli-up-no-bots", language))


def handle_signals(stop: Callable[[], None]) -> None:
    """Calls `stop` on Ctrl+C, on a service manager's SIGTERM and when the terminal is closed."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop)


async def announce(announcer: ReadyAnnouncer, supervisor: Supervisor, announced: asyncio.Event) -> None:
    await announcer.run()
    supervisor.mark_ready("model", "web")  # /readyz answers 200 only if both work
    announced.set()


async def monitor_model(settings: Settings, log: MergedLog, language: Language, announced: asyncio.Event) -> None:
    """Runs until cancelled; returns at once if no model is loaded here. The first answer does not wait for it."""
    if settings.model.url:
        return
    await announced.wait()
    from core.cli.model_monitor import monitor_models

    await monitor_models(settings, log, language)


async def run(supervisor: Supervisor, *reporters: Coroutine[None, None, None]) -> None:
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(each) for each in reporters]
        await supervisor.run()
        for task in running:
            task.cancel()
