"""Reads a document that a person adds, and stores it: in this process, or in a child process.

Cutting a long document into words and parsing its vectors would hold the event loop of a bot or of the web process for
tenths of a second. A child (`core.cli.facts_add`) does all of it, and ends afterwards.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from core.contract import Omission
from core.errors import (
    CspsError,
    ModelRefused,
    ModelTooSlow,
    ModelUnavailable,
    Overloaded,
    StorageError,
    UnreadableDocument,
)
from core.rag.facts.document_rows import NewDocument
from core.rag.facts.store import FactStore
from core.rag.reading.reader import DocumentReader
from core.runtime.child_pool import ChildEnded, ChildPool

# A low priority: answers come first, but a person waits for this too.
COMMAND = ("nice", "-n", "10", sys.executable, "-m", "core.cli.facts_add")
WALL_LIMIT_S = 300.0
CONCURRENT_ADDITIONS = 1  # of one process: each holds a whole document
TOO_LONG = "reading it took too long or too much memory: add it in parts"
ERRORS: Mapping[str, type[CspsError]] = {
    kind.code: kind for kind in (ModelUnavailable, ModelTooSlow, ModelRefused, Overloaded, StorageError)
}


@dataclass(frozen=True, slots=True)
class AdditionRequest:
    """A document before it is read. `identity`: its file name or URL, and its title if it has none."""

    collection: str
    origin: str
    identity: str
    added_by: str
    added_at: float  # seconds since 1970
    media_type: str
    name: str = ""
    url: str | None = None
    charset: str | None = None

    @property
    def key(self) -> str:
        return f"{self.origin}:{self.identity}"


@dataclass(frozen=True, slots=True)
class Addition:
    """A document that was read and stored. `is_new`: no earlier version was replaced."""

    title: str
    passages: int
    omissions: tuple[Omission, ...]
    is_new: bool


class AdditionWriter(Protocol):
    async def write(self, request: AdditionRequest, body: bytes) -> Addition:
        """Raises UnreadableDocument, Overloaded, ModelError, StorageError."""


class StoreWriter:
    """Reads and stores with the parts of this process."""

    def __init__(self, store: FactStore, reader: DocumentReader) -> None:
        self._store = store
        self._reader = reader

    async def write(self, request: AdditionRequest, body: bytes) -> Addition:
        about = {"name": request.name, "url": request.url, "charset": request.charset}
        document = await self._reader.read(body, request.media_type, **about)  # type: ignore[arg-type]
        shown = replace(document, title=document.title or request.identity, url=document.url or request.url)
        is_new = request.key not in await self._store.stored_versions(request.collection)
        at = datetime.fromtimestamp(request.added_at, UTC)
        fresh = NewDocument(request.key, hashlib.sha256(body).hexdigest(), at, shown, request.added_by)
        passages = await self._store.replace(request.collection, request.origin, [fresh], {})
        return Addition(shown.title, passages, shown.omissions, is_new)


class ChildWriter:
    """Has a child process read and store, one document at a time. One per event loop."""

    def __init__(self, children: ChildPool | None = None) -> None:
        self._children = children or ChildPool(COMMAND, limit=CONCURRENT_ADDITIONS, wall_limit_s=WALL_LIMIT_S)

    async def write(self, request: AdditionRequest, body: bytes) -> Addition:
        question = json.dumps({"length": len(body), **asdict(request)}).encode()
        try:
            answer = await self._children.ask(question + b"\n" + body)
        except ChildEnded as exc:
            raise UnreadableDocument(TOO_LONG, "large") from exc
        return parse_answer(answer)

    async def close(self) -> None:
        await self._children.close()


def build_answer(outcome: Addition | CspsError) -> dict[str, Any]:
    """The child's answer. It serves one request, so that its memory is free again."""
    if isinstance(outcome, Addition):
        return {"added": asdict(outcome), "spent": True}
    reason = outcome.reason if isinstance(outcome, UnreadableDocument) else None
    return {"code": outcome.code, "message": outcome.message, "reason": reason, "spent": True}


def parse_answer(answer: Mapping[str, Any]) -> Addition:
    """Raises the error that the answer holds."""
    if "added" in answer:
        omissions = tuple(Omission(**each) for each in answer["added"]["omissions"])
        return Addition(**{**answer["added"], "omissions": omissions})
    if answer["code"] == UnreadableDocument.code:
        raise UnreadableDocument(answer["message"], answer["reason"])
    raise ERRORS.get(answer["code"], StorageError)(answer["message"])
