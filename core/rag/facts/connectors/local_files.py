"""Files of this machine: one by itself, or all readable ones of a folder."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal, NoReturn

from core.configuration.setting_types import PathStr
from core.errors import NotFound, UnreadableDocument
from core.rag.facts.connectors.protocol import (
    ConnectorTools,
    EntryContent,
    Origin,
    OriginConnector,
    OriginEntry,
    content_digest,
)
from core.runtime.format_table import DOCUMENT_SUFFIXES
from core.strict_json import storable

FILE_LIMIT_BYTES = 64 * 1024 * 1024


class FileConnector(OriginConnector):
    kind: Literal["file"]
    path: PathStr

    def origin_name(self, tools: ConnectorTools) -> str:
        return file_key(tools.resolve(self.path))

    async def list_origin(self, tools: ConnectorTools) -> Origin:
        path = tools.resolve(self.path)
        if not await asyncio.to_thread(path.is_file):
            raise NotFound(f"{path}: there is no such file")
        return Origin(file_key(path), [file_entry(path, tools)])


class FolderConnector(OriginConnector):
    kind: Literal["folder"]
    path: PathStr

    def origin_name(self, tools: ConnectorTools) -> str:
        return file_key(tools.resolve(self.path))

    async def list_origin(self, tools: ConnectorTools) -> Origin:
        path = tools.resolve(self.path)
        if not await asyncio.to_thread(path.is_dir):
            raise NotFound(f"{path}: there is no such folder")
        files = await asyncio.to_thread(readable_files, path)
        inside = [file for file in files if file.resolve().is_relative_to(path)]
        left_out = f"links that lead out of the folder are not followed: {len(files) - len(inside)}"
        entries = [file_entry(file, tools) for file in inside]
        return Origin(file_key(path), entries, left_out=left_out if len(inside) < len(files) else "")


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
    """Lists the files of readable formats by name, without hidden files and folders. Follows no links to folders.

    Raises UnreadableDocument for a folder that cannot be listed: its documents are not gone.
    """

    def refuse(exc: OSError) -> NoReturn:
        raise UnreadableDocument(f"{exc.filename} cannot be listed: {exc.strerror}") from exc

    files: list[Path] = []
    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        shown = (Path(parent, name) for name in names if not name.startswith("."))
        files += (path for path in shown if path.suffix.lower() in DOCUMENT_SUFFIXES and path.is_file())
    return sorted(files)


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
