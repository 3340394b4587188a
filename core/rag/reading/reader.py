"""Reads pages, feeds and files in child processes, so that no document can stop, swell or crash this one.

Documents come from strangers. Every parser has inputs that take it minutes or gigabytes, and the best have bugs: in a
child that costs some seconds of one core and nobody's event loop. `core.rag.reading.reader_process` is the child.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import Any

import structlog

from core.errors import UnreadableDocument
from core.rag.documents import Document, Passage
from core.runtime.admission_queue import AdmissionQueue
from core.runtime.child_pool import ChildEnded, ChildPool
from core.strict_json import storable

COMMAND = (sys.executable, "-m", "core.rag.reading.reader_process")
WALL_LIMIT_S = 20  # a machine may be busy; the child's own limit of CPU time is what ends a bomb
CHILDREN_LIMIT = 2  # children; more would take the cores from the model
QUEUE_LIMIT, QUEUE_WAIT_LIMIT_S = 64, 15.0  # who waits longer has given up, and each holds a document in memory
SLOW_FORMAT_STARTS = (b"%PDF", b"PK")  # of files whose hundred pages take honest seconds
LONG_FACTOR = 2
BODY_LIMIT_BYTES = 16 * 1024 * 1024
TOO_LONG = "reading it takes too long, or too much memory: give a smaller or simpler document"

log = structlog.get_logger(__name__)


class Reader:
    """One per event loop. `close` ends its children.

    `cpu_limit_s` is what a page may take (a PDF or Word file: twice that), `text_limit_chars` how much of a document is
    kept: who adds a large one to a collection can wait for it, who asks a question about one cannot.
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
        """A document with at least one passage. Raises UnreadableDocument; Overloaded where too many are read."""
        if len(body) > BODY_LIMIT_BYTES:
            raise UnreadableDocument(f"it has {len(body):,} bytes; {BODY_LIMIT_BYTES:,} are read at most", "large")
        told = {"media_type": media_type, "name": name, "url": url, "charset": charset}
        question = json.dumps({"length": len(body), **told, **self._limits(body)}).encode()
        try:
            async with self._queue.slot():
                answer = await self._children.ask(question + b"\n" + body)
        except ChildEnded as exc:
            log.warning("document_ended_its_reader", bytes=len(body))
            raise UnreadableDocument(TOO_LONG, "large") from exc
        if "refused" in answer:
            raise UnreadableDocument(answer["refused"], answer["reason"])
        document = parse_document(answer["document"])
        if document.cut:
            log.info("document_cut", bytes=len(body), passages=len(document.passages))
        return document

    def _limits(self, body: bytes) -> dict[str, float]:
        cpu_limit_s = self._cpu_limit_s * (LONG_FACTOR if body.startswith(SLOW_FORMAT_STARTS) else 1)
        return {"cpu_limit_s": cpu_limit_s, "text_limit_chars": self._text_limit_chars}

    async def close(self) -> None:
        """Nothing is being read then."""
        await self._children.close()


def parse_document(told: dict[str, Any]) -> Document:
    """Without what neither a database nor JSON can carry: JSON's "\\ud800" is half a character, and parsers keep it."""
    passages = tuple(
        Passage(
            storable(text), storable(heading), link and storable(link), datetime.fromisoformat(when) if when else None
        )
        for text, heading, link, when in told["passages"]
    )
    url = told["url"] and storable(told["url"])
    return Document(storable(told["title"]), passages, told["kind"], told["language"], url, told["cut"])
