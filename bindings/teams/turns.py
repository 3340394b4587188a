"""Which activity means what to the intake: botbuilder tells the kinds apart, each method here is one of them.

Owns no policy. What takes longer than an acknowledgement becomes a background task. Activities that mean nothing to us
(edits, reactions, typing) are botbuilder's to pass over.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Literal

from botbuilder.core import ActivityHandler, InvokeResponse, TurnContext
from botbuilder.schema import Activity, ChannelAccount
from cachetools import FIFOCache

from bindings.incoming import IncomingMessage, Place
from bindings.intake.intake import Intake
from bindings.teams import messages
from bindings.teams.activities import is_id, language_of, member, text_at
from bindings.teams.connector import Connector
from bindings.teams.consent import Consents
from bindings.teams.mapping import is_addressed, is_for_others, place_of, to_prompt, user_of
from bindings.teams.streaming import ref_of
from core import strict_json
from core.errors import BadRequest
from core.runtime.background_tasks import BackgroundTasks

GREETED_LIMIT = 1000
COMMENT_LIMIT_CHARS = 2000
FEEDBACK = "message/submitAction"
CONSENT = "fileConsent/invoke"


class Turns(ActivityHandler):  # type: ignore[misc]
    """Methods raise StorageError and Stopping of the intake: the activity is then not acknowledged."""

    def __init__(self, intake: Intake, connector: Connector, consents: Consents, tasks: BackgroundTasks) -> None:
        self._intake = intake
        self._connector = connector
        self._consents = consents
        self._tasks = tasks
        self._greeted: FIFOCache[str, None] = FIFOCache(GREETED_LIMIT)

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        incoming = to_prompt(turn_context.activity)
        if incoming is not None and await self._is_for_us(turn_context.activity, incoming):
            await self._intake.take(incoming)

    async def on_message_delete_activity(self, turn_context: TurnContext) -> None:
        activity: Activity = turn_context.activity
        if activity.id:
            await self._intake.withdraw_question(place_of(activity), activity.id)

    async def on_members_added_activity(self, members_added: list[ChannelAccount], turn_context: TurnContext) -> None:
        if any(each.id == turn_context.activity.recipient.id for each in members_added):
            self._greet(turn_context.activity)

    async def on_installation_update(self, turn_context: TurnContext) -> None:
        """botbuilder takes the two halves of an upgrade for an installation and an uninstallation."""
        activity: Activity = turn_context.activity
        if activity.action == "add":
            self._greet(activity)
        elif activity.action == "remove":
            self._greeted.pop(activity.conversation.id, None)
            await self._intake.forget_places(place_of(activity).tenant, lambda place: is_within(place, activity))

    async def on_invoke_activity(self, turn_context: TurnContext) -> InvokeResponse:
        activity: Activity = turn_context.activity
        if activity.name == FEEDBACK:
            await self._feedback(activity)
            return InvokeResponse(status=int(HTTPStatus.OK), body={})
        if activity.name == CONSENT:
            self._tasks.start(self._consents.answered(activity))
            return InvokeResponse(status=int(HTTPStatus.OK))
        return InvokeResponse(status=int(HTTPStatus.NOT_FOUND))

    async def _is_for_us(self, activity: Activity, incoming: IncomingMessage) -> bool:
        """Without a mention, the next words in a thread in which the bot answers."""
        if is_addressed(activity):
            return True
        in_thread = incoming.place.kind == "channel" and incoming.place.thread != activity.id
        return in_thread and not is_for_others(activity) and await self._intake.is_participating(incoming.place)

    async def _feedback(self, activity: Activity) -> None:
        value = judged(activity)
        if value is None or not activity.reply_to_id or not is_id(activity.reply_to_id):
            return
        place = place_of(activity)
        speaker = IncomingMessage("", place, "", user_of(activity), "").speaker
        for streamed in (False, True):
            answer = await self._intake.find_answer(place, ref_of(activity.reply_to_id, streamed=streamed))
            if answer is not None:
                await self._intake.record_feedback(answer, speaker, value, comment_of(activity))

    def _greet(self, activity: Activity) -> None:
        """Once: an installation comes as two events."""
        conversation = activity.conversation.id
        if conversation in self._greeted:
            return
        self._greeted[conversation] = None
        place, language = place_of(activity), language_of(activity)

        async def greet() -> None:
            words = await self._intake.greeting(place, language)
            await self._connector.send(
                place.route["service_url"], place.route["conversation"], messages.greeting(words, place)
            )

        self._tasks.start(greet())


def is_within(place: Place, activity: Activity) -> bool:
    """Whether something was said where the app was taken out: in that chat, or in any channel of that team."""
    team = text_at(activity.channel_data, "team", "id")
    return place.channel == place_of(activity).channel or (bool(team) and place.route.get("team") == team)


def judged(activity: Activity) -> Literal["good", "bad"] | None:
    reaction = text_at(activity.value, "actionValue", "reaction")
    return {"like": "good", "dislike": "bad"}.get(reaction)  # type: ignore[return-value]


def comment_of(activity: Activity) -> str:
    """What the person wrote, which Teams sends as JSON within JSON."""
    told = member(activity.value, "actionValue", "feedback")
    if isinstance(told, str):
        try:
            told = strict_json.parse(told, last_wins=True)
        except BadRequest:
            return ""
    return text_at(told, "feedbackText")[:COMMENT_LIMIT_CHARS]
