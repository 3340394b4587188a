"""The rows of a batch from bytes: CSV with a header, or one JSON object a line. Pure; knows nothing of prompts.

A JSON line that is wrong is a row that is wrong, and the next line is as good as any. In a CSV file that breaks its own
rules nobody can say where the next row begins, so there the reading ends.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from core import strict_json
from core.contract import Json
from core.errors import BadRequest, CspsError
from core.toil.batch.lines import BOM, Line, Lines

Format = Literal["csv", "jsonl"]

LINE_LIMIT_BYTES = 2**20
DELIMITERS = (",", ";", "\t", "|")
BOMS = ((BOM, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
SHOWN_NAMES = 20


@dataclass(frozen=True, slots=True)
class Row:
    """`number` is the line's in JSON lines, and counts the rows after the header, from 1, in CSV."""

    number: int
    fields: Mapping[str, Json]

    @property
    def digest(self) -> str:
        """Tells one row from another."""
        return hashlib.blake2b(json.dumps(self.fields).encode(), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class Broken:
    """A row that could not be read. Never quotes it."""

    number: int
    error: CspsError
    digest: str = "broken"


AnyRow = Row | Broken


def json_rows(chunks: Iterable[bytes], limit_bytes: int = LINE_LIMIT_BYTES) -> Iterator[AnyRow]:
    """Each line of UTF-8 that is not blank."""
    lines = Lines(limit_bytes)
    for chunk in chunks:
        yield from (row_of(line, limit_bytes) for line in lines.feed(chunk))
    yield from (row_of(line, limit_bytes) for line in lines.end())


def row_of(line: Line, limit_bytes: int = LINE_LIMIT_BYTES) -> AnyRow:
    if line.raw is None:
        return Broken(line.number, BadRequest(f"a line may have at most {limit_bytes} bytes"))
    try:
        value = strict_json.parse(line.raw)
    except BadRequest as exc:
        return Broken(line.number, exc)
    if not isinstance(value, dict):
        return Broken(line.number, BadRequest("a row must be a JSON object"))
    return Row(line.number, value)


def csv_rows(chunks: Iterable[bytes], delimiter: str | None = None, encoding: str | None = None) -> Iterator[AnyRow]:
    """Each row after the header, by column. Raises BadRequest, with the place, where the file is not CSV.

    `delimiter`: by the header, if None. `encoding`: by the byte order mark, else UTF-8, if None.
    """
    lines = text_lines(chunks, encoding)
    first = next(lines, None)
    if first is None:
        raise BadRequest("the CSV file is empty: its first line must name the columns")
    # Strict: a quote in the wrong place would otherwise silently join rows.
    reader = csv.reader(itertools.chain((first,), lines), delimiter=delimiter or delimiter_of(first), strict=True)
    number = -1
    columns: list[str] | None = None
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as exc:
            raise BadRequest(f"row {number + 1} (line {reader.line_num}): not valid CSV: {exc}") from exc
        if cells is None:
            return
        if not cells:
            continue  # a blank line
        number += 1
        if columns is None:
            columns = named(cells)
            continue
        yield by_column(number, columns, cells)


def named(cells: list[str]) -> list[str]:
    """The columns' names. Raises BadRequest if they cannot tell the columns apart."""
    names = [cell.strip() for cell in cells]
    if "" in names:
        raise BadRequest(f"the CSV header: column {names.index('') + 1} has no name")
    if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise BadRequest(f"the CSV header names a column twice: {listed(twice)}")
    return names


def by_column(number: int, columns: list[str], cells: list[str]) -> AnyRow:
    if len(cells) != len(columns):
        return Broken(number, BadRequest(f"the row has {len(cells)} fields; the header names {len(columns)} columns"))
    return Row(number, dict(zip(columns, cells, strict=True)))


def delimiter_of(header: str) -> str:
    """Whichever stands most often between the names: French spreadsheets write semicolons."""
    outside = "".join(header.split('"')[::2])
    return max(DELIMITERS, key=outside.count)


def text_lines(chunks: Iterable[bytes], encoding: str | None) -> Iterator[str]:
    """With their ends. Raises BadRequest, with the line, for what is not text in the encoding."""
    number, rest = 1, ""
    for piece in text_pieces(chunks, encoding):
        *ended, rest = (rest + piece).split("\n")
        for line in ended:
            number += 1
            yield line + "\n"
        if len(rest) > LINE_LIMIT_BYTES:
            raise BadRequest(f"line {number}: a line may have at most {LINE_LIMIT_BYTES} characters")
    if rest:
        yield rest


def text_pieces(chunks: Iterable[bytes], encoding: str | None) -> Iterator[str]:
    """The last piece ends inside no character."""
    decoder: codecs.IncrementalDecoder | None = None
    line = 1
    for chunk in itertools.chain(filter(None, whole_head(chunks)), (b"",)):
        if decoder is None:
            chunk, encoding = without_bom(chunk, encoding)
            decoder = decoder_of(encoding)
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as exc:
            place = line + exc.object[: exc.start].count(b"\n")
            raise BadRequest(f"line {place}: not {encoding}; name the file's encoding, such as cp1252") from exc
        line += text.count("\n")
        yield text


def whole_head(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes, where the first piece is not too short to show a byte order mark: a pipe may give single ones."""
    rest = iter(chunks)
    head = b""
    for chunk in rest:
        head += chunk
        if len(head) >= len(BOM):
            break
    yield head
    yield from rest


def decoder_of(encoding: str) -> codecs.IncrementalDecoder:
    try:
        return codecs.getincrementaldecoder(encoding)()
    except LookupError as exc:
        raise BadRequest(f"there is no encoding named {encoding[:64]!r}") from exc


def without_bom(chunk: bytes, encoding: str | None) -> tuple[bytes, str]:
    for bom, name in BOMS:
        if chunk.startswith(bom) and encoding in (None, name):
            return chunk[len(bom) :], name
    return chunk, encoding or "utf-8"


def listed(names: Iterable[str]) -> str:
    """For a message; not all of a file's, if it has very many."""
    every = list(names)
    shown = ", ".join(f"`{name[:64]}`" for name in every[:SHOWN_NAMES])
    return f"{shown}, …" if len(every) > SHOWN_NAMES else shown
