"""Slash commands and button presses from Discord's gateway → values. Pure; knows no SDK.

https://discord.com/developers/docs/interactions/receiving-and-responding
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from bindings.discord.attachments import read_attachment
from bindings.discord.mapping import build_place, parse_groups
from bindings.discord.markup import MentionNames, to_plain_text
from bindings.discord.message_content import ContentItem, collect
from bindings.discord.payloads import Payload, as_id, as_mapping, as_mappings, as_number, as_text
from bindings.incoming import BotCommand, IncomingMessage, Place
from core.contract import Language
from core.language import parse_language_tag

COMMAND, COMPONENT = 2, 3  # types of interactions
THREADS = (10, 11, 12)  # types of channels
DEFERRED_REPLY, DEFERRED_UPDATE, UPDATE = 5, 6, 7  # types of acknowledgements; the first shows "thinking …"
GUILD_INSTALL, PRIVATE_CHANNEL = "0", 2  # of an owner who installed the bot; a context without the bot
EPHEMERAL = 1 << 6  # only the person sees the message

ButtonAction = Literal["good", "bad", "regenerate", "stop", "show"]
COMMANDS = ("ask", "personality", "toil", "forget", "facts")
NO_NAMES = MentionNames()
BUTTON_ACTIONS: dict[str, ButtonAction] = {each: each for each in get_args(ButtonAction)}


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
    if as_number(payload.get("type")) == COMMAND:
        return {"type": DEFERRED_REPLY, **({"data": {"flags": EPHEMERAL}} if is_private(payload) else {})}
    press = parse_button_press(payload)
    if press and press.action == "show":
        return {"type": UPDATE, "data": {"components": remove_button(as_mapping(payload.get("message")), "show")}}
    if press is None or (press.action in ("regenerate", "stop") and press.is_allowed):
        return {"type": DEFERRED_UPDATE}
    return {"type": DEFERRED_REPLY, "data": {"flags": EPHEMERAL}}


def parse_button_press(payload: Payload) -> ButtonPress | None:
    """None: not one of the bot's buttons."""
    action, _, rest = as_text(as_mapping(payload.get("data")).get("custom_id")).partition(":")
    message = as_mapping(payload.get("message"))
    if as_number(payload.get("type")) != COMPONENT or action not in BUTTON_ACTIONS or not has_ids(payload, message):
        return None
    return ButtonPress(
        BUTTON_ACTIONS[action],
        rest.partition(":")[0],
        build_interaction_place(payload),
        as_id(message.get("id")),
        parse_user(payload),
        parse_asker(message),
        parse_locale(payload) or "en",
    )


def is_private(payload: Payload) -> bool:
    """True for a command that asks for a private answer, and for a press below one."""
    flags = as_number(as_mapping(payload.get("message")).get("flags"))
    return parse_options(as_mapping(payload.get("data"))).get("private") is True or bool(flags & EPHEMERAL)


def is_external(payload: Payload) -> bool:
    """True if a person brought the bot along: it is not in the channel, and only the token reaches its messages.

    https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-object
    """
    owners = as_mapping(payload.get("authorizing_integration_owners"))
    return as_number(payload.get("context")) == PRIVATE_CHANNEL or (bool(owners) and GUILD_INSTALL not in owners)


def remove_button(message: Payload, action: ButtonAction) -> list[dict[str, Any]]:
    """The rows of buttons below a message, without one."""
    rows = [
        [each for each in as_mappings(row.get("components")) if not is_button(each, action)]
        for row in as_mappings(message.get("components"))
    ]
    return [{"type": 1, "components": [dict(each) for each in row]} for row in rows if row]


def is_button(component: Payload, action: ButtonAction) -> bool:
    return as_text(component.get("custom_id")).partition(":")[0] == action


def has_ids(payload: Payload, *others: Payload) -> bool:
    """True if an interaction has what a reply to it needs, and each of `others` an id."""
    ids = (payload.get("id"), payload.get("application_id"), find_channel_id(payload), parse_user(payload))
    guild = payload.get("guild_id")
    return (
        all(map(as_id, (*ids, *(each.get("id") for each in others))))
        and bool(as_text(payload.get("token")))
        and (guild is None or bool(as_id(guild)))
    )


def parse_asker(message: Payload) -> str | None:
    by_command = as_mapping(as_mapping(message.get("interaction_metadata")).get("user"))
    by_message = as_mapping(as_mapping(message.get("referenced_message")).get("author"))
    return as_id(by_command.get("id")) or (None if by_message.get("bot") else as_id(by_message.get("id")) or None)


def build_regenerate(press: ButtonPress, payload: Payload) -> IncomingMessage:
    """A press of "Try again" as a message that replies to the answer."""
    return IncomingMessage(
        event=f"discord:i{as_id(payload.get('id'))}",
        place=press.place,
        message=press.message,
        user=press.user,
        text="",
        language=parse_locale(payload),
        groups=find_groups(payload),
        command=BotCommand("regenerate", press.answer),
    )


def parse_slash_command(payload: Payload, names: MentionNames = NO_NAMES) -> IncomingMessage | None:
    """None: not one of the bot's commands. `names`: of the people, roles and channels that it mentions."""
    data = as_mapping(payload.get("data"))
    name, options = as_text(data.get("name")), parse_options(data)
    if as_number(payload.get("type")) != COMMAND or name not in COMMANDS or not has_ids(payload):
        return None
    content = collect(read_option_files(data, options))
    return IncomingMessage(
        event=f"discord:i{as_id(payload.get('id'))}",
        place=build_interaction_place(payload, build_route(payload)),
        message=as_id(payload.get("id")),
        user=parse_user(payload),
        text=build_text(options, names),
        language=parse_locale(payload),
        files=content.files,
        quoted=content.attachments(parse_locale(payload) or "en"),
        unread=content.unread,
        groups=find_groups(payload),
        command=build_bot_command(name, options),
        toil=name == "toil",
    )


def parse_options(data: Payload) -> dict[str, Any]:
    return {as_text(each.get("name")): each.get("value") for each in as_mappings(data.get("options"))}


def build_text(options: dict[str, Any], names: MentionNames) -> str:
    words = to_plain_text(as_text(options.get("prompt")), names).strip()
    schema = as_text(options.get("json")).strip()
    return f"{words}\n```json\n{schema}\n```".strip() if schema else words


def read_option_files(data: Payload, options: dict[str, Any]) -> Iterator[ContentItem]:
    attachments = as_mapping(as_mapping(data.get("resolved")).get("attachments"))
    for name in ("file", "schema", "rows"):
        if chosen := as_mapping(attachments.get(as_id(options.get(name)))):
            yield from read_attachment(chosen)


def build_bot_command(name: str, options: dict[str, Any]) -> BotCommand | None:
    if name == "personality":
        return BotCommand("personality", as_text(options.get("name")))
    if name == "facts":
        parts = (as_text(options.get(key)).strip() for key in ("action", "collection", "url", "title"))
        return BotCommand("facts", " ".join(["facts", *filter(None, parts)]))
    return BotCommand("forget") if name == "forget" else None


def find_groups(payload: Payload) -> tuple[str, ...]:
    """A person is at home where the server installed the bot, not where they brought it along."""
    groups = parse_groups(payload)
    return tuple(each for each in groups if each != "home") if is_external(payload) else groups


def build_interaction_place(payload: Payload, route: dict[str, str] | None = None) -> Place:
    """A private answer belongs to a conversation of its own, so that no answer to others repeats it."""
    channel = as_mapping(payload.get("channel"))
    parent = as_id(channel.get("parent_id")) if as_number(channel.get("type")) in THREADS else ""
    place = build_place({**payload, "channel_id": find_channel_id(payload)}, parent or None)
    place = replace(place, kind="group") if as_number(payload.get("context")) == PRIVATE_CHANNEL else place
    if is_private(payload):
        place = replace(place, thread=f"{find_channel_id(payload)}-{parse_user(payload)}")
    return replace(place, route=route or {})


def find_channel_id(payload: Payload) -> str:
    return as_id(as_mapping(payload.get("channel")).get("id")) or as_id(payload.get("channel_id"))


def build_route(payload: Payload) -> dict[str, str]:
    """The values that a reply to a command needs. The token expires after 15 minutes."""
    route = {
        "interaction": as_id(payload.get("id")),
        "application": as_id(payload.get("application_id")),
        "token": as_text(payload.get("token")),
    }
    marks = {"private": is_private(payload), "external": is_external(payload)}
    channel = {"channel": find_channel_id(payload)} if is_private(payload) else {}
    return {**route, **channel, **{mark: "1" for mark, is_set in marks.items() if is_set}}


def parse_user(payload: Payload) -> str:
    """The user id, which a guild's payload has in `member` and a direct message's in `user`. "": it has none."""
    by_member = as_mapping(as_mapping(payload.get("member")).get("user"))
    return as_id((by_member or as_mapping(payload.get("user"))).get("id"))


def parse_locale(payload: Payload) -> Language | None:
    """The language of the person's Discord client."""
    return parse_language_tag(as_text(payload.get("locale")))
