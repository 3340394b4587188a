"""Each kind of message of docs/teams.md is read, or named as one that cannot be read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bindings.content import MessageContent, MessagePart
from bindings.incoming import AttachedFile, UnreadPart
from bindings.teams import activities
from bindings.teams.mapping import MappingOptions, parse_content, parse_message
from core import PROJECT_ROOT
from core.errors import BadRequest
from tests.bindings.teams.conftest import payload

FILE_ID = "1150D938-8870-4044-9F2C-5BBDEBA70C9D"
FILE_URL = "https://contoso.sharepoint.com/sites/a/Shared Documents/General/report.docx"
FILE_LINK = "[report.docx](https://contoso.sharepoint.com/sites/a/Shared%20Documents/General/report.docx)"
SKYPE = "http://schema.skype.com/"


def read(html: str = "", *attachments: dict[str, Any], **changes: Any) -> MessageContent:
    body = [{"contentType": "text/html", "content": html}] if html else []
    fields = {"text": "", "entities": [], "attachments": [*body, *attachments], **changes}
    return parse_content(activities.activity_from_json(payload("personal", **fields)), None)


def card(kind: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"contentType": f"application/vnd.microsoft.{kind}", "content": content, **more}


def adaptive(*body: Any, **more: Any) -> dict[str, Any]:
    return card("card.adaptive", {"type": "AdaptiveCard", "version": "1.5", "body": list(body), **more})


def embedded(text: str, title: str = "") -> MessageContent:
    return MessageContent(parts=(MessagePart("embedded", text, title),))


def named(*parts: UnreadPart, text: str = "") -> MessageContent:
    return MessageContent(text, unread=parts)


POLL = adaptive(
    {"type": "TextBlock", "text": "Lunch?", "style": "heading"},
    {"type": "Input.ChoiceSet", "label": "Where", "choices": [{"title": "Here", "value": "1"}, {"title": "There"}]},
    actions=[
        {"type": "Action.Submit", "title": "Vote"},
        {"type": "Action.OpenUrl", "title": "Menu", "url": "https://x"},
    ],
)
RICH_CARD = adaptive(
    {"type": "TextBlock", "text": "**Deploy** failed"},
    {"type": "RichTextBlock", "inlines": ["on ", {"type": "TextRun", "text": "prod"}]},
    {"type": "FactSet", "facts": [{"title": "Build", "value": "17"}]},
    {
        "type": "Table",
        "rows": [
            {"type": "TableRow", "cells": [{"type": "TableCell", "items": [{"type": "TextBlock", "text": each}]}]}
            for each in ("Step", "Lint")
        ],
    },
    {"type": "ColumnSet", "columns": [{"type": "Column", "items": [{"type": "New", "items": [{"text": "deep"}]}]}]},
    {"type": "CodeBlock", "codeSnippet": "exit 1"},
)
HERO = card(
    "card.hero",
    {"title": "Leave", "subtitle": "2026", "text": "<b>Ask</b> early", "buttons": [{"type": "imBack", "title": "Ask"}]},
)
CONNECTOR = card(
    "teams.card.o365connector",
    {
        "summary": "Alert",
        "sections": [{"activityTitle": "Disk full", "facts": [{"name": "Host", "value": "db1"}], "text": "now"}],
        "potentialAction": [
            {"@type": "OpenUri", "name": "Open", "targets": [{"os": "default", "uri": "https://x.ca"}]}
        ],
    },
)
FORWARDED = {
    "id": "17",
    "contentType": "forwardedMessageReference",
    "content": json.dumps(
        {
            "originalMessageId": "17",
            "originalMessageContent": '<p>Due <a href="https://x.ca">here</a></p>',
            "originalMessageSender": {"user": {"displayName": "Adele Vance", "userIdentityType": "aadUser"}},
        }
    ),
}
REFERENCE = {
    "id": "17",
    "contentType": "messageReference",
    "content": json.dumps(
        {"messageId": "17", "messagePreview": "Due Friday", "messageSender": {"user": {"displayName": "Adele"}}}
    ),
}
SHARED_FILE = {"id": FILE_ID, "contentType": "reference", "contentUrl": FILE_URL, "name": "report.docx"}
DOWNLOAD = payload("personal_file")["attachments"][0]
PICTURE = {
    "contentType": "image/*",
    "contentUrl": "https://smba.trafficmanager.net/amer/v3/attachments/0/views/original",
}
MENTION = {"type": "mention", "mentioned": {"id": "19:tag", "name": "Payroll"}, "text": "<at>Payroll</at>"}

# By the name of the row in docs/teams.md: the message, and everything that it is made of.
KINDS: dict[str, tuple[MessageContent, MessageContent]] = {
    "Text": (read(text="Hello\xa0there"), MessageContent("Hello there")),
    "Formatted text without a plain copy": (read("<p>Only HTML</p>"), MessageContent("Only HTML")),
    "Link with a label": (read('<a href="https://x.ca">x</a>'), MessageContent("[x](https://x.ca)")),
    "Table": (read("<table><tr><td>a</td></tr></table>"), MessageContent("| a |\n| --- |")),
    "List": (read('<ol start="4"><li>a</li></ol>'), MessageContent("4. a")),
    "Heading": (read("<h1>a</h1>"), MessageContent("# a")),
    "Struck-out text": (read("<s>a</s>"), MessageContent("~~a~~")),
    "Code": (read("<pre>a\xa0b</pre>"), MessageContent("```\na b\n```")),
    "Emoji": (
        read('<emoji alt="😀"></emoji>', {"contentType": "image/*", "contentUrl": "https://statics.teams.cdn.x/s.png"}),
        MessageContent("😀"),
    ),
    "Mention of a person, tag or channel": (
        read("<p><at>Payroll</at> hi</p>", entities=[MENTION]),
        MessageContent("Payroll hi"),
    ),
    "Indented quotation": (read("<blockquote>a</blockquote>"), MessageContent("> a")),
    "Reply to a message": (
        read(f'<blockquote itemtype="{SKYPE}Reply" itemid="17"><b>Adele</b><p>Due</p></blockquote>ok', REFERENCE),
        MessageContent("ok", (MessagePart("quoted", "Due Friday", "Adele"),)),
    ),
    "Reply to a message without its text": (
        read('<attachment id="17"></attachment>ok', {"id": "17", "contentType": "messageReference"}),
        named(UnreadPart("message"), text="ok"),
    ),
    "Forwarded message": (
        read('<p>Look</p><attachment id="17"></attachment>', FORWARDED),
        MessageContent("Look", (MessagePart("forwarded", "Due [here](https://x.ca)", "Adele Vance"),)),
    ),
    "Forwarded message without its text": (
        read("", {"contentType": "forwardedMessageReference", "content": '{"originalMessageId": "17"}'}),
        named(UnreadPart("message")),
    ),
    "File in a personal chat": (
        read(f'<attachment id="{FILE_ID.lower()}"></attachment>', DOWNLOAD),
        MessageContent(files=(AttachedFile("report.txt", DOWNLOAD["content"]["downloadUrl"], "text/plain"),)),
    ),
    "File in a group chat or channel": (
        read(f'<p>Read <attachment id="{FILE_ID}"></attachment></p>', SHARED_FILE),
        named(UnreadPart("file", "report.docx"), text=f"Read {FILE_LINK}"),
    ),
    "File that Teams withholds from bots": (
        read(f'<p>Read</p><attachment id="{FILE_ID}"></attachment>'),
        named(UnreadPart("file"), text="Read"),
    ),
    "Picture": (
        read(f'<img itemtype="{SKYPE}AMSImage" src="https://x">', PICTURE),
        MessageContent(files=(AttachedFile("image", PICTURE["contentUrl"], "image/*"),)),
    ),
    "Picture that Teams withholds from bots": (
        read(f'<img itemtype="{SKYPE}AMSImage" src="https://x" alt="Floor plan">'),
        named(UnreadPart("image", "Floor plan")),
    ),
    "GIF": (read(f'<img itemtype="{SKYPE}Giphy" src="x" alt="A cat">'), named(UnreadPart("image", "A cat"))),
    "Sticker": (read(f'<img itemtype="{SKYPE}Sticker" src="x" alt="Yay">'), named(UnreadPart("sticker", "Yay"))),
    "Adaptive Card": (
        read("", RICH_CARD),
        embedded("**Deploy** failed\non prod\nBuild: 17\n| Step |\n| --- |\n| Lint |\ndeep\n```\nexit 1\n```"),
    ),
    "Hero, thumbnail, receipt or list card": (read("", HERO), embedded("Leave\n2026\nAsk early\nAsk", "Leave")),
    "Connector card": (read("", CONNECTOR), embedded("Disk full\nnow\nHost: db1\n[Open](https://x.ca)", "Alert")),
    "Poll, form or praise": (read("", POLL), embedded("## Lunch?\nWhere\n- Here\n- There\nVote\n[Menu](https://x)")),
    "Picture or clip in a card": (
        read("", adaptive({"type": "TextBlock", "text": "a"}, {"type": "Image", "url": "x", "altText": "Logo"})),
        MessageContent(parts=(MessagePart("embedded", "a"),), unread=(UnreadPart("image", "Logo"),)),
    ),
    "Card without words": (read("", adaptive()), named(UnreadPart("card"))),
    "Location": (
        read("", entities=[{"type": "Place", "name": "Ottawa", "geo": {"latitude": 45.4, "longitude": -75.7}}]),
        embedded("Ottawa\n45.4, -75.7", "Ottawa"),
    ),
    "Loop component": (
        read("", card("card.fluidEmbedCard", '{"componentUrl": "https://x.ca/l"}')),
        named(UnreadPart("canvas", "Loop"), text="[Loop](https://x.ca/l)"),
    ),
    "Code snippet": (
        read("", card("card.codesnippet", '{"name": "a.py", "codeSnippetUrl": "https://graph.microsoft.com/x"}')),
        named(UnreadPart("file", "a.py")),
    ),
    "Announcement": (
        read("<p>Body</p>", card("card.announcement", '{"title": "Closed on Monday"}')),
        MessageContent("Body\n\n# Closed on Monday"),
    ),
    "Subject and importance of a post": (
        read("<p>Body</p>", channelData={"subject": "Leave", "importance": "urgent"}),
        MessageContent("URGENT\n# Leave\n\nBody"),
    ),
    "Meeting": (
        read("", {"contentType": "meetingReference", "content": '{"exchangeId": "A"}', "name": "Standup"}),
        named(UnreadPart("call", "Standup")),
    ),
    "Tab": (
        read("", {"contentType": "tabReference", "contentUrl": "https://x.ca/t", "name": "Plan"}),
        named(UnreadPart("link", "Plan"), text="[Plan](https://x.ca/t)"),
    ),
    "Voice message or audio clip": (
        read("", {"contentType": "audio/mp4", "contentUrl": "https://x", "name": "voice.m4a"}),
        named(UnreadPart("audio", "voice.m4a")),
    ),
    "Video clip": (read(f'<video itemtype="{SKYPE}AMSVideo" src="x"></video>'), named(UnreadPart("video"))),
    "Recording of a call": (
        read('<URIObject type="Video.2/CallRecording.1" title="Standup">Play</URIObject>'),
        named(UnreadPart("video", "Standup")),
    ),
    "Submitted card": (read(value={"leave": "2 days", "urgent": True}), MessageContent("leave: 2 days\nurgent: true")),
    "Any other attachment": (
        read("", {"contentType": "application/vnd.contoso.future", "name": "x"}),
        named(UnreadPart("other", "x")),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_is_read_or_named(name: str) -> None:
    """The payloads follow Microsoft's reference of chat messages, cards and activities."""
    content, expected = KINDS[name]

    assert expected == content


def test_the_documented_table_is_complete() -> None:
    """docs/teams.md has a row for each kind, and no cell is empty."""
    document = (PROJECT_ROOT / "docs" / "teams.md").read_text(encoding="utf-8")
    table = document.split("## Message kinds", 1)[1]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line[:1] == "|"][2:]

    assert all(len(row) == 3 and all(row) for row in rows)
    assert list(KINDS) == [row[0] for row in rows]
    for name, (content, _) in KINDS.items():
        says_unread = bool(content.unread or content.files)
        assert says_unread == (next(row[2] for row in rows if row[0] == name) != "nothing"), name


def test_a_connector_card_keeps_markdown_and_loses_tags() -> None:
    html = card("card.thumbnail", {"text": 'See <a href="https://x.ca">here</a><br>a &lt; b'})

    assert "See [here](https://x.ca)\na < b" == read("", html).parts[0].text


def test_a_pasted_code_block_is_one_part_among_others() -> None:
    """Own words, quote, card and file stay apart."""
    content = read(f'<blockquote itemtype="{SKYPE}Reply">q</blockquote><p>own</p>', FORWARDED, HERO, DOWNLOAD)

    assert "own" == content.text
    assert ["quoted", "forwarded", "embedded"] == [part.kind for part in content.parts]
    assert ["report.txt"] == [file.name for file in content.files]


def nest(depth: int) -> Any:
    inner: Any = {"type": "TextBlock", "text": "deep"}
    for _ in range(depth):
        inner = {"type": "Container", "items": [inner]}
    return inner


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "content",
    [
        nest(100),
        json.dumps(nest(30)),
        {"body": [{"type": "TextBlock", "text": "x" * 1000}] * 20_000},
        {"body": [{"type": "Table", "rows": [{"cells": [{"items": [nest(5)]}] * 200}] * 200}]},
        {"type": "FactSet", "facts": [{"title": "a", "value": "b"}] * 50_000},
        {"text": "<a " * 100_000},
        {"text": "<b>" * 100_000},
        "[" * 100_000,
        '{"a":' * 50_000,
        {"body": {"body": {"items": "x", "facts": 5, "rows": [5, None], "choices": [[]], "targets": "x"}}},
    ],
)
def test_hostile_cards_end_in_bounded_time(content: Any) -> None:
    """The words found so far are kept."""
    parts = read("", card("card.adaptive", content)).parts

    assert sum(len(part.text) for part in parts) <= 40_000


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
CONTENT_TYPES = [
    *(each["contentType"] for each in (RICH_CARD, HERO, CONNECTOR, FORWARDED)),
    *(each["contentType"] for each in (REFERENCE, SHARED_FILE, DOWNLOAD, PICTURE)),
    *("text/html", "meetingReference", "tabReference", "application/vnd.microsoft.card.fluidEmbedCard", "audio/x"),
    *("application/vnd.microsoft.card.codesnippet", "application/vnd.microsoft.card.announcement", "x/y", ""),
]
MEMBERS = ["type", "body", "text", "facts", "title", "messageId", "messageSender", "user", "originalMessageContent"]
cards = st.dictionaries(st.sampled_from(MEMBERS), json_values | st.just({"displayName": 5}), max_size=4)
attachments = st.fixed_dictionaries(
    {},
    optional={
        "contentType": st.sampled_from(CONTENT_TYPES) | json_values,
        "content": cards | cards.map(lambda value: json.dumps(value, default=str)) | json_values,
        "contentUrl": st.sampled_from([FILE_URL, "https://[", "x:"]) | json_values,
        "name": json_values,
        "id": json_values,
    },
)
entities = st.fixed_dictionaries(
    {"type": st.sampled_from(["mention", "quotedReply", "Place", "GeoCoordinates", "clientInfo"]) | json_values},
    optional=dict.fromkeys(("mentioned", "text", "quotedReply", "name", "address", "geo", "latitude"), json_values),
)
ACCOUNT_MEMBERS = [
    *("tenantId", "userRole", "userPrincipalName", "aadObjectId", "name", "role", "conversationType", "isGroup"),
]


@settings(max_examples=150, deadline=None)
@given(
    attached=st.lists(attachments, max_size=4),
    entity=st.lists(entities, max_size=3),
    data=json_values,
    value=json_values,
    account=st.dictionaries(st.sampled_from(ACCOUNT_MEMBERS), json_values, max_size=3),
    text=st.sampled_from(["Hello", "<at>Whisper</at> hello", ""]),
)
def test_any_values_are_handled(attached: Any, entity: Any, data: Any, value: Any, account: Any, text: str) -> None:
    """A member with a wrong type is ignored or rejected; it causes no other error."""
    changes = {"attachments": attached, "entities": entity, "channelData": data, "value": value, "text": text}
    changes |= {name: {**payload("personal")[name], **account} for name in ("from", "recipient", "conversation")}
    try:
        activity = activities.activity_from_json(payload("personal", **changes))
    except BadRequest:
        return
    incoming = parse_message(activity, MappingOptions("home", lambda url, author: url + author))

    assert incoming is None or incoming == type(incoming).from_json(json.loads(json.dumps(incoming.to_json())))


def test_a_forward_in_the_text_is_a_part_once() -> None:
    """Clients send it in the text, as an attachment, or both. An empty one is named."""
    forward = f'<blockquote itemtype="{SKYPE}Forward"><p>It closes at 3.</p></blockquote>'
    attached = {"contentType": "forwardedMessageReference", "content": '{"originalMessageContent": "It closes at 3."}'}
    expected = MessageContent("fyi", (MessagePart("forwarded", "It closes at 3."),))

    assert expected == read(f"<p>fyi</p>{forward}") == read(f"<p>fyi</p>{forward}", attached)
    assert named(UnreadPart("message")) == read(f'<blockquote itemtype="{SKYPE}Forward"></blockquote>')


def test_a_forwarded_reply_keeps_what_it_replied_to() -> None:
    reply = f'<blockquote itemtype="{SKYPE}Reply"><strong>Eve</strong><p>When?</p></blockquote><p>At 3.</p>'
    content = json.dumps({"originalMessageContent": reply})

    (part,) = read("", {"contentType": "forwardedMessageReference", "content": content}).parts

    assert "> Eve: When?\nAt 3." == part.text


def test_a_fact_has_one_colon() -> None:
    """Cards of alerts often have it in the name."""
    card = adaptive({"type": "FactSet", "facts": [{"title": "Host:", "value": "db1"}, {"title": "H\u00f4te\u00a0:"}]})

    assert embedded("Host: db1\nH\u00f4te") == read("", card)


def test_a_link_in_the_text_of_a_card_keeps_its_address() -> None:
    link = {"type": "TextRun", "text": "the log", "selectAction": {"type": "Action.OpenUrl", "url": "https://l.ca"}}

    assert embedded("See [the log](https://l.ca)") == read(
        "", adaptive({"type": "RichTextBlock", "inlines": ["See ", link]})
    )
