"""The button that shows everyone an answer which only one person sees. Pure.

Slack keeps no ephemeral message, and a press of its button names none. So the button carries the answer, compressed:
nothing is stored for it, and it works after a restart and in another process.

https://docs.slack.dev/reference/block-kit/block-elements/button-element
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from bindings.delivery.outlet import Page
from bindings.incoming import BotCommand, IncomingMessage, Place
from bindings.slack.formatting import BlockKitBlock, page_markdown, plain_text_object
from bindings.slack.interactions import button_team, pressed_action
from bindings.slack.mapping import BotIdentity, place_kind
from bindings.slack.payloads import SlackObject, get_object, get_text
from core.contract import Language
from core.texts import LANGUAGES, text

SHARE_ACTION = "csps_llm_share"
VALUE_CHARS = 2000  # Slack's limit for the value of a button
ANSWER_CHARS = 40_000  # when read back: a limit for hostile values


@dataclass(frozen=True, slots=True)
class SharedAnswer:
    question: str  # the id of the question, for which the answer is shown once
    language: Language
    markdown: str


def build_share_block(question: str, pages: Sequence[Page]) -> list[BlockKitBlock]:
    """Returns the button, or nothing for an answer that does not fit into it."""
    language = pages[-1].language
    answer = SharedAnswer(question, language, "\n\n".join(page_markdown(page) for page in pages))
    value = pack_answer(answer)
    if len(value) > VALUE_CHARS:
        return []
    label = plain_text_object(text("slack-share", language))
    button = {"type": "button", "action_id": SHARE_ACTION, "text": label, "value": value}
    return [{"type": "actions", "elements": [button]}]


def pack_answer(answer: SharedAnswer) -> str:
    packed = zlib.compress(answer.markdown.encode("utf-8", "replace"), 9)
    return f"{answer.question} {answer.language} {base64.b85encode(packed).decode()}"


def unpack_answer(value: str) -> SharedAnswer | None:
    """Returns None for anything that is not from `pack_answer`."""
    question, _, rest = value.partition(" ")
    language, _, packed = rest.partition(" ")
    known = next((each for each in LANGUAGES if each == language), None)
    if not question or known is None:
        return None
    try:
        raw = zlib.decompressobj().decompress(base64.b85decode(packed), ANSWER_CHARS)
        markdown = raw.decode()
    except (ValueError, zlib.error, binascii.Error):
        return None
    return SharedAnswer(question, known, markdown) if markdown.strip() else None


def parse_share(body: SlackObject, me: BotIdentity) -> IncomingMessage | None:
    """Maps a press of the button to a command that posts the answer in the channel. None: a field is missing or wrong.

    All presses for one answer are one event, so that it is shown once.
    """
    answer, user = unpack_answer(get_text(pressed_action(body), "value")), get_object(body, "user")
    channel = get_text(get_object(body, "container"), "channel_id") or get_text(get_object(body, "channel"), "id")
    if answer is None or not (channel and get_text(user, "id")):
        return None
    team, person = button_team(body, me), get_text(user, "id")
    route = {"user": person, "team": get_text(user, "team_id") or team}
    name = get_text(user, "name") or get_text(user, "username") or person
    shown = f"{answer.markdown}\n\n{text('slack-shown-by', answer.language, name=name)}"
    return IncomingMessage(
        event=f"slack:{team}:{channel}:share:{answer.question}",
        place=Place("slack", team, channel, None, place_kind(channel), route, threaded=True),
        message=answer.question,
        user=person,
        text="",
        language=answer.language,
        command=BotCommand("share", shown),
    )
