"""What is read from a page, a feed or a file: a document in passages. Values only.

Everything in them comes from somebody else: it is data to answer from, and never an instruction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from core.contract import Language

PASSAGE_LIMIT_CHARS = 1200  # about 300 tokens: some ten of them fit into a small model's window


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece that can be read by itself, at most PASSAGE_LIMIT_CHARS long."""

    text: str  # Markdown, without images
    heading: str = ""  # the headings that it stands under, outermost first: "Leave › Parental leave"
    link: str | None = None  # of a feed's entry: where the whole of it can be read
    published_at: datetime | None = None  # of a feed's entry; aware

    @property
    def size_chars(self) -> int:
        """Of all that is shown of it."""
        return len(self.text) + len(self.heading) + len(self.link or "")


@dataclass(frozen=True, slots=True)
class Document:
    """In reading order; a feed's entries newest first, one passage each unless they are long."""

    title: str
    passages: tuple[Passage, ...]
    kind: Literal["page", "feed", "text", "table"]
    language: Language | None = None  # as it says of itself, else as it reads; None: neither English nor French
    url: str | None = None  # where a person can open it
    cut: bool = False  # its end is not here: it is longer than what is read
