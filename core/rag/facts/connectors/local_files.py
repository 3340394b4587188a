"""Files of this machine: one by itself, or all readable ones of a folder."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal

from core.configuration.setting_types import PathStr
from core.errors import NotFound, UnreadableDocument
from core.rag.facts.connectors.protocol import (
    Connector,
    ConnectorTools,
    EntryContent,
    Origin,
    OriginEntry,
    content_digest,
)
from core.runtime.format_table import DOCUMENT_SUFFIXES
from core.strict_json import storable

FILE_LIMIT_BYTES = 64 * 1024 * 1024


class FileConnector(Connector):
    kind: Literal["file"]
    path: PathStr

    def origin_name(self, tools: ConnectorTools) -> str:
        return file_key(tools.resolve(self.path))

    async def list_origin(self, tools: ConnectorTools) -> Origin:
        path = tools.resolve(self.path)
        if not await asyncio.to_thread(path.is_file):
            raise NotFound(f"{path}: there is no such file")
        return Origin(file_key(path), [file_entry(path, tools)])


class FolderConnector(Connector):
    kind: Literal["folder"]
    path: PathStr

    def origin_name(self, tools: ConnectorTools) -> str:
        return file_key(tools.resolve(self.path))

    async def list_origin(self, tools: ConnectorTools) -> Origin:
        path = tools.resolve(self.path)
        if not await asyncio.to_thread(path.is_dir):
            raise NotFound(f"{path}: there is no such folder")
        files = await asyncio.to_thread(readable_files, path)
        return Origin(file_key(path), [file_entry(file, tools) for file in files])


def file_entry(path: Path, tools: ConnectorTools) -> OriginEntry:
    async def open_file() -> EntryContent:
        body = await read_file(path)
        read = partial(tools.reader.read, body, "", name=path.name)
        return EntryContent(content_digest(body, path.name), datetime.now(UTC), read)

    return OriginEntry(file_key(path), open_file)


def file_key(path: Path) -> str:
    """Returns the path as text. File names are bytes; undecodable ones become question marks."""
    return storable(str(path))


def readable_files(folder: Path) -> list[Path]:
    """Lists the files of readable formats by name, without hidden files and folders."""
    files = (path for path in folder.rglob("*") if path.suffix.lower() in DOCUMENT_SUFFIXES and path.is_file())
    return sorted(path for path in files if not any(part.startswith(".") for part in path.relative_to(folder).parts))


async def read_file(path: Path) -> bytes:
    """Raises UnreadableDocument."""

    def read() -> bytes:
        if path.stat().st_size > FILE_LIMIT_BYTES:
            raise UnreadableDocument(f"{path} has more than {FILE_LIMIT_BYTES:,} bytes", "large")
        return path.read_bytes()

    try:
        return await asyncio.to_thread(read)
    except OSError as exc:
        raise UnreadableDocument(f"{path} cannot be read: {exc.strerror}") from exc
