"""Reads the Procfile and plans its processes: which of them run, under which guards, in which order they stop.

`RULES` holds all that is particular to a process of ours; the supervisor knows none of it.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.cli.supervisor import Process
from core.configuration.settings import Settings
from core.contract import Language
from core.errors import ConfigError
from core.runtime.addresses import reachable_url
from core.runtime.hang_guards import HealthGuard, HttpHealthProbe, StopSignalGuard
from core.runtime.process_end import Guard
from core.texts import text

ENTRY = re.compile(r"([A-Za-z0-9_-]+):\s*(\S.*)")
DRAIN_MARGIN_S = 5.0  # to end after the last answer
PLATFORMS = ("slack", "discord", "teams")


@dataclass(frozen=True)
class SkipReason:
    """The variable because of which a process does not run: it is set, or it is not."""

    variable: str
    is_set: bool


@dataclass(frozen=True)
class ProcessRule:
    """How a process of ours is run. `last` marks one that the others need while they stop."""

    skip: Callable[[Settings], SkipReason | None] = lambda _: None
    guards: Callable[[Settings], tuple[Guard, ...]] = lambda _: ()
    grace_s: Callable[[Settings], float] = lambda _: 10.0
    stops_last: bool = False


def model_health(settings: Settings) -> HttpHealthProbe:
    key = settings.model.api_key
    headers = {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}
    if settings.model.listen:
        host, _, port = settings.model.listen.rpartition(":")
        return HttpHealthProbe(f"{reachable_url(host, port)}/health", headers=headers)
    return HttpHealthProbe("http://model/health", settings.model_socket, headers)


def web_health(settings: Settings) -> HttpHealthProbe:
    return HttpHealthProbe(f"{reachable_url(settings.web.host, settings.web.port)}/healthz")


def drain_s(settings: Settings) -> float:
    """The time that the web and model processes give running answers after SIGTERM, and a margin."""
    return settings.web.notice_s + settings.web.drain_s + DRAIN_MARGIN_S


def build_bot_rule(name: str) -> ProcessRule:
    """The rule of a bot, which runs if its platform's tokens are set."""

    def skip(settings: Settings) -> SkipReason | None:
        missing = settings.platform(name).missing
        return SkipReason(missing, is_set=False) if missing else None

    def health(settings: Settings) -> HttpHealthProbe:
        return HttpHealthProbe(f"{reachable_url(settings.platform(name).host, settings.platform(name).port)}/healthz")

    return ProcessRule(
        skip=skip,
        guards=lambda settings: (HealthGuard(health(settings)),),
        grace_s=lambda settings: settings.bot.drain_s + DRAIN_MARGIN_S,
    )


RULES: Mapping[str, ProcessRule] = {
    "model": ProcessRule(
        skip=lambda settings: SkipReason("LLM_URL", is_set=True) if settings.model.url else None,
        guards=lambda settings: (HealthGuard(model_health(settings)),),
        grace_s=drain_s,
        stops_last=True,
    ),
    "web": ProcessRule(guards=lambda settings: (HealthGuard(web_health(settings)),), grace_s=drain_s),
    **{name: build_bot_rule(name) for name in PLATFORMS},
}


def read_procfile(file: Path, language: Language) -> dict[str, tuple[str, ...]]:
    """Returns the command of each process by name. Raises ConfigError with file and line."""
    commands: dict[str, tuple[str, ...]] = {}
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as exc:
        raise ConfigError(f"{file}: {exc.strerror}") from exc
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.lstrip().startswith("#"):
            place = f"{file}:{number}"
            name, command = parse_entry(line, place, language)
            if name in commands:
                raise ConfigError(text("cli-procfile-twice", language, place=place, name=name))
            commands[name] = command
    return commands


def parse_entry(line: str, place: str, language: Language) -> tuple[str, tuple[str, ...]]:
    parts = ENTRY.fullmatch(line.strip())
    if not parts:
        raise ConfigError(text("cli-procfile-invalid", language, place=place))
    try:
        arguments = shlex.split(parts[2])  # no shell: no variables, no pipes
    except ValueError as exc:
        raise ConfigError(f"{place}: {exc}") from exc
    if arguments[0] in ("python", "python3"):
        arguments[0] = sys.executable
    return parts[1], tuple(arguments)


def plan_processes(
    commands: Mapping[str, tuple[str, ...]], settings: Settings, language: Language
) -> tuple[list[Process], dict[str, SkipReason]]:
    """Returns the processes to run, and why each other one is left out.

    Raises ConfigError for a bot with only some of its tokens.
    """
    processes: list[Process] = []
    skipped: dict[str, SkipReason] = {}
    for name, command in commands.items():
        rule = RULES.get(name, ProcessRule())
        if reason := rule.skip(settings):
            if name in PLATFORMS and settings.platform(name).is_configured:
                values = {"platform": name.title(), "variable": reason.variable, "page": f"docs/{name}.md"}
                raise ConfigError(text("cli-up-bot-incomplete", language, **values))
            skipped[name] = reason
        else:
            guards: tuple[Guard, ...] = (StopSignalGuard(), *rule.guards(settings))
            processes.append(
                Process(name, command, rule.grace_s(settings), guards, rule.stops_last, ours=name in RULES)
            )
    return processes, skipped
