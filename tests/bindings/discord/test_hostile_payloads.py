"""Values of wrong types anywhere in a payload never raise out of the mapping, and never make a wrong id."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bindings.discord.interactions import (
    build_acknowledgement,
    build_regenerate,
    parse_button_press,
    parse_slash_command,
)
from bindings.discord.mapping import ChannelContext, build_place, parse_message
from bindings.discord.markup import find_mentions
from bindings.discord.thread import build_thread, since_last_answer, sort_newest_first
from bindings.incoming import IncomingMessage
from bindings.selftest.discord_payloads import ME, payload

CONTEXT = ChannelContext(ME["id"], frozenset({"1200000000000000005"}), participating=True, bots=frozenset({"5"}))
MESSAGES = [
    "message_mention",
    "message_forward",
    "message_mention_in_reply_to_another",
    "message_attachments",
    "message_from_bot",
    "message_pinned",
]
INTERACTIONS = ["interaction_ask", "interaction_toil", "interaction_personality", "interaction_button_stop"]
RICH: dict[str, Any] = {
    "embeds": [{"type": "rich", "title": "t", "fields": [{"name": "n", "value": "v"}], "image": {"url": "http://["}}],
    "components": [{"type": 17, "components": [{"type": 9, "components": [], "accessory": {"type": 11, "media": {}}}]}],
    "poll": {"question": {"text": "?"}, "answers": [{"answer_id": 1, "poll_media": {"text": "a"}}], "results": {}},
    "sticker_items": [{"name": "s"}],
    "mention_channels": [{"id": "1", "name": "c"}],
}
ANY_VALUE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["<@1>", "\ud800", "٣", "-1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def all_paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(inner for key, each in items for inner in all_paths(each, (*path, key)))][bool(not path) :]


@st.composite
def damaged(draw: st.DrawFn, names: list[str]) -> dict[str, Any]:
    """A recorded payload with one to three values replaced."""
    message = payload(draw(st.sampled_from(names)))
    message = {**message, **deepcopy(RICH)} if "type" in message and "data" not in message else message
    for _ in range(draw(st.integers(1, 3))):
        *parents, last = draw(st.sampled_from(all_paths(message)))
        inner: Any = message
        for key in parents:
            inner = inner[key]
        inner[last] = draw(ANY_VALUE)
    return message


def check(incoming: IncomingMessage | None) -> None:
    """The message can be stored, and its ids are ids."""
    if incoming is None:
        return
    assert IncomingMessage.from_json(json.loads(json.dumps(incoming.to_json()))) == incoming
    ids = (incoming.message, incoming.user, incoming.place.channel, incoming.place.tenant or "1")
    assert all(re.fullmatch("[0-9]{1,20}", each) for each in ids)
    incoming.text.encode()
    for each in incoming.quoted:
        each.text.encode()


@settings(max_examples=150, deadline=None)
@given(damaged(MESSAGES))
def test_a_damaged_message_never_raises(message: dict[str, Any]) -> None:
    check(parse_message(message, CONTEXT))
    newest_first = sort_newest_first([message, payload("message_thread")])
    messages, _ = since_last_answer(newest_first, ME["id"])
    build_thread(messages, CONTEXT, "en")
    build_place(message, None)
    find_mentions(message)


@settings(max_examples=150, deadline=None)
@given(damaged(INTERACTIONS))
def test_a_damaged_interaction_never_raises(interaction: dict[str, Any]) -> None:
    build_acknowledgement(interaction)
    check(parse_slash_command(interaction))
    if press := parse_button_press(interaction):
        check(build_regenerate(press, interaction))


@pytest.mark.parametrize("answer", [None, {}, "x", [None, 3, {"id": None}, {"id": "x"}]])
def test_an_odd_answer_has_no_messages(answer: object) -> None:
    assert [] == sort_newest_first(answer)


def test_deep_nesting_is_cut_off() -> None:
    """Neither components nor mentions are followed without end."""
    deep: Any = {"type": 10, "content": "<@1>"}
    for _ in range(200):
        deep = {"type": 17, "components": [deep]}
    message = payload("message_dm", components=[deep], content="hello")
    incoming = parse_message(message, CONTEXT)
    assert incoming is not None
    assert ("hello", ()) == (incoming.text, incoming.quoted)
    assert find_mentions(message).users == frozenset()
