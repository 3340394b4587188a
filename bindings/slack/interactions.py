"""A slash command or a press on a button → what it asks of the bot. Pure, and total.

A question by command has no message of its own to answer: the adapter posts one first, and `asked` is about that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bindings.incoming import BotCommand, CommandName, IncomingMessage, Place
from bindings.slack.mapping import Fields, Me, fields, kind_of, listed, text
from bindings.slack.mrkdwn import plain

JUDGE = "csps_llm_judge"  # action ids
AGAIN = "csps_llm_again"
ASKING = ("/ask", "/toil")
COMMANDS: dict[str, CommandName] = {"/personality": "personality", "/forget": "forget"}


@dataclass(frozen=True, slots=True)
class Judgement:
    answer: str
    speaker: str
    value: Literal["good", "bad"]


def ordered(body: Fields, me: Me) -> IncomingMessage | None:
    """Of /personality and /forget: a command, answered to its author alone. None: it lacks what it needs.

    Slack takes no commands in threads, so it is about none of those that conversations are here.
    """
    name = COMMANDS.get(text(body, "command"))
    channel, user, trigger = text(body, "channel_id"), text(body, "user_id"), text(body, "trigger_id")
    if not (name and channel and user and trigger):
        return None
    team = text(body, "team_id") or me.team
    route = {"user": user, "team": team, "response_url": text(body, "response_url")}
    place = Place("slack", team, channel, None, kind_of(channel), route, threaded=True)
    words = plain(text(body, "text")).strip()
    command = BotCommand(name, words if name == "personality" else "")
    return IncomingMessage(f"slack:{team}:{channel}:/{trigger}", place, trigger, user, words, command=command)


def asked(body: Fields, me: Me, root: str) -> IncomingMessage:
    """Of /ask and /toil: a question, which the message `root` shows to everybody and whose thread has the answer."""
    team, channel, user = text(body, "team_id") or me.team, text(body, "channel_id"), text(body, "user_id")
    place = Place("slack", team, channel, root, kind_of(channel), {"user": user, "team": team})
    return IncomingMessage(
        event=f"slack:{team}:{channel}:{root}",
        place=place,
        message=root,
        user=user,
        text=plain(text(body, "text")).strip(),
        toil=text(body, "command") == "/toil",
    )


def action_of(body: Fields) -> Fields:
    """A press carries a list of one."""
    actions = listed(body, "actions")
    return actions[0] if actions else {}


def regenerate(body: Fields, me: Me) -> IncomingMessage | None:
    """Of a press on "write again"."""
    action, place, user = action_of(body), place_of_press(body, me), text(fields(body, "user"), "id")
    answer, pressed = text(action, "value"), text(action, "action_ts")
    if place is None or not (answer and pressed and user):
        return None
    message = text(fields(body, "container"), "message_ts")
    event = f"slack:{place.tenant}:{place.channel}:!{pressed}:{user}"
    return IncomingMessage(event, place, message, user, "", command=BotCommand("regenerate", answer))


def judgement(body: Fields, me: Me) -> Judgement | None:
    """Of a press on a feedback button."""
    value, _, answer = text(action_of(body), "value").partition(" ")
    user = text(fields(body, "user"), "id")
    if not answer or not user:
        return None
    speaker = f"slack:{team_of_press(body, me)}:{user}"
    if value == "good":
        return Judgement(answer, speaker, "good")
    return Judgement(answer, speaker, "bad") if value == "bad" else None


def place_of_press(body: Fields, me: Me) -> Place | None:
    """Where the message with the button is."""
    container, message = fields(body, "container"), fields(body, "message")
    channel = text(container, "channel_id") or text(fields(body, "channel"), "id")
    ts = text(container, "message_ts") or text(message, "ts")
    if not channel or not ts:
        return None
    kind, team = kind_of(channel), team_of_press(body, me)
    thread = text(container, "thread_ts") or text(message, "thread_ts") or (None if kind == "personal" else ts)
    user = fields(body, "user")
    route = {"user": text(user, "id"), "team": text(user, "team_id") or team}
    return Place("slack", team, channel, thread, kind, route)


def team_of_press(body: Fields, me: Me) -> str:
    return text(fields(body, "team"), "id") or me.team
