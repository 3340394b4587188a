"""Text of strangers and models is processed in linear time.

There is no threshold: a slower algorithm takes minutes here and meets the time limit of every test.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bindings.delivery.splitting import split_pages
from bindings.discord import formatting as discord
from bindings.discord import mapping as discord_mapping
from bindings.discord.mapping import ChannelContext
from bindings.selftest.discord_payloads import payload
from bindings.slack import message_content as slack_messages
from bindings.slack import sanitize
from bindings.teams import formatting as teams
from bindings.teams import message_html
from bindings.toil.schema_reply import find_schema

MANY = 400_000
BLANKS = " " * MANY


def said_in_discord(text: str) -> object:
    me = payload("message_mention")["mentions"][0]["id"]
    return discord_mapping.parse_message(
        {**payload("message_mention"), "content": f"<@{me}>{text}"}, ChannelContext(me, frozenset())
    )


def said_in_slack(text: str) -> object:
    blocks = [
        {"type": "section", "text": {"type": "mrkdwn", "text": text}},
        {"type": "table", "rows": [[{"text": text}]]},
    ]
    attachments = [{"title": text, "title_link": text, "text": text, "is_share": True}]
    return slack_messages.read_message({"text": text, "blocks": blocks, "attachments": attachments}, own="UB")


PEOPLE: tuple[Callable[[str], object], ...] = (
    lambda text: find_schema(text, ()),
    said_in_slack,
    said_in_discord,
)


@pytest.mark.parametrize("read", PEOPLE, ids=("schemas", "slack", "discord"))
@pytest.mark.parametrize("beginning", ["x", "```", "```json", "<@UB|", "<@", "{"])
def test_a_message_of_blanks_is_read_in_linear_time(read: Callable[[str], object], beginning: str) -> None:
    """One such message must not block the bot for everyone."""
    for part in (" ", "\t", "\n", " \n", "``` ", "{ ", "<@UB "):
        read(beginning + (BLANKS.replace(" ", part)[:MANY]) + "x")


@pytest.mark.parametrize(
    "html",
    [
        '<blockquote itemtype="x/Reply">' + "<br>" * 16_000 + "<b>" + "<i>x" * 16_000,
        "<a " * 40_000,
        '<p itemid="' * 11_000,
        "<" * 130_000,
    ],
)
def test_a_message_of_tags_is_read_in_linear_time(html: str) -> None:
    """The message has the length that Teams allows."""
    assert len(html) <= message_html.LIMIT_CHARS
    message_html.parse_html(html)


MODELS: tuple[Callable[[str], object], ...] = (
    sanitize.sanitize_markdown,
    sanitize.stable_prefix,
    discord.to_discord,
    teams.render_markdown,
    teams.render_stable,
)
PARTS = {
    "blanks": " ",
    "tabs": "\t",
    "backslashes": "\\",
    "quote signs": "> ",
    "letters": "a",
    "underlines": " __a",
    "brackets": "[",
    "links": "[a](",
    "pictures": "![",
    "dashes": "- ",
    "bars": "|-",
    "ampersands": "&amp;",
}


@pytest.mark.parametrize("write", MODELS, ids=("defused", "steady", "discord", "teams", "teams streamed"))
@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS.keys())
def test_an_answer_of_one_sign_is_formatted_in_linear_time(write: Callable[[str], object], part: str) -> None:
    """The beginnings make the sign meaningful; the ends make a search fail at the very end."""
    many = part * (MANY // 4 // len(part))
    for beginning in ("", "a | b\n", "```", "[a](", "[a](b", "#### a", "<", "|", "> "):
        write(f"{beginning}{many}x")
    for end in ("`", "\nx"):
        write(f"```{many}{end}")


@pytest.mark.parametrize("part", [" ", "\t", "> ", "- ", "`", "|-|", "\n \n"])
def test_an_answer_of_one_sign_is_split_in_linear_time(part: str) -> None:
    for beginning in ("x", "```", "> ", "| a |\n|-|\n"):
        shown = split_pages(beginning + part * (20_000 // len(part)) + "x", len, 2000)
        assert all(len(page) <= 2000 for page in shown)
