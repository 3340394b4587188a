"""The Slack adapter: logs in, receives deliveries and passes them to the intake; and the platform that the intake uses.

It uses Socket Mode if there is an app token, otherwise HTTP with a signing secret.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog
from aiohttp import web
from slack_bolt.response import BoltResponse

from bindings.delivery.outlet import DeliveryError, Outlet
from bindings.incoming import AttachedFile, IncomingMessage, Place, Platform, ThreadMessages
from bindings.intake.intake import Intake
from bindings.metrics import BotMetrics
from bindings.slack.agent_sessions import AgentSessions
from bindings.slack.api import SlackApi
from bindings.slack.assistant import AssistantThreads
from bindings.slack.directory import ReferenceDirectory, UserDirectory
from bindings.slack.ephemeral_outlet import ResponseUrlOutlet
from bindings.slack.event_router import EventRouter
from bindings.slack.files import SlackFiles
from bindings.slack.history import ThreadHistory
from bindings.slack.mapping import BotIdentity
from bindings.slack.outlet import SlackOutlet
from bindings.slack.payloads import SlackObject, get_text
from bindings.slack.questions import QuestionReader
from bindings.slack.refusals import SlackErrorResponse
from bindings.slack.services import SlackServices
from bindings.slack.sockets import SocketClient, SocketTimings
from bindings.slack.streams import StreamRegistry
from bindings.slack.webhook import SlackWebhook
from core.configuration.platform_sections import SlackSettings
from core.configuration.setting_types import DirectThreads
from core.configuration.settings import Settings
from core.errors import ConfigError
from core.platforms import missing_scopes
from core.runtime.background_tasks import BackgroundTasks
from core.runtime.log import LogInterval

log = structlog.get_logger()

IDENTITY = ("team_id", "user_id", "bot_id", "user", "enterprise_id")  # in the answer to auth.test
NOT_LOGGED_IN = BotIdentity("", "", "")


class SlackPlatform:
    name = "slack"

    def __init__(
        self,
        api: SlackApi,
        me: Callable[[], BotIdentity],
        on_stop: Callable[[Place, str], None],
        threads: DirectThreads = "auto",
    ) -> None:
        self._api = api
        self._on_stop = on_stop
        self.sessions = AgentSessions(api, threads)
        self._files = SlackFiles(api)
        self.streams = StreamRegistry()
        self.users = UserDirectory(api)
        self.directory = ReferenceDirectory(api, self.users)
        self._history = ThreadHistory(api, self.directory, me)

    def outlet(self, incoming: IncomingMessage) -> Outlet:
        place, question = incoming.place, incoming.message
        parts = (self._api, self.streams, self._files, self._history, self.sessions, self._on_stop)
        services = SlackServices(*parts)
        if url := place.route.get("response_url"):
            return ResponseUrlOutlet(services, place, question, url)
        return SlackOutlet(services, place, question)

    async def thread_messages(self, incoming: IncomingMessage) -> ThreadMessages:
        if incoming.place.route.get("response_url"):
            return ThreadMessages()  # a question that others do not see is in no thread
        return await self._history.thread_messages(incoming)

    async def fetch(self, file: AttachedFile, limit_bytes: int) -> bytes:
        return await self._files.fetch(file, limit_bytes)

    async def forget(self, place: Place) -> None:
        """Deletes nothing, because Slack's data is in the database only. An agent's session is closed."""
        await self.sessions.close(place)

    async def purge(self) -> None:
        """Deletes nothing: Slack's data is in the database only."""


class SlackAdapter:
    def __init__(self, settings: SlackSettings, metrics: BotMetrics, timings: SocketTimings | None = None) -> None:
        self._settings = settings
        self._metrics = metrics
        self._timings = timings or SocketTimings()
        self._api = SlackApi(settings, metrics)
        self._me = NOT_LOGGED_IN
        self._intake: Intake | None = None
        self._router: EventRouter | None = None
        self._tasks = BackgroundTasks()
        self._slack = SlackPlatform(self._api, lambda: self._me, self._stop_answer, settings.direct_threads)
        self.platform: Platform = self._slack
        self._sockets = SocketClient(self._api, self._take, metrics.connected, timings) if settings.app_token else None

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        if self._sockets is not None:
            return ()
        assert self._settings.signing_secret is not None, "the process checks that secrets are set"
        return SlackWebhook(self._settings.signing_secret.get_secret_value(), self._take).routes()

    async def connect(self, intake: Intake) -> None:
        """Logs in. Raises ConfigError if Slack refuses the bot token."""
        await self._api.open()
        answer = await self._log_in()
        self._me = BotIdentity(*(get_text(answer, key) for key in IDENTITY))
        self._intake = intake
        slack = self._slack
        questions = QuestionReader(self._api, slack.users, slack.directory, self._me, self._settings, intake.editor_ids)
        assistant = AssistantThreads(self._api, slack.users, slack.sessions, intake)
        self._router = EventRouter(self._api, slack.streams, assistant, questions, self._me, intake, self._tasks.start)
        warn_missing_scopes(get_text(answer, "scopes"))
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

    async def _take(self, payload: SlackObject) -> BoltResponse:
        return await self._router.take(payload) if self._router else BoltResponse(status=503)

    async def _log_in(self) -> Mapping[str, Any]:
        """Retries while Slack is unavailable. Logs the first failure, then at most one a minute."""
        failures, interval = 0, LogInterval()
        while True:
            try:
                return await self._api.write("auth.test")
            except DeliveryError as error:
                if isinstance(error, SlackErrorResponse) and not error.is_from_proxy:
                    raise ConfigError(f"Slack refused SLACK_BOT_TOKEN: {error.message}") from error
                if interval.is_due():
                    log.warning("slack_login_failed", problem=error.message)
                failures += 1
                await asyncio.sleep(self._timings.backoff.pause_s(failures, error.retry_after_s or 0.0))

    def _stop_answer(self, place: Place, ref: str) -> None:
        """Stops an answer in a task of its own: the delivery of that answer is the caller."""
        assert self._intake is not None
        self._tasks.start(self._intake.stop_answer(place, ref))


def warn_missing_scopes(granted: str) -> None:
    """Logs missing scopes. `granted` is "" if Slack did not name any."""
    if granted and (missing := missing_scopes(granted)):
        log.warning("slack_scopes_missing", scopes=missing, hint="docs/slack.md: update the app from its manifest")


def build(settings: Settings, metrics: BotMetrics) -> SlackAdapter:
    return SlackAdapter(settings.slack, metrics)
