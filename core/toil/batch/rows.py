"""Parses the rows of a batch from bytes: CSV with a header, or one JSON object a line. Pure; knows no prompts.

A malformed JSON line is one unreadable row. A malformed CSV file ends the reading: its next row cannot be found.
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
from core.runtime.file_formats import MARK_LIMIT_BYTES, guess_delimiter, split_byte_order_mark, split_named_delimiter
from core.runtime.text_encoding import SAMPLE_BYTES, unmarked_utf16

RowFormat = Literal["csv", "jsonl"]

LINE_LIMIT_BYTES = 2**20
SHOWN_NAMES = 20


@dataclass(frozen=True, slots=True)
class InputLine:
    """`number` counts from 1, blank lines included. `raw` is None for a line above the size limit."""

    number: int
    raw: bytes | None


class LineSplitter:
    """Splits bytes into lines as they arrive; keeps at most one line. Skips blank lines and a byte order mark."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._rest = bytearray()
        self._number = 0
        self._too_long = False

    def feed(self, chunk: bytes) -> Iterator[InputLine]:
        *ended, rest = chunk.split(b"\n")
        for piece in ended:
            self._append(piece)
            yield from self._end_line()
        self._append(rest)

    def end(self) -> Iterator[InputLine]:
        """The last line, which may lack its line feed."""
        if self._rest or self._too_long:
            yield from self._end_line()

    def _append(self, piece: bytes) -> None:
        if len(self._rest) + len(piece) > self._limit_bytes:
            self._too_long = True
            self._rest.clear()
        if not self._too_long:
            self._rest += piece

    def _end_line(self) -> Iterator[InputLine]:
        self._number += 1
        raw, too_long = bytes(self._rest), self._too_long
        self._rest.clear()
        self._too_long = False
        if too_long:
            yield InputLine(self._number, None)
            return
        if self._number == 1:
            raw = raw.removeprefix(codecs.BOM_UTF8)
        if stripped := raw.strip():
            yield InputLine(self._number, stripped)


@dataclass(frozen=True, slots=True)
class Row:
    """`number` is the line number in JSON lines; in CSV it counts the rows after the header, from 1."""

    number: int
    fields: Mapping[str, Json]

    @property
    def digest(self) -> str:
        """Differs between rows with different fields."""
        return hashlib.blake2b(json.dumps(self.fields).encode(), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class UnreadableRow:
    """A row that could not be parsed. The error never quotes it."""

    number: int
    error: CspsError
    digest: str = "broken"


AnyRow = Row | UnreadableRow


def json_rows(chunks: Iterable[bytes], limit_bytes: int = LINE_LIMIT_BYTES) -> Iterator[AnyRow]:
    """One row for each non-blank line of UTF-8."""
    lines = LineSplitter(limit_bytes)
    for chunk in chunks:
        yield from (parse_json_row(line, limit_bytes) for line in lines.feed(chunk))
    yield from (parse_json_row(line, limit_bytes) for line in lines.end())


def parse_json_row(line: InputLine, limit_bytes: int = LINE_LIMIT_BYTES) -> AnyRow:
    if line.raw is None:
        return UnreadableRow(line.number, BadRequest(f"a line may have at most {limit_bytes} bytes"))
    try:
        value = strict_json.parse(line.raw)
    except BadRequest as exc:
        return UnreadableRow(line.number, exc)
    if not isinstance(value, dict):
        return UnreadableRow(line.number, BadRequest("a row must be a JSON object"))
    return Row(line.number, value)


def csv_rows(chunks: Iterable[bytes], delimiter: str | None = None, encoding: str | None = None) -> Iterator[AnyRow]:
    """One row, by column, for each line after the header. Raises BadRequest with the place of a CSV error.

    `delimiter`: named by a first line such as `sep=;`, else taken from the header, if None. `encoding`: by the byte
    order mark or the zero bytes of UTF-16, else UTF-8, if None.
    """
    lines = text_lines(chunks, encoding)
    first = next(lines, None)
    named, rest = split_named_delimiter(first or "")
    if named:
        delimiter, first = delimiter or named, rest or next(lines, None)
    if first is None:
        raise BadRequest("the CSV file is empty: its first line must name the columns")
    # Strict: otherwise a misplaced quote silently joins rows.
    source = itertools.chain((first,), lines)
    reader = csv.reader(source, delimiter=delimiter or guess_delimiter([first]), skipinitialspace=True, strict=True)
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
            columns = parse_header(cells)
            continue
        yield build_csv_row(number, columns, cells)


def parse_header(cells: list[str]) -> list[str]:
    """The column names. Raises BadRequest for an empty or repeated name."""
    names = [cell.strip() for cell in cells]
    if "" in names:
        raise BadRequest(f"the CSV header: column {names.index('') + 1} has no name")
    if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise BadRequest(f"the CSV header names a column twice: {format_names(twice)}")
    return names


def build_csv_row(number: int, columns: list[str], cells: list[str]) -> AnyRow:
    if len(cells) != len(columns):
        message = f"the row has {len(cells)} fields; the header names {len(columns)} columns"
        return UnreadableRow(number, BadRequest(message))
    return Row(number, dict(zip(columns, cells, strict=True)))


def text_lines(chunks: Iterable[bytes], encoding: str | None) -> Iterator[str]:
    """Lines with their line feeds. Raises BadRequest with the line of an encoding error."""
    number, rest = 1, ""
    for piece in decode_chunks(chunks, encoding):
        *ended, rest = (rest + piece).split("\n")
        for line in ended:
            number += 1
            yield line + "\n"
        if len(rest) > LINE_LIMIT_BYTES:
            raise BadRequest(f"line {number}: a line may have at most {LINE_LIMIT_BYTES} characters")
    if rest:
        yield rest


def decode_chunks(chunks: Iterable[bytes], encoding: str | None) -> Iterator[str]:
    """Raises BadRequest, also for a last chunk that ends inside a character."""
    decoder: codecs.IncrementalDecoder | None = None
    line = 1
    for chunk in itertools.chain(filter(None, join_head(chunks)), (b"",)):
        if decoder is None:
            chunk, encoding = strip_bom(chunk, encoding)
            decoder = build_decoder(encoding)
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as exc:
            place = line + exc.object[: exc.start].count(b"\n")
            raise BadRequest(f"line {place}: not {encoding}; name the file's encoding, such as cp1252") from exc
        line += text.count("\n")
        yield text


def join_head(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Joins the first chunks until a byte order mark fits: a pipe may deliver single bytes."""
    rest = iter(chunks)
    head = b""
    for chunk in rest:
        head += chunk
        if len(head) >= MARK_LIMIT_BYTES:
            break
    yield head
    yield from rest


def build_decoder(encoding: str) -> codecs.IncrementalDecoder:
    try:
        return codecs.getincrementaldecoder(encoding)()
    except LookupError as exc:
        raise BadRequest(f"there is no encoding named {encoding[:64]!r}") from exc


def strip_bom(chunk: bytes, encoding: str | None) -> tuple[bytes, str]:
    """The chunk without its byte order mark, and the encoding that the mark, the caller or zero bytes name."""
    marked, rest = split_byte_order_mark(chunk)
    if marked and encoding in (None, marked):
        return rest, marked
    return chunk, encoding or unmarked_utf16(chunk[:SAMPLE_BYTES]) or "utf-8"


def format_names(names: Iterable[str]) -> str:
    """The first SHOWN_NAMES names, for a message."""
    every = list(names)
    column_list = ", ".join(f"`{name[:64]}`" for name in every[:SHOWN_NAMES])
    return f"{column_list}, …" if len(every) > SHOWN_NAMES else column_list
