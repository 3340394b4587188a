"""From the Procfile's lines to processes that can be run: which of them, with which guards, stopped in which order.

What is particular about a process of ours stands here, in `RULES`, and nowhere else in the supervisor.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.cli.guards import Answers, HttpHealth, Runs
from core.cli.supervisor import Guard, Process
from core.configuration.settings import Settings
from core.errors import ConfigError
from core.runtime.http_server import reachable_url

LINE = re.compile(r"([A-Za-z0-9_-]+):\s*(\S.*)")
DRAIN_MARGIN_S = 5.0
PLATFORMS = ("slack", "discord", "teams")


@dataclass(frozen=True)
class Skip:
    """Why a process is not run: a variable that is set, or one that is not."""

    variable: str
    is_set: bool


@dataclass(frozen=True)
class Rule:
    """`skip` is the reason not to run it, `guards` notice that it hangs, `last` is for what the others need.

    `skip` raises ConfigError for a process that is half set up.
    """

    skip: Callable[[Settings], Skip | None] = lambda _: None
    guards: Callable[[Settings], tuple[Guard, ...]] = lambda _: ()
    grace_s: Callable[[Settings], float] = lambda _: 10.0
    last: bool = False


def model_health(settings: Settings) -> HttpHealth:
    key = settings.model.api_key
    headers = {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}
    if settings.model.listen:
        host, _, port = settings.model.listen.rpartition(":")
        return HttpHealth(f"{reachable_url(host, port)}/health", headers=headers)
    return HttpHealth("http://model/health", settings.model_socket, headers)


def web_health(settings: Settings) -> HttpHealth:
    return HttpHealth(f"{reachable_url(settings.web.host, settings.web.port)}/healthz")


def drain_s(settings: Settings) -> float:
    """What both give running answers after SIGTERM, and a margin to say so."""
    return settings.web.drain_s + DRAIN_MARGIN_S


def bot(name: str) -> Rule:
    """An adapter is run if its platform's tokens are set."""

    def skip(settings: Settings) -> Skip | None:
        missing = settings.platform(name).missing
        if missing and settings.platform(name).is_configured:
            raise ConfigError(f"the bot for {name.title()} is set up in part: set {missing} too (docs/{name}.md)")
        return Skip(missing, is_set=False) if missing else None

    def health(settings: Settings) -> HttpHealth:
        return HttpHealth(f"{reachable_url(settings.platform(name).host, settings.platform(name).port)}/healthz")

    return Rule(
        skip=skip,
        guards=lambda settings: (Answers(health(settings)),),
        grace_s=lambda settings: settings.bot.drain_s + DRAIN_MARGIN_S,
    )


RULES: Mapping[str, Rule] = {
    "model": Rule(
        skip=lambda settings: Skip("LLM_URL", is_set=True) if settings.model.url else None,
        guards=lambda settings: (Answers(model_health(settings)),),
        grace_s=drain_s,
        last=True,
    ),
    "web": Rule(
        guards=lambda settings: (Answers(web_health(settings)),),
        grace_s=drain_s,
    ),
    **{name: bot(name) for name in PLATFORMS},
}


def read(file: Path) -> dict[str, tuple[str, ...]]:
    """name → command. Raises ConfigError with file and line."""
    commands: dict[str, tuple[str, ...]] = {}
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as exc:
        raise ConfigError(f"{file}: {exc.strerror}") from exc
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.lstrip().startswith("#"):
            name, command = entry(line, f"{file}:{number}")
            if name in commands:
                raise ConfigError(f"{file}:{number}: there are two processes named {name!r}")
            commands[name] = command
    return commands


def entry(line: str, place: str) -> tuple[str, tuple[str, ...]]:
    parts = LINE.fullmatch(line.strip())
    if not parts:
        raise ConfigError(f"{place}: expected `name: command`")
    try:
        words = shlex.split(parts[2])  # no shell: no variables, no pipes
    except ValueError as exc:
        raise ConfigError(f"{place}: {exc}") from exc
    if words[0] in ("python", "python3"):
        words[0] = sys.executable
    return parts[1], tuple(words)


def plan(commands: Mapping[str, tuple[str, ...]], settings: Settings) -> tuple[list[Process], dict[str, Skip]]:
    """What to run, and the name of what is left out with the reason. Raises ConfigError for what is half set up."""
    processes: list[Process] = []
    skipped: dict[str, Skip] = {}
    for name, command in commands.items():
        rule = RULES.get(name, Rule())
        if reason := rule.skip(settings):
            skipped[name] = reason
        else:
            guards: tuple[Guard, ...] = (Runs(), *rule.guards(settings))
            processes.append(Process(name, command, rule.grace_s(settings), guards, rule.last, ours=name in RULES))
    return processes, skipped
