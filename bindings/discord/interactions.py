"""Slash commands and button presses from Discord's gateway → values. Pure; knows no SDK.

https://discord.com/developers/docs/interactions/receiving-and-responding
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from bindings.discord.mapping import Payload, build_place, parse_file, remove_non_text
from bindings.incoming import AttachedFile, BotCommand, IncomingMessage, Place
from core.contract import Language
from core.language import parse_language_tag

COMMAND, COMPONENT = 2, 3  # types of interactions
THREADS = (10, 11, 12)  # types of channels
DEFERRED_REPLY, DEFERRED_UPDATE = 5, 6  # types of acknowledgements: with and without "thinking …"
EPHEMERAL = 1 << 6  # only the person sees the message

ButtonAction = Literal["good", "bad", "regenerate", "stop"]
BUTTON_ACTIONS: dict[str, ButtonAction] = {"good": "good", "bad": "bad", "regenerate": "regenerate", "stop": "stop"}


@dataclass(frozen=True, slots=True)
class ButtonPress:
    """A press of a button below an answer."""

    action: ButtonAction
    answer: str
    place: Place
    message: str  # the message of the button
    user: str
    asker: str | None  # the author of the question, if the message names them
    language: Language

    @property
    def speaker(self) -> str:
        """The key of `IncomingMessage.speaker`."""
        return f"discord:{self.place.tenant}:{self.user}"

    @property
    def is_allowed(self) -> bool:
        """Anybody may rate an answer or ask for a new one; only the asker may stop it."""
        return self.action != "stop" or self.asker in (None, self.user)


def build_acknowledgement(payload: Payload) -> dict[str, Any]:
    """The response that Discord requires within three seconds."""
    if payload.get("type") == COMMAND:
        return {"type": DEFERRED_REPLY}
    press = parse_button_press(payload)
    if press is None or (press.action in ("regenerate", "stop") and press.is_allowed):
        return {"type": DEFERRED_UPDATE}
    return {"type": DEFERRED_REPLY, "data": {"flags": EPHEMERAL}}


def parse_button_press(payload: Payload) -> ButtonPress | None:
    """None: not one of the bot's buttons."""
    action, _, rest = str((payload.get("data") or {}).get("custom_id", "")).partition(":")
    if payload.get("type") != COMPONENT or action not in BUTTON_ACTIONS or "message" not in payload:
        return None
    message = payload["message"]
    return ButtonPress(
        BUTTON_ACTIONS[action],
        rest.partition(":")[0],
        build_interaction_place(payload),
        str(message["id"]),
        parse_user(payload),
        parse_asker(message),
        parse_locale(payload) or "en",
    )


def parse_asker(message: Payload) -> str | None:
    by_command = (message.get("interaction_metadata") or {}).get("user") or {}
    by_message = (message.get("referenced_message") or {}).get("author") or {}
    return by_command.get("id") or (None if by_message.get("bot") else by_message.get("id"))


def build_regenerate(press: ButtonPress, payload: Payload) -> IncomingMessage:
    """A press of "Try again" as a message that replies to the answer."""
    return IncomingMessage(
        event=f"discord:i{payload['id']}",
        place=press.place,
        message=press.message,
        user=press.user,
        text="",
        language=parse_locale(payload),
        command=BotCommand("regenerate", press.answer),
    )


def parse_slash_command(payload: Payload) -> IncomingMessage | None:
    """None: not one of the bot's commands."""
    data = payload.get("data") or {}
    if payload.get("type") != COMMAND or data.get("name") not in ("ask", "personality", "toil", "forget"):
        return None
    name, options = data["name"], {each["name"]: each.get("value") for each in data.get("options") or ()}
    return IncomingMessage(
        event=f"discord:i{payload['id']}",
        place=build_interaction_place(payload, build_route(payload)),
        message=str(payload["id"]),
        user=parse_user(payload),
        text=build_text(options),
        language=parse_locale(payload),
        files=parse_option_files(data, options),
        command=build_bot_command(name, options),
        toil=name == "toil",
    )


def build_text(options: dict[str, Any]) -> str:
    text = remove_non_text(str(options.get("prompt") or "")).strip()
    schema = remove_non_text(str(options.get("json") or "")).strip()
    return f"{text}\n```json\n{schema}\n```".strip() if schema else text


def parse_option_files(data: Payload, options: dict[str, Any]) -> tuple[AttachedFile, ...]:
    attachments = (data.get("resolved") or {}).get("attachments") or {}
    chosen = [attachments.get(str(options.get(name))) for name in ("file", "schema", "rows")]
    return tuple(parse_file(each) for each in chosen if each)


def build_bot_command(name: str, options: dict[str, Any]) -> BotCommand | None:
    if name == "personality":
        return BotCommand("personality", str(options.get("name") or ""))
    return BotCommand("forget") if name == "forget" else None


def build_interaction_place(payload: Payload, route: dict[str, str] | None = None) -> Place:
    channel = payload.get("channel") or {}
    parent = channel.get("parent_id") if channel.get("type") in THREADS else None
    place = build_place({**payload, "channel_id": channel.get("id") or payload["channel_id"]}, parent or None)
    return replace(place, route=route or {})


def build_route(payload: Payload) -> dict[str, str]:
    """The values that a reply to a command needs. The token expires after 15 minutes."""
    return {
        "interaction": str(payload["id"]),
        "application": str(payload["application_id"]),
        "token": str(payload["token"]),
    }


def parse_user(payload: Payload) -> str:
    """The user id, which a guild's payload has in `member` and a direct message's in `user`."""
    return str(((payload.get("member") or {}).get("user") or payload["user"])["id"])


def parse_locale(payload: Payload) -> Language | None:
    """The language of the person's Discord client."""
    return parse_language_tag(str(payload.get("locale") or ""))
