"""Attached files: fetched within limits and read, or a reason that a person can be told. Knows no platform.

Text is decoded here, for rows and schemas must stay as they are; whatever needs a parser is read by the engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import structlog

from bindings.delivery.outlet import DeliveryError
from bindings.incoming import File
from bindings.platform import Platform
from core.contract import Attachment, Engine
from core.errors import Obstacle, UnreadableDocument
from core.runtime.file_formats import guess_media_type, split_byte_order_mark

log = structlog.get_logger()

Why = Obstacle | Literal["content", "size", "fetch", "number"]  # content: for another reason than those of Obstacle
Shape = Literal["text", "json", "csv", "jsonl", "document"]
FILES_LIMIT = 16
MEDIA: dict[str, Shape] = {
    "text/plain": "text",
    "text/markdown": "text",
    "application/json": "json",
    "text/csv": "csv",
    "text/tab-separated-values": "csv",
    "application/x-ndjson": "jsonl",
    "text/html": "document",
    "application/pdf": "document",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "document",
}


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file whose text is known."""

    name: str
    shape: Shape
    text: str
    cut: bool = False  # as in Attachment

    @property
    def attachment(self) -> Attachment:
        return Attachment(self.name, self.text, self.cut)


@dataclass(frozen=True, slots=True)
class Unread:
    name: str
    why: Why


@dataclass(frozen=True, slots=True)
class Files:
    read: tuple[ReadFile, ...] = ()
    unread: tuple[Unread, ...] = ()


async def read_files(engine: Engine, platform: Platform, files: Sequence[File], limit_bytes: int) -> Files:
    """All of a message's; nothing is raised for one that cannot be had."""
    outcomes = [await read_file(engine, platform, file, limit_bytes) for file in files[:FILES_LIMIT]]
    outcomes += [Unread(file.name, "number") for file in files[FILES_LIMIT:]]
    return Files(
        tuple(each for each in outcomes if isinstance(each, ReadFile)),
        tuple(each for each in outcomes if isinstance(each, Unread)),
    )


async def read_file(engine: Engine, platform: Platform, file: File, limit_bytes: int) -> ReadFile | Unread:
    shape = shape_of(file)
    if shape is None:
        return Unread(file.name, "kind")
    if file.size_bytes is not None and file.size_bytes > limit_bytes:
        return Unread(file.name, "size")
    try:
        body = await platform.fetch(file, limit_bytes)
    except DeliveryError as exc:
        log.warning("file_not_fetched", platform=platform.name, size_bytes=file.size_bytes, problem=exc.message)
        return Unread(file.name, "fetch")
    if len(body) > limit_bytes:
        return Unread(file.name, "size")
    if shape == "document":
        return await read_document(engine, file, body)
    text = decoded(body)
    return Unread(file.name, "kind") if text is None else ReadFile(file.name, shape, text)


async def read_document(engine: Engine, file: File, body: bytes) -> ReadFile | Unread:
    try:
        attachment = await engine.read(file.name, body, file.media_type)
    except UnreadableDocument as exc:
        log.info("file_not_read", size_bytes=len(body), problem=exc.message)
        return Unread(file.name, exc.reason or "content")
    return ReadFile(file.name, "document", attachment.text, attachment.cut)


def shape_of(file: File) -> Shape | None:
    """By the name; by the media type where the name says nothing. None: not read here."""
    media = file.media_type.partition(";")[0].strip().lower()
    by_name = MEDIA.get(guess_media_type(file.name))
    return by_name or MEDIA.get(media) or ("text" if media.startswith("text/") else None)


def decoded(body: bytes) -> str | None:
    """By the byte order mark, as UTF-8, or as what older Windows programs write. None: this is no text."""
    encoding, marked = split_byte_order_mark(body)
    if encoding:
        return marked.decode(encoding, "replace")
    if b"\0" in body:
        return None
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")
