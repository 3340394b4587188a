"""The blocks of a message as people see them, in mrkdwn, and the parts that cannot be read. Pure and total.

https://docs.slack.dev/reference/block-kit/blocks. Menus, and buttons without an address, are not text. A block of a
kind that Slack may add is read by the fields that all blocks have in common, and named as unread if it has none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from bindings.incoming import UnreadPart
from bindings.slack.markup import build_link, escape_once
from bindings.slack.payloads import SlackObject, get_list, get_object, get_objects, get_shown, get_text
from bindings.slack.rich_text import find_unread, render_rich_text

Fragment = str | UnreadPart  # a paragraph in mrkdwn, or a part that cannot be read

BLOCKS_LIMIT = 200  # Slack's own is 50 for a message, 100 elsewhere
NESTING_LIMIT = 6
CHOICES = ("checkboxes", "radio_buttons")  # their options are visible without a click
SILENT = ("button", "workflow_button", "icon_button", "feedback_buttons", "overflow", *CHOICES)
SILENT_ENDS = ("_select", "picker", "_input")
SILENT_KEYS = ("actions", "icon", "slack_icon")
TEXT_KEYS = ("title", "subtitle", "text", "body", "description", "caption", "label", "name", "alt_text", "fallback")
BAR = re.compile(r"(<[^<>]*>)|\|")  # a token, or a bar outside of tokens


def read_blocks(blocks: Sequence[SlackObject], depth: int = NESTING_LIMIT) -> Iterator[Fragment]:
    for block in blocks[:BLOCKS_LIMIT] if depth else ():
        reader = READERS.get(get_text(block, "type"), read_unknown)
        yield from (fragment for fragment in reader(block, depth) if fragment)


def join_text(fragments: Iterable[object]) -> str:
    return "\n\n".join(each for each in fragments if isinstance(each, str) and each.strip())


def render_text(value: SlackObject) -> str:
    """A text object: https://docs.slack.dev/reference/block-kit/composition-objects/text-object"""
    if get_text(value, "type") == "rich_text":
        return render_rich_text(value)
    text = get_text(value, "text")
    return escape_once(text) if value.get("type") in ("plain_text", "raw_text") else text


# ------------------------------------------------------------ blocks


def read_rich_text(block: SlackObject, _depth: int) -> Iterator[Fragment]:
    yield render_rich_text(block)
    yield from find_unread(block)


def read_section(block: SlackObject, _depth: int) -> Iterator[Fragment]:
    yield render_text(get_object(block, "text"))
    yield "\n".join(filter(None, map(render_text, get_objects(block, "fields"))))
    yield from read_element(get_object(block, "accessory"))


def read_text_block(block: SlackObject, _depth: int) -> Iterator[Fragment]:
    yield render_text(get_object(block, "text"))


def read_markdown(block: SlackObject, _depth: int) -> Iterator[Fragment]:
    yield get_text(block, "text")


def read_context(block: SlackObject, _depth: int) -> Iterator[Fragment]:
    """Texts and small pictures, of which people see or hear the alternative text."""
    elements = get_objects(block, "elements")
    yield " ".join(filter(None, (render_text(each) or escape_once(get_text(each, "alt_text")) for each in elements)))


def read_image(block: SlackObject, _depth: int) -> Iterator[Fragment]:
    name = render_text(get_object(block, "title")) or escape_once(get_text(block, "title"))
    texts = (name, escape_once(get_text(block, "alt_text")))
    yield "\n".join(dict.fromkeys(filter(None, texts)))
    yield UnreadPart("image", get_text(get_object(block, "title"), "text") or get_text(block, "alt_text"))


def read_video(block: SlackObject, _depth: int) -> Iterator[Fragment]:
    title, description = get_object(block, "title"), get_object(block, "description")
    yield "\n".join(filter(None, (render_text(title), render_text(description))))
    yield UnreadPart("video", get_text(title, "text"))


def read_remote_file(block: SlackObject, _depth: int) -> Iterator[Fragment]:
    file = get_object(block, "file")
    yield UnreadPart("file", get_text(file, "title") or get_text(file, "name"))


def read_call(block: SlackObject, _depth: int) -> Iterator[Fragment]:
    yield UnreadPart("call", get_text(get_object(get_object(block, "call"), "v1"), "name"))


def read_input(block: SlackObject, _depth: int) -> Iterator[Fragment]:
    yield UnreadPart("form", get_text(get_object(block, "label"), "text"))


def read_actions(block: SlackObject, _depth: int) -> Iterator[Fragment]:
    for each in get_objects(block, "elements"):
        yield from read_element(each)


def read_table(block: SlackObject, _depth: int) -> Iterator[Fragment]:
    """A table in Markdown. Its first row is its head."""
    rows = [row for row in get_list(block, "rows") if isinstance(row, list) and row]
    lines = ["| " + " | ".join(map(render_cell, row)) + " |" for row in rows]
    if lines:
        lines.insert(1, "|" + " --- |" * len(rows[0]))
    yield "\n".join((*filter(None, (escape_once(get_text(block, "caption")),)), *lines))


def read_chart(block: SlackObject, _depth: int) -> Iterator[Fragment]:
    title = get_text(block, "title") or get_text(get_object(block, "title"), "text")
    yield escape_once(title)
    yield UnreadPart("image", title)


def read_nothing(_block: SlackObject, _depth: int) -> Iterator[Fragment]:
    return iter(())


def read_unknown(block: SlackObject, depth: int) -> Iterator[Fragment]:
    """A card, a carousel, a container, a task, or a kind of block that this module does not know."""
    fragments = [fragment for fragment in read_fields(block, depth) if fragment]
    yield from fragments or [UnreadPart("other", get_text(block, "type"))]


def read_fields(value: SlackObject, depth: int) -> Iterator[Fragment]:
    if get_text(value, "type") == "url":
        yield build_link(get_text(value, "url"), get_text(value, "text"))
        return
    for key, field in value.items():
        if isinstance(field, str) and key in TEXT_KEYS:
            yield escape_once(field)
        elif key not in SILENT_KEYS:
            for each in (get_object(value, key), *get_objects(value, key)):
                yield from read_any(each, depth - 1)


def read_any(value: SlackObject, depth: int) -> Iterator[Fragment]:
    """A text, an element, or a block in another block."""
    kind = get_text(value, "type")
    if kind in ("plain_text", "mrkdwn"):
        yield render_text(value)
    elif kind in READERS:
        yield from read_blocks([value], depth) if depth > 0 else ()
    elif kind in SILENT or kind.endswith(SILENT_ENDS):
        yield from read_element(value)
    elif depth > 0:
        yield from read_fields(value, depth)


# ------------------------------------------------------------ parts of blocks


def read_element(element: SlackObject) -> Iterator[Fragment]:
    """A button, a menu, a choice or a picture in a block."""
    kind = get_text(element, "type")
    if kind == "image":
        yield UnreadPart("image", get_text(element, "alt_text"))
    elif kind == "button" and get_text(element, "url"):
        yield build_link(get_text(element, "url"), get_text(get_object(element, "text"), "text"))
    elif kind == "workflow_button":
        yield UnreadPart("form", get_text(get_object(element, "text"), "text"))
    elif kind in CHOICES:
        options = get_objects(element, "options")
        yield "\n".join(f"- {text}" for each in options if (text := render_text(get_object(each, "text"))))


def render_cell(cell: object) -> str:
    if not isinstance(cell, dict):
        return ""
    text = render_text(cell) or escape_once(get_shown(cell, "value"))
    return " ".join(BAR.sub(lambda match: match[1] or "\\|", text).split())


READERS: Mapping[str, Callable[[SlackObject, int], Iterator[Fragment]]] = {
    "rich_text": read_rich_text,
    "section": read_section,
    "header": read_text_block,
    "alert": read_text_block,
    "context": read_context,
    "markdown": read_markdown,
    "image": read_image,
    "video": read_video,
    "file": read_remote_file,
    "call": read_call,
    "input": read_input,
    "actions": read_actions,
    "context_actions": read_nothing,
    "divider": read_nothing,
    "table": read_table,
    "data_table": read_table,
    "data_visualization": read_chart,
}
