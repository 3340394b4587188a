"""Pages written for tests, the text of their content, and the agreement of another text with it."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from core.rag.documents import Document

FOLDER = Path(__file__).parents[1] / "pages"
RULE = re.compile(r"\|(?: --- \|)+$")
HASH_BYTES = 4  # two of a page's thousand n-grams have the same hash in one of ten thousand pages

Grams = Counter[bytes]


@dataclass(frozen=True)
class WrittenPage:
    name: str
    html: bytes
    expected: str  # the title, and the lines of the content


@dataclass(frozen=True)
class Agreement:
    """Precision and recall of a text, as a bag of word n-grams."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def written_pages() -> list[WrittenPage]:
    files = sorted(FOLDER.glob("*.html"))
    return [WrittenPage(file.stem, file.read_bytes(), file.with_suffix(".txt").read_text("utf-8")) for file in files]


def agreement(text: str, expected: Grams, words: int = 1) -> Agreement:
    found = hashed_grams(text, words)
    shared = sum((found & expected).values())
    return Agreement(shared / max(found.total(), 1), shared / max(expected.total(), 1))


def hashed_grams(text: str, words: int) -> Grams:
    """The hash of each sequence of `words` words, with the number of times that it occurs."""
    found = re.findall(r"\w+", text.lower())
    sequences = (" ".join(found[index : index + words]) for index in range(len(found) - words + 1))
    return Counter(hashlib.sha256(each.encode()).digest()[:HASH_BYTES] for each in sequences)


def plain_text(document: Document) -> str:
    """The title and the passages. Headings and table headers that several passages repeat occur once."""
    lines, path = [document.title], list[str]()
    for passage in document.passages:
        headings = passage.heading.split(" › ") if passage.heading else []
        lines += [text for depth, text in enumerate(headings) if path[: depth + 1] != headings[: depth + 1]]
        lines.append(passage.text)
        path = headings
    return "\n".join(drop_repeated_headers("\n".join(lines).split("\n")))


def drop_repeated_headers(lines: list[str]) -> list[str]:
    seen = set[str]()
    kept = []
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        is_header = RULE.match(following) is not None
        if not (is_header and line in seen):
            kept.append(line)
        if is_header:
            seen.add(line)
    return kept
