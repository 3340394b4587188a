"""Writes references to footnotes and formulas of a page as plain text. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

from bs4 import Tag
from bs4.element import NavigableString

from core.rag.reading.raised_text import lowered, raised

MARK = r"(\d{1,3}|[a-z]|[ivxl]{1,5}|[*†‡§#]{1,3})"
BARE_MARK = re.compile(rf"[\[(]?\s*{MARK}\s*[\])]?", re.IGNORECASE)
NOTE_MARK = re.compile(rf"[\[(]?\s*(?:[a-z]+\s+){{0,5}}?{MARK}\s*[\])]?", re.IGNORECASE)
NOTE_ADDRESS = re.compile(r"#(?:user-content-)?_?(?:fn|ftn|edn|en|footnote|endnote|note|cite_note)", re.IGNORECASE)
FORMULA_LIMIT_CHARS = 1000


def may_be_note(tag: Tag) -> bool:
    """Tells whether the element links within the page as references to footnotes do."""
    if tag.name not in ("sup", "a"):
        return False
    link = tag if tag.name == "a" else tag.find("a", href=True)
    if not isinstance(link, Tag):
        return False
    href = str(link.get("href") or "")
    return href.startswith("#") and (tag.name == "sup" or is_note_link(link, href))


def is_note_link(link: Tag, href: str) -> bool:
    return link.get("role") == "doc-noteref" or NOTE_ADDRESS.match(href) is not None


def note_mark(tag: Tag, text: str) -> str | None:
    """Returns the mark of a reference to a footnote; "" for one without text, None for other links."""
    if not text.strip():
        return ""
    mark = (NOTE_MARK if tag.name == "sup" else BARE_MARK).fullmatch(text.strip())
    return mark[1] if mark else None


def formula(tag: Tag) -> str:
    """Returns presentation MathML as text on one line: "x² = (a + b)/2"."""
    return " ".join(math_text(tag).split())[:FORMULA_LIMIT_CHARS]


def math_text(tag: Tag) -> str:
    parts = [child for child in tag.children if isinstance(child, Tag) and not child.name.startswith("annotation")]
    texts = [math_text(part) for part in parts]
    if not parts:
        text = "".join(str(child) for child in tag.children if type(child) is NavigableString)
        return f" {text.strip()} " if tag.name == "mo" and text.strip() in OPERATORS else text.strip()
    write = LAYOUTS.get(tag.name)
    return (
        write(texts) if write and len(texts) >= 2 else f"√({''.join(texts)})" if tag.name == "msqrt" else "".join(texts)
    )


def grouped(text: str) -> str:
    return text if len(text.strip()) <= 1 or text.strip().isalnum() else f"({text.strip()})"


OPERATORS = frozenset("+-−=×·÷<>≤≥≈≠±→")
LAYOUTS: dict[str, Callable[[list[str]], str]] = {
    "mfrac": lambda parts: f"{grouped(parts[0])}/{grouped(parts[1])}",
    "msup": lambda parts: parts[0] + raised(parts[1].strip(), parts[0]),
    "msub": lambda parts: parts[0] + lowered(parts[1].strip(), parts[0]),
    "msubsup": lambda parts: parts[0] + lowered(parts[1].strip(), parts[0]) + raised(parts[-1].strip(), parts[0]),
    "mroot": lambda parts: f"root {parts[1]} of ({parts[0]})",
    "munderover": lambda parts: f"{parts[0]}_({parts[1]})^({parts[-1]}) ",
}
