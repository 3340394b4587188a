"""A document before it is read, and the document that its blocks become. Shared by all formats."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from core.contract import Omission
from core.errors import UnreadableDocument
from core.language import detect_language
from core.rag.documents import Block, Document, DocumentKind, one_line
from core.rag.passages import cut_blocks
from core.rag.reading.charset import decode
from core.rag.reading.titles import meaningful_title

TITLE_LIMIT_CHARS = 200
LANGUAGE_SAMPLE_BLOCKS = 100


@dataclass(frozen=True, slots=True)
class ReadingLimits:
    """Limits within which a parser that reads part by part stops, and delivers what it has."""

    text_chars: float = math.inf
    cpu_deadline_s: float = math.inf  # of this process's CPU time

    def reached(self, chars: int) -> bool:
        return chars > self.text_chars or time.process_time() > self.cpu_deadline_s


NO_LIMITS = ReadingLimits()


@dataclass(slots=True)
class ReadingProgress:
    """Counts what was read of a document whose parts are not numbered, and remembers that it was cut."""

    limits: ReadingLimits = NO_LIMITS
    chars: int = 0
    is_cut: bool = False

    def is_over(self) -> bool:
        self.is_cut = self.is_cut or self.limits.reached(self.chars)
        return self.is_cut

    @property
    def omissions(self) -> tuple[Omission, ...]:
        return (Omission("characters"),) if self.is_cut else ()


@dataclass(frozen=True, slots=True)
class RawDocument:
    """Bytes, and what their sender says of them."""

    body: bytes
    media_type: str = ""
    name: str = ""  # a file's name
    url: str | None = None
    charset: str | None = None
    limits: ReadingLimits = NO_LIMITS

    @property
    def file_name(self) -> str:
        """The file's name without folders."""
        return PurePath(one_line(self.name).replace("\\", "/")).name

    @property
    def title(self) -> str:
        """A title from the file's name: "Plan 2026.docx" → "Plan 2026"."""
        return PurePath(self.file_name).stem

    def text(self) -> str:
        """Decodes the body. Raises UnreadableDocument if it is no text."""
        decoded = decode(self.body, self.charset)
        if "\x00" in decoded[:10_000]:
            raise UnreadableDocument("this is declared as text, but it has zero bytes", "kind")
        return decoded

    def document(
        self,
        blocks: Sequence[Block],
        *,
        title: str = "",
        kind: DocumentKind = "text",
        omissions: tuple[Omission, ...] = (),
    ) -> Document:
        """Builds the document from its blocks. `title`: "" takes the file's name."""
        sample = "\n".join(block.text for block in blocks[:LANGUAGE_SAMPLE_BLOCKS])
        shown = meaningful_title(one_line(title)[:TITLE_LIMIT_CHARS]) or self.title[:TITLE_LIMIT_CHARS]
        return Document(shown, cut_blocks(blocks), kind, detect_language(sample), self.url, omissions)
