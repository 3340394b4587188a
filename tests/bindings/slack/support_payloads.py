"""The parts of messages as Slack sends them: rich text, files, forwards, alerts, previews, tables."""

from __future__ import annotations

from typing import Any

from bindings.content import MessageContent, MessagePart
from bindings.incoming import UnreadPart
from bindings.slack.references import MarkupReferences

REFERENCES = MarkupReferences(
    {"U0BOB": "Bob Roy", "C0GEN": "general", "S0HR": "hr-team"},
    {"F0EXT": {"id": "F0EXT", "name": "plan.csv", "mimetype": "text/csv", "url_private": "https://files.slack.com/p"}},
)


URL = "https://files.slack.com/files-pri/T0001-F1/download/a"


def rich_text(*elements: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "rich_text", "block_id": "b", "elements": list(elements)}]


def section(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text_section", "elements": list(elements)}


def words(text: str, **style: bool) -> dict[str, Any]:
    return {"type": "text", "text": text, **({"style": style} if style else {})}


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": True}


def mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text, "verbatim": False}


def person(text: str = "", **more: Any) -> dict[str, Any]:
    return {"type": "message", "user": "U0ANN", "text": text, "ts": "1760000001.000200", "team": "T0001", **more}


def app(text: str = "", **more: Any) -> dict[str, Any]:
    bot = {"subtype": "bot_message", "bot_id": "B0CI", "username": "ci"}
    return {"type": "message", **bot, "text": text, "ts": "1760000001.000200", **more}


def file(name: str, media_type: str, **more: Any) -> dict[str, Any]:
    urls = {"url_private": f"{URL}?view", "url_private_download": URL}
    return {
        "id": "F1",
        "name": name,
        "title": name,
        "mimetype": media_type,
        "mode": "hosted",
        "size": 9,
        **urls,
        **more,
    }


def text(content: str) -> MessageContent:
    return MessageContent(content)


def unread(kind: Any, name: str = "", content: str = "", *parts: MessagePart) -> MessageContent:
    return MessageContent(content, parts, unread=(UnreadPart(kind, name),))


FORWARD = {
    "ts": "1759999000.000100",
    "channel_id": "C0002",
    "author_id": "U0BOB",
    "author_subname": "Bob Roy",
    "is_share": True,
    "is_msg_unfurl": True,
    "text": "The office closes at &lt;3&gt;.",
    "fallback": "[October 9th] bob: The office closes",
    "message_blocks": [
        {
            "team": "T0001",
            "channel": "C0002",
            "message": {"blocks": rich_text(section(words("The office closes at <3>.")))},
        }
    ],
    "files": [file("hours.csv", "text/csv"), file("door.png", "image/png")],
}


ALERT = {
    "id": 1,
    "color": "a30200",
    "fallback": "[FIRING] disk",
    "pretext": "Prometheus",
    "title": "Disk full &amp; slow",
    "title_link": "https://grafana.example/d/1",
    "text": "Disk at *91 %* on <https://host.example|db-1>",
    "fields": [{"title": "Severity", "value": "high", "short": True}, {"title": "Hits", "value": 0}],
    "footer": "Alertmanager",
    "ts": 1392734382,
    "actions": [{"type": "button", "text": "Silence", "url": "https://x.example"}],
}


PREVIEW = {
    "service_name": "Canada.ca",
    "title": "Holidays",
    "title_link": "https://canada.ca/h",
    "text": "All dates",
    "image_url": "https://canada.ca/h.png",
    "original_url": "https://canada.ca/h",
}


TABLE = {
    "type": "table",
    "column_settings": [{"is_wrapped": True}],
    "rows": [
        [{"type": "raw_text", "text": "City"}, {"type": "raw_text", "text": "Staff|all"}],
        [
            {"type": "rich_text", "elements": [section({"type": "link", "url": "https://o.ca", "text": "Ottawa"})]},
            {"type": "raw_number", "value": 12},
        ],
    ],
}


MARKDOWN_TABLE = "| City | Staff\\|all |\n| --- | --- |\n| Ottawa (https://o.ca) | 12 |"
