"""Cuts a document's blocks into passages, and text into its words' stems. Pure; reads no format.

A passage ends where a section ends, else between blocks, else between sentences, else between words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain, groupby
from operator import itemgetter

from core.rag.documents import PASSAGE_LIMIT_CHARS, Block, Passage, one_line

HEADING_LIMIT_CHARS = 120  # one of them
HEADER_LIMIT_CHARS = 400  # a table's, repeated in each of its passages
SEPARATOR = " › "
SENTENCE_END = re.compile(r"(?<=[.!?…。])[\"'»”’)\]]*\s+|\n+")
PARAGRAPH_END = re.compile(r"\n[^\S\n]*\n(?:[^\S\n]*\n[^\S\n]*\n)*")  # an empty line, or as many as there are


def cut_blocks(blocks: Iterable[Block], limit_chars: int = PASSAGE_LIMIT_CHARS) -> tuple[Passage, ...]:
    """In reading order, each at most `limit_chars` long, each under the headings that it stands under."""
    return tuple(
        Passage(text, path)
        for path, alike in groupby(sections(blocks), key=itemgetter(0))
        for text in pack_blocks(chain.from_iterable(section for _, section in alike), limit_chars)
    )


def cut_text(text: str) -> Iterator[Passage]:
    """Of text that came as text, a block a paragraph. One by one: there may be much of it."""
    blocks = (Block("paragraph", part) for part in paragraphs(text) if part.strip())
    return map(Passage, pack_blocks(blocks, PASSAGE_LIMIT_CHARS))


def paragraphs(text: str) -> Iterator[str]:
    begun = 0
    for end in PARAGRAPH_END.finditer(text):
        yield text[begun : end.start()]
        begun = end.end()
    yield text[begun:]


def sections(blocks: Iterable[Block]) -> Iterator[tuple[str, list[Block]]]:
    """The headings that a section stands under, and its blocks. A heading with nothing under it is text itself."""
    path: list[Block] = []
    held: list[Block] = []
    for block in blocks:
        if block.kind != "heading":
            held.append(block)
            continue
        yield from close_section(path, held, block.level)
        held = []
        while path and path[-1].level >= block.level:
            path.pop()
        path.append(block)
    yield from close_section(path, held, 0)


def close_section(path: list[Block], held: list[Block], next_level: int) -> Iterator[tuple[str, list[Block]]]:
    """What stands between the last heading of `path` and the next one."""
    if held:
        yield heading_path(path), held
    elif path and path[-1].level >= next_level:
        yield heading_path(path[:-1]), [Block("paragraph", path[-1].text)]


def heading_path(path: list[Block]) -> str:
    return SEPARATOR.join(one_line(heading.text)[:HEADING_LIMIT_CHARS] for heading in path)


def pack_blocks(blocks: Iterable[Block], limit_chars: int) -> Iterator[str]:
    """The blocks' text, in as few pieces as their order allows."""
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
    """Whether both are rows of one table."""
    return last is not None and last.kind == block.kind == "row" and last.header == block.header


def separator(last: Block | None, block: Block) -> str:
    if last is None:
        return ""
    return "\n" if last.kind == block.kind and block.kind in ("item", "row") else "\n\n"


def to_markdown(block: Block, *, opens: bool) -> str:
    """As Markdown; a row that opens its table in this passage brings the table's header."""
    if block.kind == "item":
        return f"{'  ' * min(block.level, 5)}- {block.text}"
    if block.kind == "code":
        return f"```\n{block.text}\n```"
    return f"{block.header}\n{block.text}" if block.header and opens else block.text


def split_block(block: Block, limit_chars: int) -> Iterator[Block]:
    """The block, in parts that fit with their marks."""
    header = block.header if len(block.header) <= min(HEADER_LIMIT_CHARS, limit_chars // 2) else ""
    room = limit_chars - len(header) - 20  # marks of items and code
    for part in split_text(block.text, room, by_line=block.kind == "code"):
        yield Block(block.kind, part, block.level, header)


def split_text(text: str, room: int, *, by_line: bool = False) -> Iterator[str]:
    """Between sentences (or lines) if they fit, else between words, else anywhere."""
    if len(text) <= room:
        yield text
        return
    begun = 0
    while len(text) - begun > room:
        end = cut_position(text, begun, begun + room, by_line=by_line)
        if part := text[begun:end].strip("\n" if by_line else None):
            yield part
        begun = end
    if part := text[begun:].strip("\n" if by_line else None):
        yield part


def cut_position(text: str, begun: int, end: int, *, by_line: bool) -> int:
    """Where to cut at the latest, not in the first half: the rest would be crumbs."""
    half = begun + (end - begun) // 2
    if by_line:
        found = text.rfind("\n", half, end)
        return found + 1 if found > 0 else end
    sentences = [match.end() for match in SENTENCE_END.finditer(text, half, end)]
    if sentences:
        return sentences[-1]
    space = text.rfind(" ", half, end)
    return space + 1 if space > 0 else end
