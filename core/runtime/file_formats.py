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
