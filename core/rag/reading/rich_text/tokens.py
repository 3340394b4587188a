"""Splits Rich Text Format into groups, control words and characters. Pure. (RTF 1.9.1, "RTF syntax")"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

TokenKind = Literal["open", "close", "word", "sign", "byte", "text"]
TOKEN = re.compile(
    r"\\([a-zA-Z]{1,32})(-?[0-9]{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])|([{}])|[\r\n\0]+|([^\\{}\r\n\0]+)"
)
BINARY = re.compile(r"\\bin([0-9]{1,9}) ?")
USUAL_ENCODING = "cp1252"
SYMBOL_CHARSET = 2
ENCODINGS = {
    77: "mac_roman", 128: "cp932", 129: "cp949", 130: "johab", 134: "gbk", 136: "cp950", 161: "cp1253", 162: "cp1254",
    163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250",
    254: "cp437", 255: "cp850",
}  # fmt: skip
PAGES = {10000: "mac_roman", 65001: "utf-8", 1361: "johab", 936: "gbk"}


@dataclass(frozen=True, slots=True)
class Token:
    """A control word's name, a sign, characters, or a byte as one character."""

    kind: TokenKind
    text: str = ""
    number: int | None = None  # of a control word


def split_tokens(source: str) -> Iterator[Token]:
    """`source`: the bytes as characters of Latin-1."""
    for match in TOKEN.finditer(without_binary(source)):
        word, number, byte, sign, brace, text = match.groups()
        if word:
            yield Token("word", word, int(number) if number else None)
        elif byte:
            yield Token("byte", chr(int(byte, 16)))
        elif sign:
            yield Token("sign", sign)
        elif brace:
            yield Token("open" if brace == "{" else "close")
        elif text:
            yield Token("text", text)


class SurrogateJoiner:
    """Joins the two numbers of 16 bits that stand for one character."""

    def __init__(self) -> None:
        self._high = ""

    def join(self, number: int) -> str:
        """Returns the character; "" for a first half."""
        half = chr(number & 0xFFFF)
        if "\ud800" <= half <= "\udbff":
            self._high = half
            return ""
        pair, self._high = self._high + half, ""
        return pair.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def without_binary(source: str) -> str:
    """Removes binary data, whose bytes would be taken for RTF."""
    kept, start = [], 0
    while found := BINARY.search(source, start):
        kept.append(source[start : found.start()])
        start = found.end() + int(found[1])
    return "".join(kept) + source[start:] if kept else source


def encoding_of_page(number: int) -> str:
    """Returns the encoding of a Windows code page; the usual one for a page that Python does not know."""
    name = PAGES.get(number, f"cp{number}")
    try:
        return codecs.lookup(name).name
    except LookupError:
        return USUAL_ENCODING
