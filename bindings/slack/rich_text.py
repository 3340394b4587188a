"""Slack's rich text, in which all messages of people come, as mrkdwn. Pure and total.

https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from bindings.incoming import UnreadPart
from bindings.slack.markup import build_link, escape_once
from bindings.slack.payloads import SlackObject, get_object, get_objects, get_text

STYLES = {"code": "`", "strike": "~", "italic": "_", "bold": "*"}
BOXES = {"checked": "[x]", "unchecked": "[ ]"}
INDENT = "    "
INDENT_LIMIT = 8
NESTING_LIMIT = 4
OWN_TEXT = ("text", "fallback", "label", "title", "name", "url")  # the fields in which an unknown element may have text


def render_rich_text(block: SlackObject) -> str:
    return "\n".join(filter(None, (render_object(each) for each in get_objects(block, "elements"))))


def find_unread(block: SlackObject, depth: int = NESTING_LIMIT) -> Iterator[UnreadPart]:
    """Canvases and messages to which the text only links."""
    for each in get_objects(block, "elements"):
        kind = get_text(each, "type")
        if kind == "canvas":
            yield UnreadPart("canvas", get_text(each, "label"))
        elif kind == "canvas_message_unfurl":
            yield UnreadPart("message")
        elif depth:
            yield from find_unread(each, depth - 1)


# ------------------------------------------------------------ objects: lines of text


def render_object(value: SlackObject, depth: int = NESTING_LIMIT) -> str:
    kind = get_text(value, "type")
    if kind == "rich_text_list":
        return render_list(value, depth)
    if kind not in OBJECTS and not get_objects(value, "elements"):
        return render_element(value)
    text = "".join(render_inner(each, depth) for each in get_objects(value, "elements"))
    return OBJECTS.get(kind, str)(text)


def render_inner(value: SlackObject, depth: int) -> str:
    """An element of a section, or an object in an object."""
    if not get_objects(value, "elements"):
        return render_element(value)
    return render_object(value, depth - 1) if depth else ""


def render_list(value: SlackObject, depth: int) -> str:
    """A list with a border stands in a quote."""
    indent, offset = (number if isinstance(number := value.get(key), int) else 0 for key in ("indent", "offset"))
    margin, style = INDENT * max(0, min(indent, INDENT_LIMIT)), get_text(value, "style")
    lines = []
    for number, item in enumerate(get_objects(value, "elements"), start=max(0, offset) + 1):
        sign = f"{number}." if style == "ordered" else f"- {BOXES.get(style, '')}".strip()
        text = render_object(item, depth - 1) if depth else ""
        lines.append(f"{margin}{sign} {text}".replace("\n", f"\n{margin}  "))
    text = "\n".join(lines)
    return render_quote(text) if value.get("border") else text


def render_quote(text: str) -> str:
    return "\n".join(f"&gt; {line}" for line in text.strip("\n").split("\n"))


def render_code(text: str) -> str:
    return "```\n" + text.strip("\n") + "\n```"


OBJECTS: Mapping[str, Callable[[str], str]] = {
    "rich_text_section": str,
    "rich_text_quote": render_quote,
    "rich_text_preformatted": render_code,
}


# ------------------------------------------------------------ elements: text within a line


def render_element(element: SlackObject) -> str:
    kind = get_text(element, "type")
    text = ELEMENTS[kind](element) if kind in ELEMENTS else render_unknown(element)
    return apply_style(text, get_object(element, "style")) if kind in ("text", "link") else text


def apply_style(text: str, style: SlackObject) -> str:
    """Puts the signs of a style right around the words, where they count as such."""
    words = text.strip()
    if not words or "\n" in words:
        return text
    start = text.index(words)
    for name, sign in STYLES.items():
        if style.get(name) is True:
            words = f"{sign}{words}{sign}"
    return text[:start] + words + text[start + len(text.strip()) :]


def render_emoji(element: SlackObject) -> str:
    tone = element.get("skin_tone")
    return f":{escape_once(get_text(element, 'name'))}:" + (f":skin-tone-{tone}:" if isinstance(tone, int) else "")


def render_date_element(element: SlackObject) -> str:
    seconds = element.get("timestamp")
    fallback = get_text(element, "fallback")
    return escape_once(fallback) if fallback else f"<!date^{seconds}>" if isinstance(seconds, int) else ""


def render_unknown(element: SlackObject) -> str:
    """An element of a kind that Slack may add: its address and the first of its texts."""
    text = next((text for key in OWN_TEXT if (text := get_text(element, key))), "")
    url = get_text(element, "url")
    return build_link(url, "" if text == url else escape_once(text)) if url else escape_once(text)


ELEMENTS: Mapping[str, Callable[[SlackObject], str]] = {
    "text": lambda element: escape_once(get_text(element, "text")),
    "link": lambda element: build_link(get_text(element, "url"), get_text(element, "text")),
    "user": lambda element: f"<@{get_text(element, 'user_id')}>",
    "canvas_user_mention": lambda element: f"<@{get_text(element, 'user_id')}>",
    "channel": lambda element: f"<#{get_text(element, 'channel_id')}>",
    "usergroup": lambda element: f"<!subteam^{get_text(element, 'usergroup_id')}>",
    "broadcast": lambda element: f"<!{get_text(element, 'range')}>",
    "team": lambda element: f"@{escape_once(get_text(element, 'team_id'))}",
    "emoji": render_emoji,
    "date": render_date_element,
    "color": lambda element: escape_once(get_text(element, "value")),
}
