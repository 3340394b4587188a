"""One message of Slack for each kind in docs/slack.md, after Slack's reference, with what the bot reads of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bindings.content import MessageContent, MessagePart
from bindings.incoming import AttachedFile, UnreadPart
from tests.bindings.slack.support_payloads import (
    ALERT,
    FORWARD,
    MARKDOWN_TABLE,
    PREVIEW,
    TABLE,
    URL,
    app,
    file,
    mrkdwn,
    person,
    plain,
    rich_text,
    section,
    text,
    unread,
    words,
)


@dataclass(frozen=True)
class MessageKind:
    """`kind`: the row of the table."""

    kind: str
    message: dict[str, Any]
    expected: MessageContent = field(default_factory=MessageContent)


KINDS = [
    MessageKind("Text of a person", person("a *b* `c` &lt;d&gt;\n&gt; e\n• f"), text("a *b* `c` <d>\n> e\n• f")),
    MessageKind(
        "Rich text without a text",
        person(
            blocks=rich_text(
                section(words("see "), words("this", bold=True), words(" & "), words("x<y", code=True)),
                {"type": "rich_text_quote", "elements": [words("quoted\ntwice")]},
                {"type": "rich_text_preformatted", "elements": [words('{"a": 1}')]},
                {
                    "type": "rich_text_list",
                    "style": "ordered",
                    "indent": 0,
                    "offset": 2,
                    "elements": [section(words("third")), section(words("fourth"))],
                },
                {"type": "rich_text_list", "style": "bullet", "indent": 1, "elements": [section(words("below"))]},
            )
        ),
        text(
            'see *this* & `x<y`\n> quoted\n> twice\n```\n{"a": 1}\n```\n3. third\n4. fourth\n    - below',
        ),
    ),
    MessageKind(
        "Mention of a person, channel, user group or everybody",
        person("<@U0BOB> <#C0GEN|> <!subteam^S0HR> <!here|here> <@U0EVE|eve> <#C1|b> <!subteam^S1|@it> <@U0X>"),
        text("@Bob Roy #general @hr-team @here @eve #b @it @U0X"),
    ),
    MessageKind("Link", person("<https://a.ca|the form> <https://b.ca>"), text("the form (https://a.ca) https://b.ca")),
    MessageKind(
        "Date",
        person("<!date^1392734382^{date_num}|Feb 18> <!date^1392734382^{date}>"),
        text("Feb 18 2014-02-18 14:39 UTC"),
    ),
    MessageKind(
        "Emoji",
        person(blocks=rich_text(section({"type": "emoji", "name": "wave", "unicode": "1f44b", "skin_tone": 3}))),
        text(":wave::skin-tone-3:"),
    ),
    MessageKind("Table", person("Staff:", blocks=[TABLE]), text(f"Staff:\n\n{MARKDOWN_TABLE}")),
    MessageKind("`/me` message", person("waves", subtype="me_message"), text("waves")),
    MessageKind(
        "Reply that is also sent to the channel",
        person("for all", subtype="thread_broadcast", thread_ts="1.0", root={"text": "root"}),
        text("for all"),
    ),
    MessageKind(
        "Forwarded message",
        person("ok?", attachments=[FORWARD]),
        MessageContent(
            "ok?",
            (MessagePart("forwarded", "The office closes at <3>.", "Bob Roy"),),
            (AttachedFile("hours.csv", URL, "text/csv", 9),),
            (UnreadPart("image", "door.png"),),
        ),
    ),
    MessageKind(
        "Forwarded alert",
        person(attachments=[{"is_share": True, "author_name": "ci", "attachments": [ALERT], "from_url": "https://s"}]),
        MessageContent(
            "",
            (
                MessagePart(
                    "embedded",
                    "Prometheus\nDisk full & slow (https://grafana.example/d/1)\n"
                    "Disk at *91 %* on db-1 (https://host.example)\nSeverity: high\nHits: 0\n"
                    "Alertmanager | 2014-02-18 14:39 UTC\nSilence (https://x.example)",
                    "Disk full & slow",
                ),
            ),
        ),
    ),
    MessageKind(
        "Link to another message",
        person("see", attachments=[{"is_msg_unfurl": True, "author_id": "U0BOB", "text": "yes", "fallback": "x"}]),
        MessageContent("see", (MessagePart("forwarded", "yes", "Bob Roy"),)),
    ),
    MessageKind(
        "Link preview",
        person("<https://canada.ca/h>", attachments=[PREVIEW]),
        unread(
            "image",
            "Holidays",
            "https://canada.ca/h",
            MessagePart("embedded", "Holidays (https://canada.ca/h)\nAll dates", "Holidays"),
        ),
    ),
    MessageKind(
        "Alert with attachments and no text",
        app(attachments=[ALERT]),
        MessageContent(
            "",
            (
                MessagePart(
                    "embedded",
                    "Prometheus\nDisk full & slow (https://grafana.example/d/1)\n"
                    "Disk at *91 %* on db-1 (https://host.example)\nSeverity: high\nHits: 0\n"
                    "Alertmanager | 2014-02-18 14:39 UTC\nSilence (https://x.example)",
                    "Disk full & slow",
                ),
            ),
        ),
    ),
    MessageKind(
        "Alert with blocks and no text",
        app(
            blocks=[
                {"type": "header", "text": plain("Build #5 failed")},
                {
                    "type": "section",
                    "text": mrkdwn("on <https://ci.example|main>"),
                    "fields": [mrkdwn("*By*\nAnn"), plain("a < b")],
                    "accessory": {"type": "button", "text": plain("Open")},
                },
                {
                    "type": "context",
                    "elements": [{"type": "image", "alt_text": "CI", "image_url": "u"}, mrkdwn("5 min")],
                },
                {"type": "divider"},
                {"type": "markdown", "text": "**3** tests"},
                {"type": "actions", "elements": [{"type": "button", "text": plain("Retry"), "action_id": "a"}]},
            ]
        ),
        text("Build #5 failed\n\non main (https://ci.example)\n\n*By*\nAnn\na < b\n\nCI 5 min\n\n**3** tests"),
    ),
    MessageKind(
        "Attachment with blocks",
        app(
            attachments=[{"fallback": "[no preview available]", "blocks": [{"type": "section", "text": mrkdwn("up")}]}]
        ),
        MessageContent("", (MessagePart("embedded", "up"),)),
    ),
    MessageKind(
        "Card, carousel, container or task of an app",
        app(
            "New",
            blocks=[
                {"type": "card", "title": mrkdwn("New"), "body": mrkdwn("Read me"), "actions": [{"type": "button"}]},
                {
                    "type": "container",
                    "title": plain("Box"),
                    "child_blocks": [{"type": "section", "text": mrkdwn("in")}],
                },
                {
                    "type": "task_card",
                    "title": "Search",
                    "output": rich_text(section(words("found")))[0],
                    "sources": [{"type": "url", "url": "https://s.ca", "text": "S"}],
                },
            ],
        ),
        text("New\n\nRead me\n\nBox\n\nin\n\nSearch\n\nfound\n\nS (https://s.ca)"),
    ),
    MessageKind("Message of an app or a workflow", app("Ticket &lt;7&gt;: <@U0BOB>"), text("Ticket <7>: @Bob Roy")),
    MessageKind(
        "Button that opens an address",
        app(
            blocks=[
                {
                    "type": "section",
                    "text": mrkdwn("Review it"),
                    "accessory": {"type": "button", "text": plain("Open"), "url": "https://r.ca"},
                },
                {"type": "actions", "elements": [{"type": "button", "text": plain("Log"), "url": "https://l.ca"}]},
            ]
        ),
        text("Review it\n\nOpen (https://r.ca)\n\nLog (https://l.ca)"),
    ),
    MessageKind(
        "Only buttons or menus",
        app(blocks=[{"type": "actions", "elements": [{"type": "static_select", "placeholder": plain("Pick")}]}]),
        unread("card"),
    ),
    MessageKind(
        "Choices (boxes, radio buttons)",
        app(
            blocks=[
                {
                    "type": "actions",
                    "elements": [{"type": "radio_buttons", "options": [{"text": plain("Yes")}, {"text": plain("No")}]}],
                }
            ]
        ),
        text("- Yes\n- No"),
    ),
    MessageKind(
        "Form of a workflow or an app",
        app(
            "Ask:",
            blocks=[
                {
                    "type": "section",
                    "text": mrkdwn("Ask:"),
                    "accessory": {"type": "workflow_button", "text": plain("Go")},
                }
            ],
        ),
        unread("form", "Go", "Ask:"),
    ),
    MessageKind(
        "Picture in a block",
        app(blocks=[{"type": "image", "title": plain("CPU"), "alt_text": "a rising line", "image_url": "u"}]),
        unread("image", "CPU", "CPU\na rising line"),
    ),
    MessageKind(
        "Chart in a block",
        app(blocks=[{"type": "data_visualization", "title": "Sales", "chart": {"type": "bar"}}]),
        unread("image", "Sales", "Sales"),
    ),
    MessageKind(
        "Video in a block",
        app(blocks=[{"type": "video", "title": plain("Intro"), "description": plain("2 min"), "video_url": "u"}]),
        unread("video", "Intro", "Intro\n2 min"),
    ),
    MessageKind(
        "File: text, code, CSV, JSON, PDF, Word, Excel, PowerPoint, email",
        person("read", subtype="file_share", files=[file("a.pdf", "application/pdf")]),
        MessageContent("read", files=(AttachedFile("a.pdf", URL, "application/pdf", 9),)),
    ),
    MessageKind(
        "Image",
        person(files=[file("plan.png", "image/png", alt_txt="a floor plan")]),
        unread("image", "plan.png", "", MessagePart("embedded", "a floor plan", "plan.png")),
    ),
    MessageKind(
        "Recording of sound",
        person(
            files=[
                file(
                    "clip.m4a",
                    "audio/mp4",
                    subtype="slack_audio",
                    transcription={"status": "complete", "preview": {"content": "Hi all", "has_more": True}},
                )
            ]
        ),
        unread("audio", "clip.m4a", "", MessagePart("embedded", "Hi all", "clip.m4a")),
    ),
    MessageKind("Video", person(files=[file("a.mp4", "video/mp4", subtype="slack_video")]), unread("video", "a.mp4")),
    MessageKind(
        "Canvas or post",
        person(files=[file("Plan", "application/vnd.slack-docs", mode="quip", filetype="quip")]),
        unread("canvas", "Plan"),
    ),
    MessageKind(
        "List",
        person(files=[file("Tasks", "application/vnd.slack-list", mode="list", filetype="list")]),
        unread("list", "Tasks"),
    ),
    MessageKind(
        "File of another service",
        person(files=[file("Budget", "application/vnd.google-apps.spreadsheet", mode="external", is_external=True)]),
        unread("file", "Budget"),
    ),
    MessageKind(
        "Email",
        person(
            files=[
                file(
                    "mail",
                    "text/html",
                    mode="email",
                    filetype="email",
                    subject="Leave",
                    plain_text="Until Friday.",
                    **{
                        "from": [{"address": "bob@canada.ca", "name": "Bob"}],
                        "attachments": [{"filename": "form.pdf"}],
                    },
                )
            ]
        ),
        unread("file", "form.pdf", "", MessagePart("forwarded", "Leave\n\nUntil Friday.", "Bob")),
    ),
    MessageKind(
        "Deleted or hidden file", person("old", files=[{"id": "F2", "mode": "tombstone"}]), unread("file", "", "old")
    ),
    MessageKind(
        "File of another workspace",
        person(files=[{"id": "F0EXT", "mode": "file_access", "file_access": "check_file_info"}]),
        MessageContent(files=(AttachedFile("plan.csv", "https://files.slack.com/p", "text/csv"),)),
    ),
    MessageKind(
        "Huddle",
        {"user": "USLACKBOT", "subtype": "huddle_thread", "text": "A huddle started", "room": {"name": "Stand-up"}},
        unread("call", "Stand-up", "A huddle started"),
    ),
    MessageKind(
        "Call of another service",
        app(blocks=[{"type": "call", "call_id": "R1", "call": {"v1": {"name": "Zoom meeting"}}}]),
        unread("call", "Zoom meeting"),
    ),
    MessageKind(
        "Reminder or answer of Slackbot",
        {"user": "USLACKBOT", "subtype": "slackbot_response", "text": "Reminder: timesheets"},
        text("Reminder: timesheets"),
    ),
    MessageKind(
        "New topic, purpose or name of the channel",
        person("<@U0BOB> set the channel topic: outage", subtype="channel_topic", topic="outage"),
        text("@Bob Roy set the channel topic: outage"),
    ),
    MessageKind(
        "Deleted or locked message",
        person("This message was deleted.", subtype="tombstone", hidden=True),
        unread("message"),
    ),
    MessageKind(
        "Link to a canvas in a text",
        person(blocks=rich_text(section(words("see "), {"type": "canvas", "file_id": "F9", "label": "Plan"}))),
        unread("canvas", "Plan", "see Plan"),
    ),
    MessageKind(
        "Block of a new kind", app(blocks=[{"type": "hologram", "block_id": "b"}]), unread("other", "hologram")
    ),
]
