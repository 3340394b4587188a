"""Writes an export: JSON lines and HTML pages of the same records, in one signed ZIP file. Blocks for its files.

conversations.jsonl   conversations with their exchanges, sources and ratings
deliveries.jsonl      the bots' messages
feedback.jsonl        the bots' feedback
held_copies.jsonl     held records that their owners deleted
index.html            links to html/1.html … and feedback.html
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from core.records import export_page
from core.records.archive import ArchiveWriter
from core.records.export import Record, RecordsReader

Show = Callable[[Record], None]


@dataclass(slots=True)
class ExportFiles:
    """`counts`: records by file."""

    archive: ArchiveWriter
    folder: Path  # for parts that may be larger than memory
    counts: dict[str, int] = field(default_factory=dict)
    links: list[tuple[str, str]] = field(default_factory=list)

    async def write(self, reader: RecordsReader, description: dict[str, Any]) -> None:
        """Raises StorageError, OSError."""
        feedback: list[Record] = []
        await reader.resolve()
        await self._write_lines("conversations.jsonl", reader.conversations(), self._add_conversation)
        await self._write_lines("deliveries.jsonl", reader.deliveries())
        await self._write_lines("feedback.jsonl", reader.feedback(), feedback.append)
        await self._write_lines("held_copies.jsonl", reader.copies(), self._add_copy)
        self.archive.add("feedback.html", export_page.feedback_page(feedback))
        index = export_page.index_page(description["subject"], description["at"], description["who"], self.links)
        self.archive.add("index.html", index)
        self.archive.finish({**description, "records": self.counts})

    async def _write_lines(self, name: str, records: AsyncIterator[Record], show: Show = lambda _record: None) -> None:
        path = self.folder / name
        self.counts[name] = 0
        with path.open("wb") as file:
            async for record in records:
                write_line(file, record)
                show(record)
                self.counts[name] += 1
        self.archive.add_file(name, path)

    def _add_conversation(self, record: Record) -> None:
        self._add_page(record, None)

    def _add_copy(self, record: Record) -> None:
        if "conversation" in record:
            self._add_page(record["conversation"], record["deleted_at"])

    def _add_page(self, record: Record, deleted_at: str | None) -> None:
        name = f"html/{len(self.links) + 1}.html"
        self.archive.add(name, export_page.conversation_page(record, deleted_at))
        label = record["title"] or (record["exchanges"][0]["question"] if record["exchanges"] else "")
        self.links.append((name, f"{record['used_at']} {' '.join(label.split())[:80]}"))


def write_line(file: BinaryIO, record: Record) -> None:
    """Half a surrogate pair becomes its JSON escape."""
    file.write(json.dumps(record, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n")


def temporary_folder(beside: Path) -> tempfile.TemporaryDirectory[str]:
    """On the disk of the export, for this account alone."""
    return tempfile.TemporaryDirectory(prefix=".export-", dir=beside)
