"""The rows of a workbook for `csps-llm toil run`. A child process reads the file, as it reads those of strangers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator

from core.contract import Omission
from core.errors import BadRequest
from core.rag.reading.reader import Reader
from core.toil.batch.rows import AnyRow, csv_rows

CPU_LIMIT_S = 60  # nobody waits for an answer meanwhile


class WorkbookRows:
    """Parses the rows of one workbook, from its bytes. `omissions`: what of it became no row."""

    def __init__(self) -> None:
        self.omissions: tuple[Omission, ...] = ()
        self._rows: str | None = None

    def __call__(self, chunks: Iterable[bytes]) -> Iterator[AnyRow]:
        """Yields the rows; reads the workbook at the first call only. Blocks: no event loop may run in this thread.

        Raises BadRequest.
        """
        body = b"".join(chunks)
        if self._rows is None:
            self._rows, self.omissions = asyncio.run(read_rows(body))
        if not self._rows:
            raise BadRequest("the workbook has no rows")
        return csv_rows([self._rows.encode("utf-8", "replace")])


async def read_rows(body: bytes) -> tuple[str, tuple[Omission, ...]]:
    """Raises UnreadableDocument."""
    reader = Reader(cpu_limit_s=CPU_LIMIT_S)
    try:
        return await reader.read_rows(body)
    finally:
        await reader.close()
