"""Reads the words of cards that apps post: Adaptive Cards, Bot Framework's cards, and connector cards. Pure.

A card is a tree of JSON from strangers. Unknown elements are searched for known ones, so that a new kind of container
loses no words. Sources: https://adaptivecards.io/explorer/, and
https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-reference
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from bindings.incoming import UnreadKind, UnreadPart
from bindings.teams.activities import get_text, get_value
from bindings.teams.html_tables import TableCell, render_table
from bindings.teams.message_html import parse_html

DEPTH_LIMIT = 24
ELEMENTS_LIMIT = 2000
TEXT_LIMIT_CHARS = 40_000  # more than a part may have, so that a long card counts as cut
TITLE_CHARS = 200
UNREAD_LIMIT = 20
MARKUP = re.compile(r"</?[A-Za-z][^<>]{0,400}>")
# Members of known and unknown elements that have elements in them, in the order in which they are shown.
CONTAINERS = (
    *("body", "items", "columns", "rows", "cells", "inlines", "pages", "sections", "images", "facts"),
    *("actions", "potentialAction", "buttons", "card", "selectAction", "tap", "inlineAction", "media", "image"),
    "properties",
)


@dataclass(slots=True)
class CardText:
    """The lines of a card as shown, its title, and its pictures and clips."""

    lines: list[str] = field(default_factory=list)
    unread: list[UnreadPart] = field(default_factory=list)
    title: str = ""

    @property
    def text(self) -> str:
        return "\n".join(self.lines)[:TEXT_LIMIT_CHARS].strip()


def read_card(content: object) -> CardText:
    """Returns the words of a card's JSON. Reads ELEMENTS_LIMIT elements, DEPTH_LIMIT levels deep."""
    reader = CardReader()
    reader.read(content, 0)
    card = reader.card
    card.title = card.title or (plain(get_text(content, "title")) or plain(get_text(content, "summary")))[:TITLE_CHARS]
    if not card.lines:
        card.lines.extend(texts(content, "fallbackText", "summary", "speak"))
    return card


class CardReader:
    def __init__(self) -> None:
        self.card = CardText()
        self._elements = 0

    def read(self, element: object, depth: int) -> None:
        if depth > DEPTH_LIMIT or self._elements >= ELEMENTS_LIMIT:
            return
        self._elements += 1
        if isinstance(element, list):
            for each in element:
                self.read(each, depth + 1)
        elif isinstance(element, dict):
            self._read_object(element, depth)

    def _read_object(self, element: dict[str, Any], depth: int) -> None:
        kind = get_text(element, "type").casefold() or get_text(element, "@type").casefold()
        if unread := UNREAD_ELEMENTS.get(kind.partition(".")[0]):
            self._add_unread(unread, element)
        elif kind == "table":
            self._read_table(element, depth)
        elif reader := ELEMENTS.get(kind):
            self._add(reader(element))
            self.read(element.get("card"), depth + 1)
        else:
            self._add(read_plain(element))
            self._read_inner(element, depth)

    def _read_inner(self, element: dict[str, Any], depth: int) -> None:
        for name in CONTAINERS:
            inner = element.get(name)
            if name in ("image", "images", "media"):
                self._read_pictures(inner, "image" if name != "media" else "video")
            else:
                self.read(inner, depth + 1)

    def _read_table(self, table: dict[str, Any], depth: int) -> None:
        rows = [
            [TableCell(self._read_apart(cell, depth)) for cell in objects(row, "cells")]
            for row in objects(table, "rows")
        ]
        self._add(iter([render_table(rows)]))

    def _read_apart(self, element: object, depth: int) -> str:
        """The text of an element, which does not become lines of the card."""
        lines, self.card.lines = self.card.lines, []
        self.read(element, depth + 1)
        text, self.card.lines = self.card.text, lines
        return text

    def _read_pictures(self, pictures: object, kind: UnreadKind) -> None:
        for picture in (pictures if isinstance(pictures, list) else [pictures])[:UNREAD_LIMIT]:
            if isinstance(picture, (dict, str)) and picture:
                self._add_unread(kind, picture if isinstance(picture, dict) else {})

    def _add(self, lines: Iterator[str]) -> None:
        self.card.lines.extend(line for line in lines if line)

    def _add_unread(self, kind: UnreadKind, element: dict[str, Any]) -> None:
        name = next(texts(element, "altText", "alt", "title", "name"), "")
        if len(self.card.unread) < UNREAD_LIMIT:
            self.card.unread.append(UnreadPart(kind, name[:TITLE_CHARS]))


def plain(text: str) -> str:
    """The text without tags of HTML, which connector and hero cards allow."""
    if "<" not in text:
        return text.replace("\xa0", " ").strip()
    return parse_html(text).text if MARKUP.search(text) else text.strip()


def texts(element: object, *names: str) -> Iterator[str]:
    """The members of an object that are text or numbers, as text, in the order of `names`."""
    for name in names:
        value = get_value(element, name)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            yield str(value)[:TITLE_CHARS]
        elif isinstance(value, str) and (text := plain(value[:TEXT_LIMIT_CHARS])):
            yield text


def objects(element: object, name: str) -> list[dict[str, Any]]:
    value = get_value(element, name)
    return [each for each in value[:ELEMENTS_LIMIT] if isinstance(each, dict)] if isinstance(value, list) else []


def read_plain(element: dict[str, Any]) -> Iterator[str]:
    """The words that hero, thumbnail, receipt, list and connector cards, and unknown elements have."""
    yield from texts(element, "title", "activityTitle", "subtitle", "activitySubtitle", "text", "activityText")
    yield from texts(element, "description", "label", "placeholder", "altText", "displayName")
    if isinstance(element.get("name"), str) and isinstance(element.get("value"), str):
        yield join_fact(element, "name")
    elif isinstance(element.get("key"), str):
        yield join_fact(element, "key")
    for name in ("price", "quantity", "tax", "vat", "total"):
        for amount in texts(element, name):
            yield f"{name}: {amount}"
    if url := find_url(element):
        yield url


def join_fact(fact: dict[str, Any], name: str) -> str:
    """Many facts have a colon in their name already."""
    return ": ".join((*(each.rstrip(": \xa0") for each in texts(fact, name)), *texts(fact, "value")))


def read_facts(element: dict[str, Any]) -> Iterator[str]:
    for fact in objects(element, "facts"):
        yield join_fact(fact, "title" if "title" in fact else "name")


def read_text_block(element: dict[str, Any]) -> Iterator[str]:
    heading = "## " if get_text(element, "style").casefold() == "heading" else ""
    for text in texts(element, "text"):
        yield heading + text


def read_rich_text(element: dict[str, Any]) -> Iterator[str]:
    """One line: its runs of text differ only in their form."""
    inlines = element.get("inlines")
    runs = inlines[:ELEMENTS_LIMIT] if isinstance(inlines, list) else []
    yield "".join(map(render_run, runs))[:TEXT_LIMIT_CHARS].strip()


def render_run(run: object) -> str:
    """A run may be a link: https://adaptivecards.io/explorer/TextRun.html"""
    words = run if isinstance(run, str) else get_text(run, "text")
    action = get_value(run, "selectAction")
    url = find_url(action) if isinstance(action, dict) else ""
    return f"[{words.strip()}]({url})" if words.strip() and url else words


def read_code(element: dict[str, Any]) -> Iterator[str]:
    code = get_text(element, "codeSnippet")[:TEXT_LIMIT_CHARS].replace("\xa0", " ")
    yield f"```\n{code}\n```" if code.strip() else ""


def read_input(element: dict[str, Any]) -> Iterator[str]:
    """A question of a form or poll, with its choices."""
    yield from texts(element, "label", "title", "placeholder", "value")
    for choice in objects(element, "choices"):
        for title in texts(choice, "title"):
            yield f"- {title}"


def read_action(element: dict[str, Any]) -> Iterator[str]:
    """A button: its title, and its address if it opens one."""
    title, url = next(texts(element, "title", "name"), ""), find_url(element)
    yield f"[{title}]({url})" if title and url else title or url


def find_url(element: dict[str, Any]) -> str:
    """The address that a button or link opens, or ""."""
    targets = [get_text(target, "uri") for target in objects(element, "targets")]
    is_link = get_text(element, "type").casefold() in ("openurl", "action.openurl")
    candidates = [get_text(element, "url") if is_link else "", get_text(element, "value") if is_link else "", *targets]
    return next((url for url in candidates if url.startswith(("https://", "http://")) and len(url) <= 2000), "")


UNREAD_ELEMENTS: dict[str, UnreadKind] = {"image": "image", "media": "video", "chart": "other"}
ELEMENTS: dict[str, Callable[[dict[str, Any]], Iterator[str]]] = {
    "textblock": read_text_block,
    "textrun": read_text_block,
    "richtextblock": read_rich_text,
    "factset": read_facts,
    "codeblock": read_code,
    **dict.fromkeys(("input.choiceset", "input.text", "input.number", "input.date"), read_input),
    **dict.fromkeys(("input.time", "input.toggle", "input.rating"), read_input),
    **dict.fromkeys(("action.openurl", "action.submit", "action.execute", "action.showcard"), read_action),
    **dict.fromkeys(("action.togglevisibility", "openurl", "openuri", "imback", "messageback"), read_action),
    **dict.fromkeys(("actioncard", "httppost", "signin", "postback", "invoke", "invokeaddincommand"), read_action),
}
