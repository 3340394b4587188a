"""Finds JSON that was pasted into a message without a code block, from an editor, Word, OneNote or a terminal. Pure.

Such JSON can have other spaces (U+00A0) and curly quotes. Only JSON that is invalid otherwise is read with plain ones;
the rest of the message stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from core import strict_json
from core.contract import Json
from core.errors import BadRequest

FENCED = re.compile(r"```.*?```", re.DOTALL)
START = re.compile(r"^[ \t\xa0]*+\{", re.MULTILINE)
STRUCTURE = re.compile(r'[{}"]')
STRING_END = re.compile(r'(?<!\\)(?:\\\\)*+"|\n')
STARTS_LIMIT = 20
# Signs that editors and word processors write for a space and for quotation marks. Each has one plain sign.
SPACES = str.maketrans(dict.fromkeys("\xa0\u2007\u202f\u200b\ufeff", " "))
QUOTES = str.maketrans(dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033", '"'))


def find_pasted_objects(message: str) -> Iterator[tuple[int, int, dict[str, Json]]]:
    """Yields start, end and value of the JSON objects that begin a line outside code blocks."""
    outside = FENCED.sub(lambda block: " " * len(block[0]), message).translate(SPACES)
    straight = outside.translate(QUOTES)
    end = 0
    for start in [match.end() - 1 for match in START.finditer(outside)][:STARTS_LIMIT]:
        if start < end:
            continue
        for variant in (outside, straight):
            stop = find_object_end(variant, start)
            value = parse_pasted(message[start:stop]) if stop else None
            if value is not None:
                end = stop
                yield start, stop, value
                break


def find_object_end(text: str, start: int) -> int:
    """The index after the brace that closes the one at `start`, or 0. A string ends at its line's end at the latest."""
    depth, position = 0, start
    while (match := STRUCTURE.search(text, position)) is not None:
        position = match.end()
        if match[0] == '"':
            closing = STRING_END.search(text, position)
            position = closing.end() if closing else len(text)
            continue
        depth += 1 if match[0] == "{" else -1
        if depth == 0:
            return position
    return 0


def parse_pasted(source: str) -> dict[str, Json] | None:
    """The object that a text is, if need be with plain spaces and quotation marks."""
    spaced = source.translate(SPACES)
    for variant in dict.fromkeys((source, spaced, spaced.translate(QUOTES))):
        try:
            value = strict_json.parse(variant.strip())
        except BadRequest:
            continue
        return value if isinstance(value, dict) else None
    return None
