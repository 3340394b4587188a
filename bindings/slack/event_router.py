"""Passes Slack's deliveries to the intake: slack_bolt finds the listener, and acknowledges once it returns.

A response of 503 asks Slack to deliver again.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection, Coroutine
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
from bindings.slack.api import SlackApi, quiet_logger
from bindings.slack.assistant import AssistantThreads
from bindings.slack.ephemeral_outlet import send_response
from bindings.slack.formatting import question_blocks
from bindings.slack.interactions import (
    COMMANDS,
    FEEDBACK_ACTION,
    PRIVATE_COMMAND,
    QUESTION_COMMANDS,
    REGENERATE_ACTION,
    parse_command,
    parse_feedback,
    parse_private_question,
    parse_question,
    parse_regenerate,
)
from bindings.slack.mapping import (
    BotIdentity,
    find_message,
    installed_team,
    is_addressed,
    is_for_others,
    parse_deletion,
    place_kind,
)
from bindings.slack.markup import escape
from bindings.slack.payloads import SlackObject, get_object, get_text
from bindings.slack.questions import QuestionReader
from bindings.slack.refusals import SlackErrorResponse
from bindings.slack.sharing import SHARE_ACTION, parse_share
from bindings.slack.streams import StreamRegistry
from core.errors import CspsError
from core.texts import LANGUAGES, text

log = structlog.get_logger()

QUESTION_DEADLINE_S = 2.0  # Slack waits 3 seconds for the answer to a command
NO_ACCESS = frozenset({"channel_not_found", "not_in_channel", "is_archived", "restricted_action"})
ANY = re.compile(r".*", re.DOTALL)


class EventRouter:
    def __init__(
        self,
        api: SlackApi,
        streams: StreamRegistry,
        assistant: AssistantThreads,
        questions: QuestionReader,
        me: BotIdentity,
        intake: Intake,
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._api = api
        self._streams = streams
        self._questions = questions
        self._me = me
        self._intake = intake
        self._spawn = spawn
        self._assistant = assistant
        self._app = self._add_listeners(build_bolt_app(api, me))

    async def take(self, payload: SlackObject) -> BoltResponse:
        """Dispatches an authenticated delivery. 200: stored; 503: deliver again; 400 or 404: unknown or malformed."""
        try:
            request = AsyncBoltRequest(mode="socket_mode", body=dict(payload))
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as exc:
            # Bolt looks for ids in a dozen fields before it knows the type, and trusts their types.
            log.info("slack_delivery_malformed", error=type(exc).__name__)
            return BoltResponse(status=400)
        return await self._app.async_dispatch(request)

    def _add_listeners(self, app: AsyncApp) -> AsyncApp:
        events = {
            "app_mention": self._on_message,
            "message": self._on_message,
            "assistant_thread_started": self._on_thread_started,
            "app_home_opened": self._on_home_opened,
            "agent_session_stopped": self._on_stop,
            "app_uninstalled": self._on_uninstall,
            "tokens_revoked": self._on_uninstall,
        }
        for kind, listener in events.items():
            app.event(kind)(listener)
        app.event(ANY)(self._ignore)
        for command in QUESTION_COMMANDS:
            app.command(command)(self._on_question)
        for command in COMMANDS:
            app.command(command)(self._on_command)
        app.command(PRIVATE_COMMAND)(self._on_private_question)
        app.action(SHARE_ACTION)(self._on_share)
        app.action(FEEDBACK_ACTION)(self._on_feedback)
        app.action(REGENERATE_ACTION)(self._on_regenerate)
        app.action(ANY)(self._ignore)
        app.error(report_failure)
        return app

    # ------------------------------------------------------------ events

    async def _on_message(self, body: SlackObject) -> None:
        if deletion := parse_deletion(body, self._me):
            await self._intake.withdraw_question(deletion.place, deletion.message)
            return
        incoming = self._questions.parse(body)
        if incoming and await self._is_for_bot(find_message(body, self._me), incoming):
            incoming = await self._questions.add_names(body, incoming)
            await self._take(self._assistant.sessions.begin_thread(incoming))

    async def _is_for_bot(self, message: SlackObject, incoming: IncomingMessage) -> bool:
        if is_addressed(message, self._me):
            return True
        return not is_for_others(message, self._me) and await self._intake.answers_without_mention(incoming)

    async def _take(self, incoming: IncomingMessage) -> None:
        incoming, place = await self._questions.add_groups(incoming), incoming.place
        # A rejected message may get no answer, and then nothing would end the status.
        is_answered = find_command(incoming) is None and self._intake.rejection(incoming) is None
        if await self._intake.take(incoming) and is_answered and place.kind == "personal" and place.thread:
            self._spawn(self._assistant.show_thinking(incoming))

    async def _on_thread_started(self, body: SlackObject) -> None:
        thread = get_object(get_object(body, "event"), "assistant_thread")
        channel, ts, user = (get_text(thread, key) for key in ("channel_id", "thread_ts", "user_id"))
        if channel and ts and user:
            place = Place("slack", installed_team(body, self._me), channel, ts, "personal", {"user": user})
            self._spawn(self._assistant.greet(place))

    async def _on_home_opened(self, body: SlackObject) -> None:
        """An agent has this event in place of assistant_thread_started. Other apps have it for their other tabs too."""
        event = get_object(body, "event")
        channel, user = get_text(event, "channel"), get_text(event, "user")
        if event.get("tab") == "messages" and channel and user:
            place = Place("slack", installed_team(body, self._me), channel, None, "personal", {"user": user})
            self._spawn(self._assistant.greet(place))

    async def _on_stop(self, body: SlackObject) -> None:
        """Stops the messages that Slack names, or all answers in the thread if it names none."""
        event = get_object(body, "event")
        channel, thread = get_text(event, "channel"), get_text(event, "thread_ts")
        refs = event.get("streaming_message_ts")
        named = {ref for ref in refs if isinstance(ref, str)} if isinstance(refs, list) else set()
        unfinished = self._streams.find_unfinished(channel, thread)
        for ref, place in unfinished.items():
            if not named or ref in named:
                await self._intake.stop_answer(place, ref)
        if channel and thread:
            place = Place("slack", installed_team(body, self._me), channel, thread, place_kind(channel))
            if not unfinished:  # another process may write the answer
                await self._stop_elsewhere(place, named)
            self._spawn(self._assistant.sessions.stop(place))

    async def _stop_elsewhere(self, place: Place, named: Collection[str]) -> None:
        for ref in named or (None,):
            await self._intake.stop_answer(place, ref)

    async def _on_uninstall(self, body: SlackObject) -> None:
        """Forgets the workspace, unless only people's tokens were revoked: the app uses none."""
        event = get_object(body, "event")
        if event.get("type") == "app_uninstalled" or get_object(event, "tokens").get("bot"):
            await self._intake.forget_workspace(installed_team(body, self._me))

    async def _ignore(self, ack: AsyncAck) -> None:
        await ack()

    # ------------------------------------------------------------ commands and buttons

    async def _on_question(self, body: SlackObject, ack: AsyncAck) -> None:
        await ack(text=await self._ask(body))

    async def _ask(self, body: SlackObject) -> str:
        """Posts and stores the question of a slash command. Returns the reply to its author, "" if it succeeded."""
        if not get_text(body, "text").strip():
            return in_all_languages("slack-question-missing", command=get_text(body, "command"))
        # Checked first: the bot posts nothing for a person whom it does not serve.
        try:
            incoming = await self._questions.add_groups(parse_question(body, self._me, root=""))
        except DeliveryError as error:
            log.info("slack_author_lookup_failed", problem=error.message)
            return in_all_languages("slack-try-again")
        if self._intake.rejection(incoming):
            return "\n".join(self._intake.rejection(incoming, language) or "" for language in LANGUAGES)
        try:
            root = await self._post_question(body)
        except (DeliveryError, TimeoutError) as error:
            log.info("slack_question_post_failed", error=type(error).__name__)
            if isinstance(error, SlackErrorResponse) and error.reason in NO_ACCESS:
                return in_all_languages("slack-not-member", bot=escape(self._me.name))
            return in_all_languages("slack-try-again")
        if await self._is_taken(parse_question(body, self._me, root)):
            return ""
        self._spawn(self._delete_question(get_text(body, "channel_id"), root))
        return in_all_languages("slack-try-again")

    async def _is_taken(self, incoming: IncomingMessage) -> bool:
        """Stores a command. Slack does not repeat commands, so its author gets a reply if this fails."""
        try:
            await self._intake.take(await self._questions.add_groups(incoming))
        except CspsError as error:
            log.warning("command_take_failed", platform="slack", code=error.code, problem=error.message)
            return False
        return True

    async def _post_question(self, body: SlackObject) -> str:
        """Posts the question, whose thread gets the answer. Raises DeliveryError and TimeoutError."""
        channel, question = get_text(body, "channel_id"), get_text(body, "text").strip()
        blocks = question_blocks(get_text(body, "user_name"), question)
        posting = asyncio.ensure_future(self._api.post_message(channel, None, text=escape(question), blocks=blocks))
        try:
            async with asyncio.timeout(QUESTION_DEADLINE_S):
                return await asyncio.shield(posting)
        except TimeoutError:
            self._spawn(self._delete_late_question(channel, posting))
            raise

    async def _delete_late_question(self, channel: str, posting: asyncio.Future[str]) -> None:
        """Deletes a post that took too long: its author was asked to try again, and may have done so."""
        try:
            root = await posting
        except DeliveryError as error:
            log.info("slack_question_post_failed", error=type(error).__name__)
        else:
            await self._delete_question(channel, root)

    async def _delete_question(self, channel: str, root: str) -> None:
        try:
            await self._api.write("chat.delete", channel=channel, ts=root)
        except DeliveryError as error:
            log.warning("slack_question_delete_failed", problem=error.message)

    async def _on_command(self, body: SlackObject, ack: AsyncAck) -> None:
        incoming = parse_command(body, self._me)
        is_taken = incoming is None or await self._is_taken(incoming)
        await ack(text="" if is_taken else in_all_languages("slack-try-again"))

    async def _on_private_question(self, body: SlackObject, ack: AsyncAck) -> None:
        if not get_text(body, "text").strip():
            await ack(text=in_all_languages("slack-question-missing", command=PRIVATE_COMMAND))
            return
        incoming = parse_private_question(body, self._me)
        is_taken = incoming is None or await self._is_taken(incoming)
        await ack(text="" if is_taken else in_all_languages("slack-try-again"))

    async def _on_share(self, body: SlackObject, ack: AsyncAck) -> None:
        """Posts a private answer in the channel, once, and removes the private one with its button."""
        if incoming := parse_share(body, self._me):
            incoming = await self._questions.add_groups(incoming)
            if self._intake.rejection(incoming) is None:
                await self._intake.take(incoming)
                self._spawn(self._delete_original(get_text(body, "response_url")))
        await ack()

    async def _delete_original(self, url: str) -> None:
        try:
            await send_response(self._api, url, {"delete_original": True})
        except DeliveryError as error:
            log.info("slack_ephemeral_delete_failed", problem=error.message)

    async def _on_feedback(self, body: SlackObject, ack: AsyncAck) -> None:
        if feedback := parse_feedback(body, self._me):
            is_known = await self._intake.record_feedback(feedback.answer, feedback.speaker, feedback.value)
            log.info("slack_feedback_received", known=is_known, value=feedback.value)
        await ack()

    async def _on_regenerate(self, body: SlackObject, ack: AsyncAck) -> None:
        if incoming := parse_regenerate(body, self._me):
            await self._take(incoming)
        await ack()


def in_all_languages(key: str, **values: str) -> str:
    """A reply to a slash command, for which Slack does not give the person's language."""
    return "\n".join(text(key, language, **values) for language in LANGUAGES)


def build_bolt_app(api: SlackApi, me: BotIdentity) -> AsyncApp:
    """A bolt app that only routes: senders are already authenticated, and a listener acknowledges when it is done.

    Bolt's own `authorize` would call auth.test at the first event. While that fails, bolt acknowledges events without
    handling them.
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


async def report_failure(error: Exception) -> BoltResponse:
    """Answers 503 for a delivery that was not stored: Slack delivers it up to three more times."""
    if isinstance(error, CspsError):
        log.warning("event_take_failed", platform="slack", code=error.code, problem=error.message)
    else:
        log.error("event_failed", platform="slack", exc_info=error)
    return BoltResponse(status=503)
