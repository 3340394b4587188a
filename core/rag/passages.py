"""Cuts blocks or plain text into passages: at sections' ends, else between blocks, sentences or words. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, groupby
from operator import itemgetter

from core.rag.documents import PASSAGE_LIMIT_CHARS, Block, Passage, one_line
from core.rag.structured_text import SEPARATOR, read_structured
from core.rag.wide_rows import is_wide_row, split_record

HEADING_LIMIT_CHARS = 120  # of each heading
SENTENCE_END = re.compile(r"(?<=[.!?…。])[\"'»”’)\]]*\s+|\n+")
FENCE_LIMIT_CHARS = 7  # of a line within code that looks like a fence; longer ones are ornaments
INNER_FENCE = re.compile(r"^ {0,3}(`{3,})", re.MULTILINE)
LONG_FENCE = re.compile(r"^ {0,3}`{8,}", re.MULTILINE)


def cut_blocks(blocks: Iterable[Block], limit_chars: int = PASSAGE_LIMIT_CHARS) -> tuple[Passage, ...]:
    """Returns passages in reading order, each at most `limit_chars` long, with the headings above it."""
    return tuple(
        Passage(text, path)
        for path, alike in groupby(sections(blocks), key=itemgetter(0))
        for text in pack_blocks(chain.from_iterable(section for _, section in alike), limit_chars)
    )


def cut_text(text: str) -> Iterator[Passage]:
    """Yields the passages of a text, one by one because there may be many.

    Headings, tables and code of `core.rag.structured_text` are known; any other paragraph is a block as it stands.
    """
    for path, blocks in groupby(with_headings(read_structured(text)), key=itemgetter(0)):
        yield from (Passage(part, path) for part in pack_blocks((block for _, block in blocks), PASSAGE_LIMIT_CHARS))


def with_headings(blocks: Iterable[Block]) -> Iterator[tuple[str, Block]]:
    """Yields each block with its headings, as `sections` does, without collecting a section's blocks."""
    path: list[Block] = []
    is_empty = False  # the section of the last heading
    for block in blocks:
        if block.kind != "heading":
            is_empty = False
            yield heading_path(path), block
            continue
        if is_empty and path[-1].level >= block.level:
            yield heading_path(path[:-1]), Block("paragraph", path[-1].text)
        while path and path[-1].level >= block.level:
            path.pop()
        path.append(block)
        is_empty = True
    if is_empty:
        yield heading_path(path[:-1]), Block("paragraph", path[-1].text)


def sections(blocks: Iterable[Block]) -> Iterator[tuple[str, list[Block]]]:
    """Yields each section's headings and blocks. A heading with nothing under it becomes text itself."""
    path: list[Block] = []
    pending: list[Block] = []
    for block in blocks:
        if block.kind != "heading":
            pending.append(block)
            continue
        yield from close_section(path, pending, block.level)
        pending = []
        while path and path[-1].level >= block.level:
            path.pop()
        path.append(block)
    yield from close_section(path, pending, 0)


def close_section(path: list[Block], pending: list[Block], next_level: int) -> Iterator[tuple[str, list[Block]]]:
    """Yields the blocks between the last heading of `path` and the next heading."""
    if pending:
        yield heading_path(path), pending
    elif path and path[-1].level >= next_level:
        yield heading_path(path[:-1]), [Block("paragraph", path[-1].text)]


def heading_path(path: list[Block]) -> str:
    return SEPARATOR.join(one_line(heading.text)[:HEADING_LIMIT_CHARS] for heading in path)


def pack_blocks(blocks: Iterable[Block], limit_chars: int) -> Iterator[str]:
    """Joins the blocks' text into as few pieces as their order allows."""
    text = ""
    last: Block | None = None
    for block in (piece for whole in blocks for piece in split_block(whole, limit_chars)):
        joined = separator(last, block) + to_markdown(block, opens=not is_same_table(last, block))
        if text and len(text) + len(joined) > limit_chars:
            yield text
            text, joined = "", to_markdown(block, opens=True)
        text += joined if text else joined.lstrip("\n")
        last = block
    if text:
        yield text


def is_same_table(last: Block | None, block: Block) -> bool:
    """Tells whether both blocks are rows of one table."""
    return last is not None and last.kind == block.kind == "row" and last.header == block.header


def separator(last: Block | None, block: Block) -> str:
    if last is None:
        return ""
    return "\n" if last.kind == block.kind == "item" or is_same_table(last, block) else "\n\n"


def to_markdown(block: Block, *, opens: bool) -> str:
    """Returns the block as Markdown. A row that opens its table in this passage brings the table's header."""
    if block.kind == "item":
        return f"{'  ' * min(block.level, 5)}{block.marker} {block.text}"
    if block.kind == "code":
        return fenced(block.text)
    return f"{block.header}\n{block.text}" if block.header and opens else block.text


def fenced(code: str) -> str:
    """Puts a fence around code that is longer than any in it, so that nothing in the code can close it."""
    text = LONG_FENCE.sub(lambda line: line[0][:FENCE_LIMIT_CHARS], code)
    longest = max((len(fence[1]) for fence in INNER_FENCE.finditer(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text}\n{fence}"


def split_block(block: Block, limit_chars: int) -> Iterator[Block]:
    """Splits the block into parts that fit with their markers. Rows that are too wide become records."""
    if is_wide_row(block, limit_chars):
        yield from split_record(block, limit_chars)
        return
    room = limit_chars - len(block.header) - 20 - len(block.marker)  # indents of items, and markers of code
    for part in split_text(block.text, room, by_line=block.kind == "code"):
        yield block if part is block.text else replace(block, text=part)


def split_text(text: str, room: int, *, by_line: bool = False) -> Iterator[str]:
    """Splits between sentences (or lines) if they fit, else between words, else anywhere."""
    if len(text) <= room:
        yield text
        return
    start = 0
    while len(text) - start > room:
        end = cut_position(text, start, start + room, by_line=by_line)
        if part := text[start:end].strip("\n" if by_line else None):
            yield part
        start = end
    if part := text[start:].strip("\n" if by_line else None):
        yield part


def cut_position(text: str, start: int, end: int, *, by_line: bool) -> int:
    """Returns the last good place to cut, but none in the first half: it would leave crumbs."""
    half = start + (end - start) // 2
    if by_line:
        empty_line, newline = text.rfind("\n\n", half, end), text.rfind("\n", half, end)
        return empty_line + 2 if empty_line > 0 else newline + 1 if newline > 0 else end
    sentences = [match.end() for match in SENTENCE_END.finditer(text, half, end)]
    if sentences:
        return sentences[-1]
    space = text.rfind(" ", half, end)
    return space + 1 if space > 0 else end
