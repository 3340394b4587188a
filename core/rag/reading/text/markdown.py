"""Parses Markdown into blocks, and plain text, which is Markdown without markers. Pure.

Recognises headings, items, tables and fenced code, because they decide where text may be cut. Other text stays.
"""

from __future__ import annotations

import re

from core.rag.documents import Block, BlockKind, collapse_blanks, visible_text

HEADING = re.compile(r" {0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
UNDERLINE = re.compile(r" {0,3}(=+|-+)\s*$")
ITEM = re.compile(r"(\s*)(?:[-*+•]|(\d{1,3}[.)]))\s+(?=\S)")
FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
ROW = re.compile(r"\s*\|.*\|\s*$")
RULE = re.compile(r"[\s|:-]+$")
IMAGE = re.compile(r"!\[([^\[\]\n]{0,300})\]\([^()\n]{0,2000}\)")
FRONT_MATTER = re.compile(r"---\n.*?\n(?:---|\.\.\.)\n", re.DOTALL)


def parse_markdown(text: str) -> list[Block]:
    """Returns blocks in reading order. An image becomes its alternative text."""
    source = visible_text(text)
    if front := FRONT_MATTER.match(source):
        source = source[front.end() :]
    parser = MarkdownParser()
    for each in IMAGE.sub(r"\1", source).split("\n"):
        parser.line(each)
    parser.end()
    return parser.blocks


def parse_paragraphs(text: str) -> list[Block]:
    """Splits the text into paragraphs at empty lines."""
    return [
        Block("paragraph", each) for part in re.split(r"\n\s*\n", visible_text(text)) if (each := collapse_blanks(part))
    ]


class MarkdownParser:
    """Collects the lines of each block, until it ends."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._pending: list[str] = []
        self._item: int | None = None  # the nesting depth of the current item
        self._marker = "-"  # the number of the current item
        self._fence = ""  # the marker that closes the current code
        self._header = ""

    def line(self, line: str) -> None:
        if self._fence or FENCE.match(line):
            self._code(line)
        elif heading := HEADING.match(line):
            self.end()
            self._add("heading", heading[2], len(heading[1]))
        elif self._pending and self._item is None and (mark := UNDERLINE.match(line)):
            self._add("heading", " ".join(self._take_lines()), 1 if mark[1][0] == "=" else 2)
        elif ROW.match(line):
            self._row(line)
        else:
            self._text(line)

    def _code(self, line: str) -> None:
        opening = FENCE.match(line)
        if not self._fence:
            assert opening
            self.end()
            self._fence = opening[1]
        elif opening and opening[1].startswith(self._fence):
            self._fence = ""
            self._add("code", "\n".join(self._take_lines()))
        else:
            self._pending.append(line)

    def _row(self, line: str) -> None:
        if self._pending:
            self.end()
        rows_before = bool(self.blocks) and self.blocks[-1].kind == "row"
        if RULE.match(line) and rows_before and not self._header:
            # The row above was the header.
            self._header = f"{self.blocks.pop().text}\n{line.strip()}"
        else:
            self.blocks.append(Block("row", line.strip(), header=self._header))

    def _text(self, line: str) -> None:
        self._header = ""
        item = ITEM.match(line)
        if not line.strip() or item:
            self.end()
        if item:
            self._item = min(len(item[1].replace("\t", "    ")) // 2, 5)
            self._marker = item[2] or "-"
            line = line[item.end() :]
        if line.strip():
            self._pending.append(line)

    def end(self) -> None:
        """Ends the current block. Unclosed code ends with the text."""
        kind: BlockKind = "code" if self._fence else "paragraph" if self._item is None else "item"
        level, marker = self._item or 0, self._marker
        text = "\n".join(self._take_lines())
        self._add(kind, text if kind == "code" else collapse_blanks(text), level, marker)

    def _take_lines(self) -> list[str]:
        pending, self._pending, self._item, self._marker = self._pending, [], None, "-"
        return pending

    def _add(self, kind: BlockKind, text: str, level: int = 0, marker: str = "-") -> None:
        if text.strip():
            self._header = ""
            self.blocks.append(Block(kind, text, level, marker))
