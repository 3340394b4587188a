"""Real pages that were saved, the main text that a person found in each, and how well a text agrees with it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from core.rag.documents import Document

FOLDER = Path(__file__).parents[1] / "pages"
RULE = re.compile(r"\|(?: --- \|)+$")


@dataclass(frozen=True)
class SavedPage:
    name: str
    html: bytes
    expected: str  # the title, and what a reader would call the content


@dataclass(frozen=True)
class Agreement:
    """Of two texts as bags of word n-grams."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def saved_pages() -> list[SavedPage]:
    found = sorted(FOLDER.glob("*.html"))
    return [SavedPage(file.stem, file.read_bytes(), file.with_suffix(".txt").read_text("utf-8")) for file in found]


def agreement(text: str, expected: str, words: int = 1) -> Agreement:
    mine, theirs = grams(text, words), grams(expected, words)
    shared = sum((mine & theirs).values())
    return Agreement(shared / max(mine.total(), 1), shared / max(theirs.total(), 1))


def grams(text: str, words: int) -> Counter[tuple[str, ...]]:
    found = re.findall(r"\w+", text.lower())
    return Counter(tuple(found[index : index + words]) for index in range(len(found) - words + 1))


def text_of(document: Document) -> str:
    """The title and all that follows; what passages repeat of each other, headings and headers of tables, once."""
    told, path = [document.title], list[str]()
    for passage in document.passages:
        headings = passage.heading.split(" › ") if passage.heading else []
        told += [text for depth, text in enumerate(headings) if path[: depth + 1] != headings[: depth + 1]]
        told.append(passage.text)
        path = headings
    return "\n".join(without_repeated_headers("\n".join(told).split("\n")))


def without_repeated_headers(lines: list[str]) -> list[str]:
    seen = set[str]()
    kept = []
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        is_header = RULE.match(following) is not None
        if not (is_header and line in seen):
            kept.append(line)
        if is_header:
            seen.add(line)
    return kept
