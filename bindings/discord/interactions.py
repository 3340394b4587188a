"""Slash commands and presses of buttons, as Discord's gateway sends them → values. Pure; knows no SDK.

https://discord.com/developers/docs/interactions/receiving-and-responding
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from bindings.discord.mapping import Payload, clean, file_of
from bindings.incoming import AttachedFile, BotCommand, IncomingMessage, Place
from core.contract import Language
from core.language import parse_language_tag

COMMAND, COMPONENT = 2, 3  # kinds of interactions
THREADS = (10, 11, 12)  # kinds of channels
LATER, QUIETLY_LATER = 5, 6  # a reply that says "thinking …"; none
ONLY_TO_THEM = 1 << 6

Judgement = Literal["good", "bad"]
Verb = Literal["good", "bad", "regenerate", "stop"]
VERBS: dict[str, Verb] = {"good": "good", "bad": "bad", "regenerate": "regenerate", "stop": "stop"}


@dataclass(frozen=True, slots=True)
class Press:
    """Of a button under an answer."""

    verb: Verb
    answer: str
    place: Place
    message: str  # that the button is on
    user: str
    asker: str | None  # who asked for the answer, if the message tells
    language: Language

    @property
    def speaker(self) -> str:
        """As `IncomingMessage.speaker`."""
        return f"discord:{self.place.tenant}:{self.user}"


def acknowledgement(payload: Payload) -> dict[str, Any]:
    """What must be said within three seconds."""
    if payload.get("type") == COMMAND:
        return {"type": LATER}
    found = press_of(payload)
    if found is None or (found.verb in ("regenerate", "stop") and allowed(found)):
        return {"type": QUIETLY_LATER}
    return {"type": LATER, "data": {"flags": ONLY_TO_THEM}}


def allowed(press: Press) -> bool:
    """Anybody may judge an answer or ask for another; stopping it is for who asked."""
    return press.verb != "stop" or press.asker in (None, press.user)


def press_of(payload: Payload) -> Press | None:
    """None: no button of ours."""
    verb, _, rest = str((payload.get("data") or {}).get("custom_id", "")).partition(":")
    if payload.get("type") != COMPONENT or verb not in VERBS or "message" not in payload:
        return None
    message = payload["message"]
    return Press(
        VERBS[verb],
        rest.partition(":")[0],
        place_of(payload),
        str(message["id"]),
        user_of(payload),
        asker_of(message),
        language_of(payload) or "en",
    )


def asker_of(message: Payload) -> str | None:
    by_command = (message.get("interaction_metadata") or {}).get("user") or {}
    by_message = (message.get("referenced_message") or {}).get("author") or {}
    return by_command.get("id") or (None if by_message.get("bot") else by_message.get("id"))


def again(press: Press, payload: Payload) -> IncomingMessage:
    """A press on "try again" as a message: the answer goes below the one that it replaces."""
    return IncomingMessage(
        event=f"discord:i{payload['id']}",
        place=press.place,
        message=press.message,
        user=press.user,
        text="",
        language=language_of(payload),
        command=BotCommand("regenerate", press.answer),
    )


def to_prompt(payload: Payload) -> IncomingMessage | None:
    """A slash command. None: not one of ours."""
    data = payload.get("data") or {}
    if payload.get("type") != COMMAND or data.get("name") not in ("ask", "personality", "toil", "forget"):
        return None
    name, options = data["name"], {each["name"]: each.get("value") for each in data.get("options") or ()}
    return IncomingMessage(
        event=f"discord:i{payload['id']}",
        place=place_of(payload, route=route_of(payload)),
        message=str(payload["id"]),
        user=user_of(payload),
        text=text_of(options),
        language=language_of(payload),
        files=files_of(data, options),
        command=command_of(name, options),
        toil=name == "toil",
    )


def text_of(options: dict[str, Any]) -> str:
    text = clean(str(options.get("prompt") or "")).strip()
    schema = clean(str(options.get("json") or "")).strip()
    return f"{text}\n```json\n{schema}\n```".strip() if schema else text


def files_of(data: Payload, options: dict[str, Any]) -> tuple[AttachedFile, ...]:
    attached = (data.get("resolved") or {}).get("attachments") or {}
    wanted = [attached.get(str(options.get(name))) for name in ("file", "schema", "rows")]
    return tuple(file_of(each) for each in wanted if each)


def command_of(name: str, options: dict[str, Any]) -> BotCommand | None:
    if name == "personality":
        return BotCommand("personality", str(options.get("name") or ""))
    return BotCommand("forget") if name == "forget" else None


def place_of(payload: Payload, route: dict[str, str] | None = None) -> Place:
    channel = payload.get("channel") or {}
    here, guild = str(channel.get("id") or payload["channel_id"]), payload.get("guild_id")
    if guild is None:
        return Place("discord", "", here, None, "personal", route or {})
    if channel.get("type") in THREADS and channel.get("parent_id"):
        return Place("discord", str(guild), str(channel["parent_id"]), here, "channel", route or {})
    return Place("discord", str(guild), here, None, "channel", route or {})


def route_of(payload: Payload) -> dict[str, str]:
    """By which a command is answered; the token ends after 15 minutes."""
    return {
        "interaction": str(payload["id"]),
        "application": str(payload["application_id"]),
        "token": str(payload["token"]),
    }


def user_of(payload: Payload) -> str:
    """In a guild, a member; in a direct message, a user."""
    return str(((payload.get("member") or {}).get("user") or payload["user"])["id"])


def language_of(payload: Payload) -> Language | None:
    """The person's own, as their client has it."""
    return parse_language_tag(str(payload.get("locale") or ""))
