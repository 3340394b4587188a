"""Numbers the items of ordered lists as browsers do. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bs4 import Tag

from core.rag.reading.numerals import NumeralFormat, format_numeral

ITEMS_LIMIT = 10_000
# CSS names, the attribute `type`, and the classes of Canada.ca's theme.
STYLES: dict[str, NumeralFormat | None] = {
    **dict.fromkeys(("a", "lower-alpha", "lower-latin", "lst-lwr-alph"), "alphabet"),
    **dict.fromkeys(("A", "upper-alpha", "upper-latin", "lst-upr-alph"), "ALPHABET"),
    **dict.fromkeys(("i", "lower-roman", "lst-lwr-rmn"), "roman"),
    **dict.fromkeys(("I", "upper-roman", "lst-upr-rmn"), "ROMAN"),
    **dict.fromkeys(("none", "lst-none", "list-unstyled", "list-none", "no-bullet"), None),
    **dict.fromkeys(("decimal", "lst-num"), "decimal"),
    "decimal-leading-zero": "padded",
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
            yield item, f"{format_numeral(number, own)}."
        number += step


def list_style(tag: Tag) -> NumeralFormat | None:
    """Returns the kind of its numbers; None for a list without markers."""
    styled = STYLE.search(str(tag.get("style") or ""))
    names = [styled[1].lower() if styled else "", *(tag.get("class") or ()), str(tag.get("type") or "")]
    return next((STYLES[name] for name in names if name in STYLES), "decimal")


def integer(value: object, default: int) -> int:
    text = str(value or "")
    return int(text) if INTEGER.fullmatch(text) else default
