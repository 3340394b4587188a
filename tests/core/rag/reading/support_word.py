"""Word files as documents: built by `tests.support.word_files`, read as the product does."""

from __future__ import annotations

from typing import Any

from core.rag.documents import Document
from core.rag.reading.formats import read_document
from tests.support import word_files as w


def read(body: str, name: str = "file.docx", **parts: Any) -> Document:
    return read_document(w.word_file(body, **parts), w.MAIN_TYPES["docx"], name=name)


def texts(document: Document) -> list[tuple[str, str]]:
    return [(passage.heading, passage.text) for passage in document.passages]


def text_of(body: str, **parts: Any) -> str:
    return "\n\n".join(passage.text for passage in read(body, **parts).passages)
