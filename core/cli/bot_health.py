"""Asks running bots whether their platform accepts their token. Only `/readyz` of the bot's own process knows it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import httpx

from core.cli.readiness import EventLog
from core.configuration.settings import Settings
from core.contract import Language
from core.runtime.addresses import reachable_url
from core.texts import text

DEADLINE_S = 2.0
INTERVAL_S = 15.0
CREDENTIALS = "credentials_refused"  # the code of `bindings.delivery.outlet.CredentialsRefused`


def bot_url(settings: Settings, name: str) -> str:
    section = settings.platform(name)
    return reachable_url(section.host, section.port)


async def fetch_token_problem(base_url: str) -> str | None:
    """The bot's own words on its refused token. None: the token is accepted, or no bot of ours answers there."""
    try:
        async with httpx.AsyncClient(base_url=base_url, trust_env=False, timeout=DEADLINE_S) as client:
            answer = (await client.get("/readyz")).json()
    except (httpx.HTTPError, ValueError):
        return None
    refused = isinstance(answer, dict) and answer.get("code") == CREDENTIALS
    return str(answer.get("detail", "")) if refused else None


class BotMonitor:
    """Reports in the log of `up` when a platform refuses a bot's token, and when it accepts it again."""

    def __init__(
        self, bots: Mapping[str, str], log: EventLog, language: Language, interval_s: float = INTERVAL_S
    ) -> None:
        """`bots`: the base URL of each running bot, by platform."""
        self._bots = bots
        self._log = log
        self._language = language
        self._interval_s = interval_s
        self._refused: set[str] = set()

    async def run(self) -> None:
        """Runs until cancelled. It polls: a bot announces nothing to other processes."""
        while True:
            await asyncio.sleep(self._interval_s)
            for name, url in self._bots.items():
                self._report(name, await fetch_token_problem(url))

    def _report(self, name: str, problem: str | None) -> None:
        values = {"platform": name.title(), "page": f"docs/{name}.md"}
        if problem is not None and name not in self._refused:
            self._refused.add(name)
            message = text("cli-up-bot-token-refused", self._language, problem=problem, **values)
            self._log.write_event("bot_token_refused", message, level="error", platform=name, problem=problem)
        elif problem is None and name in self._refused:
            self._refused.remove(name)
            message = text("cli-up-bot-token-accepted", self._language, **values)
            self._log.write_event("bot_token_accepted", message, level="info", platform=name)
