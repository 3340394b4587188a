"""Numbers the items of ordered lists as browsers do. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bs4 import Tag

from core.rag.reading.numerals import format_numeral

ITEMS_LIMIT = 10_000
# CSS names, the attribute `type`, and the classes of Canada.ca's theme.
STYLES = {
    **dict.fromkeys(("a", "lower-alpha", "lower-latin", "lst-lwr-alph"), "a"),
    **dict.fromkeys(("A", "upper-alpha", "upper-latin", "lst-upr-alph"), "A"),
    **dict.fromkeys(("i", "lower-roman", "lst-lwr-rmn"), "i"),
    **dict.fromkeys(("I", "upper-roman", "lst-upr-rmn"), "I"),
    **dict.fromkeys(("none", "lst-none", "list-unstyled", "list-none", "no-bullet"), ""),
    "decimal": "1",
    "lst-num": "1",
}
STYLE = re.compile(r"list-style(?:-type)?\s*:\s*([a-z-]+)", re.IGNORECASE)
INTEGER = re.compile(r"\s*[+-]?\d{1,9}")


def item_markers(ordered: Tag) -> Iterator[tuple[Tag, str]]:
    """Yields each item of an `ol` that shows numbers with its own, such as "3."."""
    items = ordered.find_all("li", recursive=False, limit=ITEMS_LIMIT)
    step = -1 if ordered.has_attr("reversed") else 1
    number = integer(ordered.get("start"), len(items) if step < 0 else 1)
    style = list_style(ordered)
    for item in items:
        number = integer(item.get("value"), number)
        own = list_style(item) if item.has_attr("type") else style
        if own:
            yield item, f"{write_number(number, own)}."
        number += step


def list_style(tag: Tag) -> str:
    """Returns the kind of its numbers, as the attribute `type` names it; "" for a list without markers."""
    styled = STYLE.search(str(tag.get("style") or ""))
    names = [styled[1].lower() if styled else "", *(tag.get("class") or ()), str(tag.get("type") or "")]
    return next((STYLES[name] for name in names if name in STYLES), "1")


def integer(value: object, default: int) -> int:
    text = str(value or "")
    return int(text) if INTEGER.fullmatch(text) else default


def write_number(number: int, style: str) -> str:
    if style.lower() == "i":
        return format_numeral(number, "ROMAN" if style.isupper() else "roman")
    text = to_letters(number) if style.lower() == "a" and number > 0 else str(number)
    return text.upper() if style.isupper() else text


def to_letters(number: int) -> str:
    """1 → "a", 27 → "aa", 28 → "ab": browsers count, where word processors repeat the letter."""
    letters = ""
    while number > 0:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("a") + rest) + letters
    return letters
