"""The Slack adapter: logs in, listens by socket or HTTP, and gives the intake what was said.

Socket Mode if there is an app token, else HTTP with a signing secret.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from aiohttp import web
from slack_bolt.response import BoltResponse

from bindings.delivery.outlet import DeliveryError
from bindings.incoming import Place
from bindings.intake.intake import Intake
from bindings.metrics import BotMetrics
from bindings.platform import Platform
from bindings.slack.api import Answered, Api
from bindings.slack.app import EventRouter
from bindings.slack.mapping import Fields, Me, text
from bindings.slack.platform import SlackPlatform
from bindings.slack.sockets import Sockets, Timings
from bindings.slack.webhook import Webhook
from core.configuration.setting_sections import SlackSettings
from core.configuration.settings import Settings
from core.errors import ConfigError
from core.platforms import missing_scopes
from core.runtime.background_tasks import BackgroundTasks
from core.runtime.log import LogInterval

log = structlog.get_logger()

NOBODY = Me("", "", "")


class SlackAdapter:
    def __init__(self, settings: SlackSettings, metrics: BotMetrics, timings: Timings | None = None) -> None:
        self._settings = settings
        self._metrics = metrics
        self._timings = timings or Timings()
        self._api = Api(settings, metrics)
        self._me = NOBODY
        self._intake: Intake | None = None
        self._router: EventRouter | None = None
        self._tasks = BackgroundTasks()
        self._slack = SlackPlatform(self._api, lambda: self._me, self._answer_stopped)
        self.platform: Platform = self._slack
        self._sockets = Sockets(self._api, self._take, metrics.connected, timings) if settings.app_token else None

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        if self._sockets is not None:
            return ()
        assert self._settings.signing_secret is not None, "the process checks that secrets are set"
        return Webhook(self._settings.signing_secret.get_secret_value(), self._take).routes()

    async def connect(self, intake: Intake) -> None:
        """Raises ConfigError if the bot token is refused."""
        await self._api.open()
        found = await self._log_in()
        self._me = Me(text(found, "team_id"), text(found, "user_id"), text(found, "bot_id"), text(found, "user"))
        self._intake = intake
        self._router = EventRouter(self._api, self._slack, self._me, intake, self._tasks.start)
        warn_of_scopes(text(found, "scopes"))
        log.info("slack_logged_in", team=self._me.team, mode="socket" if self._sockets else "http")

    async def run(self) -> None:
        if self._sockets is not None:
            await self._sockets.run()
            return
        self._metrics.connected.set(1)
        await asyncio.Event().wait()

    async def stop_taking(self) -> None:
        if self._sockets is not None:
            self._sockets.stop_taking()

    async def close(self) -> None:
        await self._tasks.close()
        await self._api.close()

    async def _take(self, payload: Fields) -> BoltResponse:
        return await self._router.take(payload) if self._router else BoltResponse(status=503)

    # ------------------------------------------------------------ logging in

    async def _log_in(self) -> Mapping[str, Any]:
        """Goes on trying while Slack is away: one line when it begins, and one a minute."""
        failures, interval = 0, LogInterval()
        while True:
            try:
                return await self._api.write("auth.test")
            except DeliveryError as error:
                if isinstance(error, Answered):
                    raise ConfigError(f"Slack refused SLACK_BOT_TOKEN: {error.message}") from error
                if interval.is_due():
                    log.warning("slack_not_reached", problem=error.message)
                failures += 1
                await asyncio.sleep(self._timings.backoff.pause_s(failures, error.retry_after_s or 0.0))

    # ------------------------------------------------------------ beside what is delivered

    def _answer_stopped(self, place: Place, ref: str) -> None:
        """Told within a call that the delivery itself makes, so the intake is told after it."""
        assert self._intake is not None
        self._tasks.start(self._intake.stop_answer(place, ref))


def warn_of_scopes(granted: str) -> None:
    """Of none it is not told which there are."""
    if granted and (missing := missing_scopes(granted)):
        log.warning("slack_scopes_missing", scopes=missing, hint="docs/slack.md: update the app from its manifest")


def build(settings: Settings, metrics: BotMetrics) -> SlackAdapter:
    return SlackAdapter(settings.slack, metrics)
