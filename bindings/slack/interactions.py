"""Parses slash commands and presses of buttons. Pure and total.

A question from a slash command has no message that an answer could reply to: the adapter posts one first (`root`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bindings.incoming import BotCommand, CommandName, IncomingMessage, Place
from bindings.slack.mapping import BotIdentity, place_kind
from bindings.slack.markup import to_plain_text
from bindings.slack.payloads import SlackObject, get_object, get_objects, get_text

FEEDBACK_ACTION = "csps_llm_judge"
REGENERATE_ACTION = "csps_llm_again"
QUESTION_COMMANDS = ("/ask", "/toil")
PRIVATE_COMMAND = "/aside"
COMMANDS: dict[str, CommandName] = {"/personality": "personality", "/forget": "forget", "/facts": "facts"}


@dataclass(frozen=True, slots=True)
class SlackFeedback:
    answer: str
    speaker: str
    value: Literal["good", "bad"]


def parse_command(body: SlackObject, me: BotIdentity) -> IncomingMessage | None:
    """Maps /personality, /forget or /facts, whose answer only the author sees. None: a field is missing.

    Slack allows no slash commands in threads, so the place has no thread.
    """
    name = COMMANDS.get(get_text(body, "command"))
    channel, user, trigger = (get_text(body, key) for key in ("channel_id", "user_id", "trigger_id"))
    if not (name and channel and user and trigger):
        return None
    team = get_text(body, "team_id") or me.team
    route = {"user": user, "team": team, "response_url": get_text(body, "response_url")}
    place = Place("slack", team, channel, None, place_kind(channel), route, threaded=True)
    argument = to_plain_text(get_text(body, "text")).strip()
    arguments = {"personality": argument, "facts": f"facts {argument}"}
    command = BotCommand(name, arguments.get(name, ""))
    return IncomingMessage(f"slack:{team}:{channel}:/{trigger}", place, trigger, user, argument, command=command)


def parse_question(body: SlackObject, me: BotIdentity, root: str) -> IncomingMessage:
    """Maps /ask or /toil. `root` is the message that shows the question; its thread gets the answer."""
    team, channel = get_text(body, "team_id") or me.team, get_text(body, "channel_id")
    user = get_text(body, "user_id")
    place = Place("slack", team, channel, root, place_kind(channel), {"user": user, "team": team})
    return IncomingMessage(
        event=f"slack:{team}:{channel}:{root}",
        place=place,
        message=root,
        user=user,
        text=to_plain_text(get_text(body, "text")).strip(),
        toil=get_text(body, "command") == "/toil",
    )


def parse_private_question(body: SlackObject, me: BotIdentity) -> IncomingMessage | None:
    """Maps /aside, whose question and answer only its author sees. None: a field is missing.

    It belongs to a conversation of its own, so that no answer to others repeats it.
    """
    channel, user, trigger = (get_text(body, key) for key in ("channel_id", "user_id", "trigger_id"))
    if not (channel and user and trigger):
        return None
    team = get_text(body, "team_id") or me.team
    route = {"user": user, "team": team, "response_url": get_text(body, "response_url")}
    place = Place("slack", team, channel, f"aside-{user}", place_kind(channel), route)
    question = to_plain_text(get_text(body, "text")).strip()
    return IncomingMessage(f"slack:{team}:{channel}:/{trigger}", place, trigger, user, question)


def parse_regenerate(body: SlackObject, me: BotIdentity) -> IncomingMessage | None:
    """Maps a press of the button that writes an answer again. None: a field is missing."""
    action, place, user = pressed_action(body), button_place(body, me), get_text(get_object(body, "user"), "id")
    answer, pressed = get_text(action, "value"), get_text(action, "action_ts")
    if place is None or not (answer and pressed and user):
        return None
    message = get_text(get_object(body, "container"), "message_ts")
    event = f"slack:{place.tenant}:{place.channel}:!{pressed}:{user}"
    return IncomingMessage(event, place, message, user, "", command=BotCommand("regenerate", answer))


def parse_feedback(body: SlackObject, me: BotIdentity) -> SlackFeedback | None:
    """Maps a press of a feedback button. None: a field is missing."""
    value, _, answer = get_text(pressed_action(body), "value").partition(" ")
    user = get_text(get_object(body, "user"), "id")
    if not (answer and user and value in ("good", "bad")):
        return None
    return SlackFeedback(answer, f"slack:{button_team(body, me)}:{user}", "good" if value == "good" else "bad")


def pressed_action(body: SlackObject) -> SlackObject:
    """A press carries a list with one action."""
    return next(iter(get_objects(body, "actions")), {})


def button_place(body: SlackObject, me: BotIdentity) -> Place | None:
    """The place of the message with the button."""
    container, message = get_object(body, "container"), get_object(body, "message")
    channel = get_text(container, "channel_id") or get_text(get_object(body, "channel"), "id")
    ts = get_text(container, "message_ts") or get_text(message, "ts")
    if not channel or not ts:
        return None
    kind, team = place_kind(channel), button_team(body, me)
    thread = get_text(container, "thread_ts") or get_text(message, "thread_ts") or (None if kind == "personal" else ts)
    user = get_object(body, "user")
    route = {"user": get_text(user, "id"), "team": get_text(user, "team_id") or team}
    return Place("slack", team, channel, thread, kind, route)


def button_team(body: SlackObject, me: BotIdentity) -> str:
    return get_text(get_object(body, "team"), "id") or me.team
