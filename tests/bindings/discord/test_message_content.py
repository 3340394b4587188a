"""Every kind of content in a message is shown to the model, or named as unread: one test for each row of the docs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bindings.discord.mapping import ChannelContext, ThreadTitle, parse_message
from bindings.discord.markup import MentionNames
from bindings.discord.thread import FILES_LIMIT, build_thread
from bindings.incoming import ThreadMessages, UnreadPart
from bindings.selftest.discord_payloads import ALICE, CHANNEL, ME, payload

DOCS = Path(__file__).parents[3] / "docs" / "discord.md"
CDN = "https://cdn.discordapp.com/attachments/1/2"
NAMES = MentionNames({"7": "Bob Roy"}, {"8": "Editors"}, {"9": "news", "1200000000000000010": "general"})
CONTEXT = ChannelContext(ME["id"], names=NAMES)
NOTICE = {
    "id": "5",
    "type": 0,
    "content": "The office closes.",
    "author": {"id": "6", "username": "bob", "global_name": "Bob"},
    "embeds": [{"type": "rich", "title": "Hours", "description": "Noon"}],
    "attachments": [{"filename": "notice.txt", "url": f"{CDN}/notice.txt", "content_type": "text/plain", "size": 9}],
}
MEDIA = {"url": f"{CDN}/chart.png?ex=1", "content_type": "image/png"}
POLL = {
    "question": {"text": "Which day?"},
    "answers": [
        {"answer_id": 1, "poll_media": {"text": "Monday", "emoji": {"id": None, "name": "🌧"}}},
        {"answer_id": 2, "poll_media": {"text": "Friday"}},
    ],
    "results": {"is_finalized": False, "answer_counts": [{"id": 2, "count": 3, "me_voted": False}]},
}

EMOJI = {"id": "41", "name": "sun"}
POLL_RESULT = [
    {"name": "poll_question_text", "value": "Which day?"},
    {"name": "victor_answer_votes", "value": "3"},
    {"name": "total_votes", "value": "4"},
    {"name": "victor_answer_id", "value": "2"},
    {"name": "victor_answer_text", "value": "Friday"},
    {"name": "victor_answer_emoji_id", "value": "41"},
    {"name": "victor_answer_emoji_name", "value": "sun"},
]


def attach(name: str, media_type: str, **more: Any) -> dict[str, Any]:
    file = {"id": "1", "filename": name, "url": f"{CDN}/{name}", "content_type": media_type, "size": 9, **more}
    return {"attachments": [file]}


def component(kind: int, **more: Any) -> dict[str, Any]:
    return {"flags": 1 << 15, "components": [{"type": 17, "components": [{"type": kind, **more}]}]}


def system(kind: int, **more: Any) -> dict[str, Any]:
    return {"type": kind, **more}


def reply(message: Any) -> dict[str, Any]:
    return {"type": 19, "message_reference": {"type": 0, "message_id": "5"}, "referenced_message": message}


def forward(*snapshots: Any) -> dict[str, Any]:
    reference = {"type": 1, "message_id": "5", "channel_id": "9"}
    return {"message_reference": reference, "message_snapshots": [{"message": each} for each in snapshots]}


def embed(**fields: Any) -> dict[str, Any]:
    return {"embeds": [fields]}


Expected = dict[str, Any]  # heard: parts of what the model is shown; files: their names; unread
CASES: dict[str, list[tuple[dict[str, Any], Expected]]] = {
    "text, Markdown, code": [({"content": "**Hi**\n```py\nx\n```"}, {"heard": ["**Hi**\n```py\nx\n```"]})],
    "mentions of people, roles and channels": [
        ({"content": "<@7> <@!7> <@&8> <#9> <#404>"}, {"heard": ["@Bob Roy @Bob Roy @Editors #news #404"]})
    ],
    "mention of a slash command, emoji, page of the server": [
        ({"content": "</set time:1> <:ok:1> <a:go:1> <id:guide>"}, {"heard": ["/set time :ok: :go: #guide"]})
    ],
    "time": [
        ({"content": "<t:1763823600:R> <t:1763823600>"}, {"heard": ["2025-11-22 15:00 UTC 2025-11-22 15:00 UTC"]}),
        ({"content": "<t:999999999999>"}, {"heard": ["<t:999999999999>"]}),
    ],
    "reply": [
        (reply(NOTICE), {"heard": ["message from Bob", "The office closes.", "Hours\nNoon"], "files": ["notice.txt"]}),
        (reply(None), {"unread": [UnreadPart("message")]}),
        (reply({**NOTICE, "content": "", "embeds": [], "attachments": []}), {"unread": [UnreadPart("message", "Bob")]}),
        (reply({**NOTICE, "author": ME, "content": "-# thinking", "embeds": [], "attachments": []}), {}),
    ],
    "forwarded message": [
        (
            forward({**NOTICE, "author": None}),
            {"heard": ["forwarded message from #news", "The office closes.", "Noon"], "files": ["notice.txt"]},
        ),
        (forward(attach("a.png", "image/png")), {"unread": [UnreadPart("image", "a.png")]}),
        (forward({"content": "", "type": 0}), {"unread": [UnreadPart("message", "#news")]}),
        (forward(), {"unread": [UnreadPart("message")]}),
    ],
    "embed of an app, preview of a link": [
        (
            embed(
                type="rich",
                title="Disk full",
                url="https://status.example/1",
                description="Host <@7>",
                fields=[{"name": "Free", "value": "1 %"}],
                author={"name": "Monitor"},
                footer={"text": "cluster 2"},
                timestamp="2025-11-22T10:00:00.000000-05:00",
            ),
            {
                "heard": [
                    "Monitor",
                    "[Disk full](https://status.example/1)\nHost @Bob Roy\nFree: 1 %\ncluster 2 • 2025-11-22 15:00 UTC",
                ]
            },
        ),
        (embed(type="article", title="News", provider={"name": "CBC"}), {"heard": ["CBC", "News"]}),
        (
            embed(type="rich", fields=[{"name": "\u200b", "value": "all well"}]),
            {"heard": ["\nall well"]},
        ),
        (embed(type="rich", thumbnail={"url": f"{CDN}/t.png"}), {"unread": [UnreadPart("image", "t.png")]}),
        (embed(type="rich", timestamp="never", title="T"), {"heard": ["T"]}),
        (embed(type="rich", image={"url": f"{CDN}/graph.png"}), {"unread": [UnreadPart("image", "graph.png")]}),
    ],
    "preview of a picture or GIF": [
        (embed(type="image", url="https://e.ca/cat.png"), {"unread": [UnreadPart("image", "cat.png")]}),
        (embed(type="gifv", url="https://e.ca/wave-1"), {"unread": [UnreadPart("image", "wave-1")]}),
    ],
    "preview of a video": [
        (
            embed(type="video", title="How to feed", url="https://v.example/1", description="In three steps"),
            {"heard": ["How to feed", "In three steps"], "unread": [UnreadPart("video", "How to feed")]},
        )
    ],
    "text display, section, container": [
        (component(10, content="Deployed <@7>"), {"heard": ["Deployed @Bob Roy"]}),
        (component(9, components=[{"type": 10, "content": "In a section"}]), {"heard": ["In a section"]}),
    ],
    "buttons and menus of an app": [
        (
            component(1, components=[{"type": 2, "style": 5, "label": "Log", "url": "https://ci.example/1"}]),
            {"heard": ["[Log](https://ci.example/1)"]},
        ),
        (component(9, components=[], accessory={"type": 2, "label": "Approve"}), {"heard": ["[Approve]"]}),
        (
            component(3, placeholder="Choose", options=[{"label": "Big", "description": "for ten"}]),
            {"heard": ["Choose\n- Big: for ten"]},
        ),
        (component(5, placeholder="Who?"), {"heard": ["Who?"]}),
    ],
    "media gallery, thumbnail": [
        (
            component(12, items=[{"media": MEDIA, "description": "Sales by month"}]),
            {"heard": ["![Sales by month](chart.png)"], "unread": [UnreadPart("image", "chart.png")]},
        ),
        (
            component(9, components=[], accessory={"type": 11, "media": MEDIA, "description": "A face"}),
            {"heard": ["![A face](chart.png)"], "unread": [UnreadPart("image", "chart.png")]},
        ),
    ],
    "file component": [
        (component(13, file={"url": f"{CDN}/log.txt?a=1"}, name="log.txt", size=5), {"files": ["log.txt"]})
    ],
    "separator": [(component(14), {"heard": ["---"]})],
    "unknown component": [(component(99), {"unread": [UnreadPart("other")]})],
    "poll": [
        ({"poll": POLL}, {"heard": ["Poll: Which day?\n- 🌧 Monday (0 votes)\n- Friday (3 votes)"]}),
        ({"poll": {**POLL, "results": None}}, {"heard": ["Poll: Which day?\n- 🌧 Monday\n- Friday"]}),
        (
            {"poll": {"question": {"text": "Ask <@7>?"}, "answers": [{"poll_media": {"emoji": EMOJI, "text": "Yes"}}]}},
            {"heard": ["Poll: Ask @Bob Roy?\n- :sun: Yes"]},
        ),
        ({"poll": {}}, {"unread": [UnreadPart("poll")]}),
    ],
    "result of a poll": [
        (
            system(46) | embed(type="poll_result", fields=POLL_RESULT),
            {"heard": ["(a poll has ended)", "Poll: Which day?\n- :sun: Friday (3 votes)"]},
        ),
        (
            system(46) | embed(type="poll_result", fields=POLL_RESULT[:1]),
            {"heard": ["[embedded content]\nPoll: Which day?"]},
        ),
    ],
    "sticker": [({"sticker_items": [{"id": "1", "name": "Wave", "format_type": 1}]}, {"heard": ["(sticker: Wave)"]})],
    "attached file": [
        (attach("plan.md", "text/markdown", description="The plan"), {"files": ["plan.md"], "heard": ["The plan"]})
    ],
    "attached picture": [
        (
            attach("a.png", "image/png", description="A map"),
            {"heard": ["A map"], "unread": [UnreadPart("image", "a.png")]},
        )
    ],
    "voice message, recording": [
        (
            {"flags": 1 << 13, **attach("voice-message.ogg", "audio/ogg", duration_secs=2.1)},
            {"unread": [UnreadPart("audio", "voice-message.ogg")]},
        )
    ],
    "attached video": [(attach("a.mp4", "video/mp4"), {"unread": [UnreadPart("video", "a.mp4")]})],
    "activity or game invitation": [
        ({"activity": {"type": 1}, "application": {"name": "Chess"}}, {"unread": [UnreadPart("other", "Chess")]})
    ],
    "message that began a thread": [
        (
            {**reply(NOTICE), "type": 21},
            {"heard": ["Bob: The office closes.", "Hours\nNoon"], "files": ["notice.txt"]},
        ),
        ({**reply(None), "type": 21}, {"unread": [UnreadPart("message")]}),
    ],
    "message of another bot or a webhook": [
        (
            {"author": {"id": "77", "username": "CI", "bot": True}, **embed(type="rich", title="Build failed")},
            {"heard": ["CI: ", "Build failed"]},
        ),
        (
            {"author": {"id": "78", "username": "Alerts"}, "webhook_id": "78", "content": "Fire"},
            {"heard": ["Alerts: Fire"]},
        ),
    ],
    "reply to a command of another bot": [
        ({**system(20, author={"id": "77", "username": "Dice", "bot": True}), "content": "6"}, {"heard": ["Dice: 6"]})
    ],
    "pin": [(system(6), {"heard": ["(pinned a message)"]})],
    "member joined, server boosted": [
        (system(7), {"heard": ["Alice Tremblay: (joined the server)"]}),
        *[(system(kind), {"heard": ["(boosted the server)"]}) for kind in (8, 9, 10, 11)],
    ],
    "thread started, conversation renamed": [
        (system(18, content="Feeds"), {"heard": ["(started a thread)\nFeeds"]}),
        (system(4, content="Feeds"), {"heard": ["(renamed this conversation)\nFeeds"]}),
    ],
    "call, stage, followed channel": [
        (system(3), {"heard": ["(started a call)"]}),
        (system(12, content="Town #news"), {"heard": ["Town #news"]}),
        *[(system(kind, content="Budget"), {"heard": ["stage", "Budget"]}) for kind in (27, 28, 31)],
    ],
    "automatic moderation": [
        (
            system(24) | embed(type="auto_moderation_message", fields=[{"name": "rule_name", "value": "Spam"}]),
            {"heard": ["(automatic moderation held back a message)", "rule_name: Spam"]},
        )
    ],
    "other notices of Discord": [
        *[(system(kind), {"heard": ["(a notice of Discord)"]}) for kind in (1, 14, 22, 25, 29, 32, 36, 39, 44, 999)]
    ],
}
IN_TITLES = ("post in a forum", "title of a thread")  # these have tests of their own


def read_in_thread(changes: dict[str, Any]) -> ThreadMessages:
    message = payload("message_thread", **{"content": "", **changes})
    return build_thread([message], CONTEXT, "en")


@pytest.mark.parametrize("kind", CASES)
def test_a_message_of_the_thread_is_shown(kind: str) -> None:
    """Its words are in its turn, its files beside it, and the turn names what cannot be read."""
    for changes, expected in CASES[kind]:
        thread = read_in_thread(changes)
        shown = "\n".join(f"{turn.speaker}: {turn.text}" for turn in thread.turns)
        assert [] == [each for each in expected.get("heard", ()) if each not in shown]
        assert expected.get("files", []) == [file.name for file in thread.files]
        assert ("Not read" in shown) == bool(expected.get("unread"))
        assert all(part.name in shown for part in expected.get("unread", ()))


@pytest.mark.parametrize("kind", CASES)
def test_a_question_is_shown_in_the_same_way(kind: str) -> None:
    """What cannot be read is also a value, which the person is told."""
    for changes, expected in CASES[kind]:
        mention = {"content": "", **changes, "mentions": [ME]}
        if mention.get("type", 0) not in (0, 19) or "author" in changes:
            continue  # only people's messages are questions
        incoming = parse_message(payload("message_mention", **mention), CONTEXT)
        assert incoming is not None
        shown = "\n".join([incoming.text, *(f"{each.name}\n{each.text}" for each in incoming.quoted)])
        assert [] == [each for each in expected.get("heard", ()) if each not in shown]
        assert expected.get("files", []) == [file.name for file in incoming.files]
        assert tuple(expected.get("unread", ())) == incoming.unread


def test_the_documentation_has_a_row_for_each_kind() -> None:
    """No cell is empty."""
    table = DOCS.read_text(encoding="utf-8").partition("| Part of a message |")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]

    assert sorted([*CASES, *IN_TITLES]) == sorted(row[0] for row in rows)
    assert all(all(row) and len(row) == 3 for row in rows)
    assert not [row for row in rows if row[1] == row[2] == "nothing"]


def test_a_post_begins_with_its_title_and_tags() -> None:
    """They are shown before the first message, and are the question's first words if the post itself asks."""
    title = ThreadTitle("Printer on fire", ("urgent", "it"), is_post=True)
    context = ChannelContext(ME["id"], parent=CHANNEL, title=title)
    thread = build_thread([payload("message_thread", content="See title")], context, "fr")
    assert ["Publication\u00a0: Printer on fire\nMots-clés\u00a0: urgent, it", "See title"] == [
        turn.text for turn in thread.turns
    ]

    question = payload("message_bare_mention", id="55", channel_id="55")
    incoming = parse_message(question, context)
    assert incoming is not None
    assert "Printer on fire" == incoming.text


def test_a_thread_begins_with_its_title() -> None:
    title = ThreadTitle("feeds")
    thread = build_thread([], ChannelContext(ME["id"], title=title), "en")

    assert ["Thread: feeds"] == [turn.text for turn in thread.turns]


def test_earlier_files_are_named_only() -> None:
    """A long thread would otherwise fill the prompt with old files."""
    messages = [
        payload("message_thread", id=str(number), **attach(f"{number}.txt", "text/plain")) for number in range(9)
    ]
    thread = build_thread(messages, CONTEXT, "en")

    assert [f"{number}.txt" for number in range(9)][-FILES_LIMIT:] == [file.name for file in thread.files]
    assert "(0.txt)" in thread.turns[0].text


def test_the_bots_own_words_are_quoted_without_its_buttons_and_small_print() -> None:
    """In French, the quote's name is French."""
    own = {
        "author": ME,
        "content": "Un fil.\n-# Rédigé par une IA",
        "components": payload("interaction_button_stop")["message"]["components"],
    }
    question = payload(
        "message_mention", **{**reply({**NOTICE, **own, "embeds": []}), "content": "Et pour nous, en français?"}
    )
    incoming = parse_message(question, CONTEXT)
    assert incoming is not None

    (quote,) = incoming.quoted
    assert "Un fil." == quote.text
    assert "cet assistant" in quote.name


def test_a_name_cannot_contain_another_token() -> None:
    """Names are put in place in one pass."""
    names = MentionNames({"7": "<@&8>"}, {"8": "Editors"})
    incoming = parse_message(payload("message_dm", content="<@7>"), ChannelContext(ME["id"], names=names))
    assert incoming is not None
    assert "@<@&8>" == incoming.text
    assert ALICE["id"] == incoming.user
