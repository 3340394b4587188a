"""Recognizes how a text file is written: its encoding by byte order mark, the delimiter of CSV. Pure."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterable

BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark begins alike
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
MARK_LIMIT_BYTES = 4
DELIMITERS = ";\t|,"  # of equally steady ones the first; a comma may be a decimal one
# A cell that a quote opens; it lasts to its closing quote, or beyond the end of the line. Other quotes are text.
QUOTED_CELL = re.compile(r'(^|[,;\t|]) *"(?:[^"]|"")*(?:"|\Z)')
# The first line that Excel writes and reads: "sep=;".
NAMED_DELIMITER = re.compile(r'"?sep=([,;\t|:])"?[ \t,;]*\r?(?:\n|\Z)', re.IGNORECASE)
SNIFFED_LINES = 20
TABLE_LINES = 3  # fewer may be alike by chance
SNIFFED_CHARS = 20_000


def split_byte_order_mark(data: bytes) -> tuple[str | None, bytes]:
    """Returns the encoding that the mark names, and the data after it; None and `data` if there is no mark."""
    for mark, encoding in BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return encoding, data[len(mark) :]
    return None, data


def split_named_delimiter(source: str) -> tuple[str | None, str]:
    """Returns the delimiter that the first line of a CSV file names, and the text below; None without such a line."""
    named = NAMED_DELIMITER.match(source)
    return (named[1], source[named.end() :]) if named else (None, source)


def guess_delimiter(lines: Iterable[str]) -> str:
    """Returns the delimiter that stands equally often in most lines, outside of quoted cells.

    Titles above a table have none, and decimal commas stand in fewer lines. (csv.Sniffer takes minutes for some texts.)
    """
    bare = [QUOTED_CELL.sub(r"\1", line) for line in lines if line.strip()]
    return max(DELIMITERS, key=lambda delimiter: steadiness([line.count(delimiter) for line in bare]))


def steadiness(counts: Iterable[int]) -> tuple[int, int]:
    """Returns the number of lines that share the most frequent count above 0, and this count."""
    frequency = Counter(count for count in counts if count)
    count = max(frequency, key=lambda each: (frequency[each], each), default=0)
    return frequency[count], count


def looks_like_table(start: str) -> bool:
    """Tells whether all lines at a text's start have the same number of tabs, semicolons or commas, as tables have.

    A comma before a blank is one of prose.
    """
    lines = [line for line in start[:SNIFFED_CHARS].split("\n")[:-1] if line.strip()][:SNIFFED_LINES]
    if len(lines) < TABLE_LINES or any(line[0] in " \t" for line in lines):
        return False
    return any(
        len(counts := {line.count(delimiter) for line in lines}) == 1 and min(counts) >= least
        for delimiter, least in (("\t", 1), (";", 2), (",", 2))
        if not any(f"{delimiter} " in line for line in lines)
    )
