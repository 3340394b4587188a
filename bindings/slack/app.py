"""What Slack delivers, by HTTP or socket, to the intake: slack_bolt finds who listens, and answers when it is safe.

Owns which events matter and what is said at once. An answer of 503 means: not taken, deliver it again.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bindings.delivery.outlet import DeliveryError
from bindings.incoming import IncomingMessage, Place
from bindings.intake.commands import find_command
from bindings.intake.intake import Intake
from bindings.slack import words
from bindings.slack.api import Answered, Api, quiet_logger
from bindings.slack.formatting import question
from bindings.slack.interactions import AGAIN, ASKING, COMMANDS, JUDGE, asked, judgement, ordered, regenerate
from bindings.slack.mapping import (
    Fields,
    Me,
    addressed,
    deleted_in,
    fields,
    team_of,
    text,
    to_prompt,
)
from bindings.slack.mrkdwn import escaped
from bindings.slack.outlet import QUIET
from bindings.slack.platform import SlackPlatform
from bindings.slack.welcome import Welcome
from core.errors import CspsError
from core.texts import LANGUAGES

log = structlog.get_logger()

QUESTION_DEADLINE_S = 2.0  # of the three that Slack waits for a command
NOT_HERE = frozenset({"channel_not_found", "not_in_channel", "is_archived", "restricted_action"})
ANY = re.compile(r".*", re.DOTALL)
Spawn = Callable[[Coroutine[Any, Any, None]], None]


class EventRouter:
    def __init__(self, api: Api, platform: SlackPlatform, me: Me, intake: Intake, spawn: Spawn) -> None:
        self._api = api
        self._platform = platform
        self._me = me
        self._intake = intake
        self._spawn = spawn
        self._welcome = Welcome(api, platform.people, intake)
        self._app = self._listening(bolt(api, me))

    async def take(self, payload: Fields) -> BoltResponse:
        """Of a body whose sender is known to be Slack. 200: safe; 503: come again; 400, 404: nothing that we know."""
        try:
            request = AsyncBoltRequest(mode="socket_mode", body=dict(payload))
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as exc:
            # Bolt looks for ids in a dozen places before it knows what it has, and trusts their types.
            log.info("slack_delivery_malformed", why=type(exc).__name__)
            return BoltResponse(status=400)
        return await self._app.async_dispatch(request)

    def _listening(self, app: AsyncApp) -> AsyncApp:
        events = {
            "app_mention": self._message,
            "message": self._message,
            "assistant_thread_started": self._thread_started,
            "app_home_opened": self._home_opened,
            "agent_session_stopped": self._stopped,
            "app_uninstalled": self._uninstalled,
            "tokens_revoked": self._revoked,
        }
        for kind, listener in events.items():
            app.event(kind)(listener)
        app.event(ANY)(self._ignored)
        for command in (*ASKING, *COMMANDS):
            app.command(command)(self._asked if command in ASKING else self._ordered)
        app.action(JUDGE)(self._judged)
        app.action(AGAIN)(self._again)
        app.action(ANY)(self._ignored)
        app.error(failed)
        return app

    # ------------------------------------------------------------ events

    async def _message(self, body: Fields) -> None:
        if deleted := deleted_in(body, self._me):
            await self._intake.withdraw_question(deleted.place, deleted.message)
            return
        incoming = to_prompt(body, self._me)
        if incoming is None:
            return
        if addressed(fields(body, "event"), self._me) or await self._intake.is_participating(incoming.place):
            await self._take(incoming)

    async def _take(self, incoming: IncomingMessage) -> None:
        place = incoming.place
        # Beyond the limit there may be silence.
        begins = find_command(incoming) is None and self._intake.rejection(incoming) is None
        if await self._intake.take(incoming) and begins and place.kind == "personal" and place.thread:
            self._spawn(self._welcome.thinking(place))

    async def _thread_started(self, body: Fields) -> None:
        thread = fields(fields(body, "event"), "assistant_thread")
        channel, ts, user = text(thread, "channel_id"), text(thread, "thread_ts"), text(thread, "user_id")
        if channel and ts and user:
            place = Place("slack", team_of(body, self._me), channel, ts, "personal", {"user": user})
            self._spawn(self._welcome.greet(place))

    async def _home_opened(self, body: Fields) -> None:
        """In place of the former where the app is an agent: a direct conversation was opened."""
        event = fields(body, "event")
        channel, user = text(event, "channel"), text(event, "user")
        if event.get("tab") == "messages" and channel and user:
            place = Place("slack", team_of(body, self._me), channel, None, "personal", {"user": user})
            self._spawn(self._welcome.suggest(place))

    async def _stopped(self, body: Fields) -> None:
        """Slack's own stop button."""
        event = fields(body, "event")
        channel, thread = text(event, "channel"), text(event, "thread_ts")
        live = dict(self._platform.streams.live_in(channel, thread))
        told = event.get("streaming_message_ts")
        for ref in [ref for ref in live if not isinstance(told, list) or not told or ref in told]:
            await self._intake.stop_answer(live[ref], ref)
        self._spawn(self._welcome.idle(channel, thread))

    async def _uninstalled(self, body: Fields) -> None:
        await self._intake.forget_workspace(team_of(body, self._me))

    async def _revoked(self, body: Fields) -> None:
        """Of people's tokens there are none; of the bot's, nothing is left to answer with."""
        if fields(fields(body, "event"), "tokens").get("bot"):
            await self._intake.forget_workspace(team_of(body, self._me))

    async def _ignored(self, ack: AsyncAck) -> None:
        await ack()

    # ------------------------------------------------------------ commands and buttons

    async def _asked(self, body: Fields, ack: AsyncAck) -> None:
        command = text(body, "command")
        if not text(body, "text").strip():
            await ack(text=words.NOTHING_ASKED.format(command=command))
            return
        # Before anybody sees it: whom the bot does not serve, it posts nothing for.
        incoming = asked(body, self._me, root="")
        if self._intake.rejection(incoming):
            await ack(text="\n".join(self._intake.rejection(incoming, each) or "" for each in LANGUAGES))
            return
        try:
            root = await self._show(body)
        except (DeliveryError, TimeoutError) as error:
            missing = isinstance(error, Answered) and error.reason in NOT_HERE
            log.info("slack_question_not_shown", why=type(error).__name__)
            await ack(text=words.NOT_HERE.format(bot=escaped(self._me.name)) if missing else words.TRY_AGAIN)
            return
        if await self._is_taken(asked(body, self._me, root)):
            await ack()
        else:
            self._spawn(self._unshow(text(body, "channel_id"), root))
            await ack(text=words.TRY_AGAIN)

    async def _is_taken(self, incoming: IncomingMessage) -> bool:
        """Slack gives no command again: who gave it is told, and may."""
        try:
            await self._intake.take(incoming)
        except CspsError as error:
            log.warning("command_not_taken", platform="slack", code=error.code, problem=error.message)
            return False
        return True

    async def _show(self, body: Fields) -> str:
        """The question as a message of its own, whose thread the answer goes to."""
        channel, asked_text = text(body, "channel_id"), text(body, "text").strip()
        posting = asyncio.ensure_future(
            self._api.write(
                "chat.postMessage",
                channel=channel,
                text=escaped(asked_text),
                blocks=question(text(body, "user_name"), asked_text),
                **QUIET,
            )
        )
        try:
            async with asyncio.timeout(QUESTION_DEADLINE_S):
                answer = await asyncio.shield(posting)
        except TimeoutError:
            self._spawn(self._unshow_late(channel, posting))
            raise
        return str(answer["ts"])

    async def _unshow_late(self, channel: str, posting: asyncio.Future[Mapping[str, Any]]) -> None:
        """The person was told to try again, and may have: it must not stand there twice."""
        try:
            answer = await posting
        except DeliveryError as error:
            log.info("slack_question_not_shown", why=type(error).__name__)
        else:
            await self._unshow(channel, str(answer["ts"]))

    async def _unshow(self, channel: str, root: str) -> None:
        try:
            await self._api.write("chat.delete", channel=channel, ts=root)
        except DeliveryError as error:
            log.warning("slack_question_left", problem=error.message)

    async def _ordered(self, body: Fields, ack: AsyncAck) -> None:
        incoming = ordered(body, self._me)
        taken = incoming is None or await self._is_taken(incoming)
        await (ack() if taken else ack(text=words.TRY_AGAIN))

    async def _judged(self, body: Fields, ack: AsyncAck) -> None:
        if found := judgement(body, self._me):
            known = await self._intake.record_feedback(found.answer, found.speaker, found.value)
            log.info("slack_feedback", known=known, value=found.value)
        await ack()

    async def _again(self, body: Fields, ack: AsyncAck) -> None:
        if incoming := regenerate(body, self._me):
            await self._take(incoming)
        await ack()


def bolt(api: Api, me: Me) -> AsyncApp:
    """An app that only routes: who sent it was checked before, and acknowledging waits for the listener.

    With `authorize` of our own: bolt's would ask auth.test at the first event, and acknowledge what came while that
    failed, as if it were handled.
    """

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=None, team_id=me.team, bot_user_id=me.user, bot_id=me.bot, bot_token=api.token
        )

    return AsyncApp(
        name="csps-llm",
        logger=quiet_logger(),
        client=AsyncWebClient(base_url=api.web.base_url, session=api.web.session, logger=quiet_logger()),
        authorize=authorize,
        signing_secret="checked before",  # noqa: S106
        process_before_response=True,
        request_verification_enabled=False,
        ignoring_self_events_enabled=False,
        ssl_check_enabled=False,
        url_verification_enabled=False,
        attaching_function_token_enabled=False,
        attaching_conversation_kwargs_enabled=False,
    )


async def failed(error: Exception) -> BoltResponse:
    """Not taken: Slack delivers it again, up to three times."""
    if isinstance(error, CspsError):
        log.warning("event_take_failed", platform="slack", code=error.code, problem=error.message)
    else:
        log.error("event_failed", platform="slack", exc_info=error)
    return BoltResponse(status=503)
