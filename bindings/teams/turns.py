"""Passes each kind of activity to the intake. Decides nothing about answers.

botbuilder's ActivityHandler distinguishes the kinds and ignores those without a method here (reactions, typing).
Work that takes longer than an acknowledgement becomes a background task.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Literal

from botbuilder.core import ActivityHandler, InvokeResponse, TurnContext
from botbuilder.schema import Activity, ActivityTypes, ChannelAccount
from cachetools import FIFOCache

from bindings.incoming import IncomingMessage, Place
from bindings.intake.intake import Intake
from bindings.teams import messages
from bindings.teams.activities import activity_language, get_text, get_value, is_id
from bindings.teams.connector import Connector
from bindings.teams.files import FileConsents
from bindings.teams.mapping import (
    MappingOptions,
    build_place,
    is_addressed,
    is_edit,
    is_for_others,
    mentions_bot,
    parse_message,
    user_id,
)
from bindings.teams.streaming import build_ref
from core import strict_json
from core.errors import BadRequest
from core.runtime.background_tasks import BackgroundTasks

GREETED_LIMIT = 1000
COMMENT_LIMIT_CHARS = 2000
FEEDBACK = "message/submitAction"
CONSENT = "fileConsent/invoke"


class TurnHandler(ActivityHandler):  # type: ignore[misc]
    """Methods raise StorageError and Stopping of the intake: the activity is then not acknowledged."""

    def __init__(
        self,
        intake: Intake,
        connector: Connector,
        consents: FileConsents,
        tasks: BackgroundTasks,
        options: MappingOptions | None = None,
    ) -> None:
        self._intake = intake
        self._connector = connector
        self._consents = consents
        self._tasks = tasks
        self._options = options or MappingOptions()
        self._greeted: FIFOCache[str, None] = FIFOCache(GREETED_LIMIT)

    async def handle(self, activity: Activity) -> InvokeResponse | None:
        """Handles an activity of a verified caller. Returns None if only an acknowledgement is due."""
        context = TurnContext(self, activity)  # in place of a BotAdapter, which only sends replies of the context
        if activity.type == ActivityTypes.invoke:
            return await self.on_invoke_activity(context)
        await self.on_turn(context)
        return None

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        await self._take(turn_context.activity)

    async def on_message_update_activity(self, turn_context: TurnContext) -> None:
        """Takes a message whose author added the mention later. For the intake, one that it knows is a repeat."""
        activity: Activity = turn_context.activity
        if is_edit(activity) and mentions_bot(activity):
            await self._take(activity)

    async def on_message_delete_activity(self, turn_context: TurnContext) -> None:
        activity: Activity = turn_context.activity
        if activity.id:
            await self._intake.withdraw_question(build_place(activity), activity.id)

    async def on_members_added_activity(self, members_added: list[ChannelAccount], turn_context: TurnContext) -> None:
        if any(each.id == turn_context.activity.recipient.id for each in members_added):
            self._greet(turn_context.activity)

    async def on_installation_update(self, turn_context: TurnContext) -> None:
        """Overrides the dispatcher: botbuilder treats the two events of an upgrade as removal and installation."""
        activity: Activity = turn_context.activity
        if activity.action == "add":
            self._greet(activity)
        elif activity.action == "remove":
            self._greeted.pop(activity.conversation.id, None)
            await self._intake.forget_places(build_place(activity).tenant, lambda place: is_within(place, activity))

    async def on_invoke_activity(self, turn_context: TurnContext) -> InvokeResponse:
        activity: Activity = turn_context.activity
        if activity.name == FEEDBACK:
            await self._record_feedback(activity)
            return InvokeResponse(status=int(HTTPStatus.OK), body={})
        if activity.name == CONSENT:
            self._tasks.start(self._consents.handle(activity))
            return InvokeResponse(status=int(HTTPStatus.OK))
        return InvokeResponse(status=int(HTTPStatus.NOT_FOUND))

    async def _take(self, activity: Activity) -> None:
        incoming = parse_message(activity, self._options)
        if incoming is not None and await self._is_for_bot(activity, incoming):
            await self._intake.take(incoming)

    async def _is_for_bot(self, activity: Activity, incoming: IncomingMessage) -> bool:
        """True if it addresses the bot, continues a thread in which the bot answers, or needs no mention here.

        A group chat is one conversation without threads, so that only the operator's list lifts its need for mentions.
        """
        if is_addressed(activity):
            return True
        if is_for_others(activity):
            return False
        if incoming.place.kind == "group":
            return self._intake.listens(incoming.place)
        return await self._intake.answers_without_mention(incoming)

    async def _record_feedback(self, activity: Activity) -> None:
        value = parse_reaction(activity)
        if value is None or not activity.reply_to_id or not is_id(activity.reply_to_id):
            return
        place = build_place(activity)
        speaker = IncomingMessage("", place, "", user_id(activity), "").speaker
        for streamed in (False, True):
            answer = await self._intake.find_answer(place, build_ref(activity.reply_to_id, streamed=streamed))
            if answer is not None:
                await self._intake.record_feedback(answer, speaker, value, parse_comment(activity))

    def _greet(self, activity: Activity) -> None:
        """Greets once per conversation: an installation causes two events."""
        conversation = activity.conversation.id
        if conversation not in self._greeted:
            self._greeted[conversation] = None
            self._tasks.start(self._send_greeting(activity))

    async def _send_greeting(self, activity: Activity) -> None:
        place = build_place(activity)
        greeting = await self._intake.greeting(place, activity_language(activity))
        await self._connector.send(place, messages.build_greeting(greeting, place))


def is_within(place: Place, activity: Activity) -> bool:
    """Returns whether a place belongs to the chat, or to the team, from which the app was removed."""
    team = get_text(activity.channel_data, "team", "id")
    return place.channel == build_place(activity).channel or (bool(team) and place.route.get("team") == team)


def parse_reaction(activity: Activity) -> Literal["good", "bad"] | None:
    reaction = get_text(activity.value, "actionValue", "reaction")
    return {"like": "good", "dislike": "bad"}.get(reaction)  # type: ignore[return-value]


def parse_comment(activity: Activity) -> str:
    """Returns the person's comment, which Teams sends as JSON within JSON, or ""."""
    feedback = get_value(activity.value, "actionValue", "feedback")
    if isinstance(feedback, str):
        try:
            feedback = strict_json.parse(feedback, last_wins=True)
        except BadRequest:
            return ""
    return get_text(feedback, "feedbackText")[:COMMENT_LIMIT_CHARS]
