"""Reads pages, feeds and files in child processes, so that no document can block, bloat or crash this one.

Documents come from strangers. Every parser has inputs that take minutes or gigabytes, and the best have bugs. In a
child (`core.rag.reading.reader_process`) this costs some seconds of one core, and never blocks the event loop.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import Any, Protocol

import structlog

from core.contract import Omission
from core.errors import UnreadableDocument
from core.rag.documents import Document, Passage
from core.runtime.admission_queue import AdmissionQueue
from core.runtime.child_pool import ChildEnded, ChildPool
from core.strict_json import storable

COMMAND = (sys.executable, "-m", "core.rag.reading.reader_process")
WALL_LIMIT_S = 20  # for busy machines; the child's CPU limit ends hostile documents earlier
CHILDREN_LIMIT = 2  # more would take the cores from the model
QUEUE_LIMIT, QUEUE_WAIT_LIMIT_S = 64, 15.0  # waiting callers hold a document in memory each
SLOW_FORMAT_STARTS = (b"%PDF", b"PK", b"\xd0\xcf")  # formats whose hundred pages take seconds
LONG_FACTOR = 1.75  # with the start of the next child, a hostile file is over in five seconds
BODY_LIMIT_BYTES = 16 * 1024 * 1024
TOO_LONG = "reading it takes too long, or too much memory: give a smaller or simpler document"

log = structlog.get_logger(__name__)


class DocumentReader(Protocol):
    async def read(
        self, body: bytes, media_type: str, *, name: str = "", url: str | None = None, charset: str | None = None
    ) -> Document: ...


class Reader:
    """One per event loop. `close` ends its children.

    `cpu_limit_s`: for a page; PDF and Office files get LONG_FACTOR times that. `text_limit_chars`: longer
    documents are cut.
    Adding a large document to a collection can take long, answering a question cannot.
    """

    def __init__(self, *, cpu_limit_s: float = 2, text_limit_chars: int = 1_000_000) -> None:
        self._cpu_limit_s = cpu_limit_s
        self._text_limit_chars = text_limit_chars
        self._queue = AdmissionQueue(
            "reading a document", slots=CHILDREN_LIMIT, queue_limit=QUEUE_LIMIT, wait_limit_s=QUEUE_WAIT_LIMIT_S
        )
        self._children = ChildPool(COMMAND, limit=CHILDREN_LIMIT, wall_limit_s=WALL_LIMIT_S + LONG_FACTOR * cpu_limit_s)

    async def read(
        self, body: bytes, media_type: str, *, name: str = "", url: str | None = None, charset: str | None = None
    ) -> Document:
        """Returns a document with at least one passage. Raises UnreadableDocument; Overloaded if the queue is full."""
        fields = {"media_type": media_type, "name": name, "url": url, "charset": charset}
        document = parse_document((await self._ask(body, fields))["document"])
        if document.omissions:
            log.info("document_partly_read", size_bytes=len(body), passages=len(document.passages))
        return document

    async def read_rows(self, body: bytes) -> tuple[str, tuple[Omission, ...]]:
        """Returns the rows of a workbook's first table as CSV; raises as `read` does."""
        fields = {"media_type": "", "name": "", "url": None, "charset": None, "rows": True}
        rows = (await self._ask(body, fields))["rows"]
        return storable(rows["csv"]), tuple(Omission(**each) for each in rows["omissions"])

    async def _ask(self, body: bytes, fields: dict[str, Any]) -> dict[str, Any]:
        if len(body) > BODY_LIMIT_BYTES:
            raise UnreadableDocument(f"it has {len(body):,} bytes; the limit is {BODY_LIMIT_BYTES:,}", "large")
        question = json.dumps({"length": len(body), **fields, **self._limits(body)}).encode()
        try:
            async with self._queue.slot():
                answer = await self._children.ask(question + b"\n" + body)
        except ChildEnded as exc:
            log.warning("reader_crashed", size_bytes=len(body))
            raise UnreadableDocument(TOO_LONG, "large") from exc
        if "refused" in answer:
            raise UnreadableDocument(answer["refused"], answer["reason"])
        return answer

    def _limits(self, body: bytes) -> dict[str, float]:
        cpu_limit_s = self._cpu_limit_s * (LONG_FACTOR if body.startswith(SLOW_FORMAT_STARTS) else 1)
        return {"cpu_limit_s": cpu_limit_s, "text_limit_chars": self._text_limit_chars}

    async def close(self) -> None:
        """Ends the children. No document is being read at that time."""
        await self._children.close()


def parse_document(fields: dict[str, Any]) -> Document:
    """Drops what neither a database nor JSON can carry: JSON's "\\ud800" is a lone surrogate, and parsers keep it."""
    passages = tuple(
        Passage(
            storable(text), storable(heading), link and storable(link), datetime.fromisoformat(when) if when else None
        )
        for text, heading, link, when in fields["passages"]
    )
    url = fields["url"] and storable(fields["url"])
    feed_url = fields["feed_url"] and storable(fields["feed_url"])
    omissions = tuple(Omission(**each) for each in fields["omissions"])
    return Document(storable(fields["title"]), passages, fields["kind"], fields["language"], url, omissions, feed_url)
