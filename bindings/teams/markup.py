"""What the HTML of a message holds that its text has lost: code blocks, angle brackets, and what it quotes. Pure.

Teams sends a message twice: as text, and as HTML in an attachment. The text has no code fences, and of `a <b> c` it has
"a c"; so where the HTML holds either, it is read, and else ignored. Nothing of it is ever shown as HTML.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape

LIMIT_CHARS = 1 << 17  # a message of Teams has less than 100 KB
# Tag by tag, in linear time: the standard library's parser took minutes on 128 KB of `<a `.
PIECE = re.compile(r"<(?P<end>/?)(?P<tag>[A-Za-z][A-Za-z0-9]{0,20})(?P<rest>[^<>]{0,4000})>|<![^<>]{0,4000}>|[^<]+|<")
ATTRIBUTE = re.compile(r"""\b(itemtype|itemid)\s*=\s*["']([^"']{0,400})["']""", re.IGNORECASE)
RICH = re.compile(r"<pre\b|<codeblock\b|&lt;", re.IGNORECASE)
REPLY = "/reply"  # of the itemtype "http://schema.skype.com/Reply"
MENTION = "/mention"
BLOCKS = frozenset({"p", "div", "li", "ul", "ol", "blockquote", "table", "tr", "h1", "h2", "h3", "h4", "h5", "h6"})
UNSEEN = frozenset({"script", "style", "head", "title"})
BREAKS = re.compile(r"\n{3,}")
BLANKS = re.compile(r"[ \t\xa0]+")


@dataclass(frozen=True, slots=True)
class Quote:
    author: str
    text: str
    message: str  # its id


@dataclass(frozen=True, slots=True)
class Read:
    """`text`: with code in fences, without the bot's mention and what is quoted. `rich`: better than the text."""

    text: str = ""
    rich: bool = False
    quotes: tuple[Quote, ...] = ()


def read(html: str, own_mentions: frozenset[int]) -> Read:
    """`own_mentions`: which of the message's mentions, counted from 0, are of the bot."""
    if len(html) > LIMIT_CHARS:
        return Read()
    reader = Reader(own_mentions)
    for piece in PIECE.finditer(html):
        reader.take(piece)
    return Read(tidy(reader.said), bool(RICH.search(html)), tuple(reader.quotes))


class Reader:
    def __init__(self, own_mentions: frozenset[int]) -> None:
        self.said: list[str] = []
        self.quotes: list[Quote] = []
        self._own_mentions = own_mentions
        self._quote: list[str] | None = None  # what is being quoted
        self._author: list[str] | None = None
        self._message = ""
        self._depth = 0  # of tags within the quote
        self._skipped: str | None = None  # the tag whose content is passed over
        self._skip_depth = 0
        self._code = False
        self._strong = False
        self._begun = False  # the quote has words, not only its author

    def take(self, piece: re.Match[str]) -> None:
        tag = (piece["tag"] or "").lower()
        if not tag:
            self._text(piece[0])
        elif piece["end"]:
            self._close(tag)
        else:
            self._open(tag, {name.lower(): unescape(value) for name, value in ATTRIBUTE.findall(piece["rest"])})

    def _open(self, tag: str, told: dict[str, str]) -> None:
        if self._skipped is not None:
            self._skip_depth += tag == self._skipped
        elif tag in UNSEEN or self._is_own_mention(tag, told):
            self._skipped, self._skip_depth = tag, 1
        elif tag == "blockquote":
            self._enter_quote(told)
        elif tag in ("pre", "codeblock"):
            self._code = True
            self._write("\n```\n")
        elif tag == "br":
            self._write("\n")
        elif tag in ("strong", "b") and self._quote is not None:
            self._strong = True
        elif tag in BLOCKS and not self._code:
            self._write("\n- " if tag == "li" else "\n")

    def _close(self, tag: str) -> None:
        if self._skipped is not None:
            self._skip_depth -= tag == self._skipped
            if self._skip_depth <= 0:
                self._skipped = None
        elif tag == "blockquote":
            self._leave_quote()
        elif tag in ("pre", "codeblock") and self._code:
            self._code = False
            self._write("\n```\n")
        elif tag in ("strong", "b"):
            self._strong = False
        elif tag in BLOCKS and not self._code:
            self._write("\n")

    def _text(self, piece: str) -> None:
        if self._skipped is None and not piece.startswith("<!"):
            data = unescape(piece)
            self._write(data if self._code else BLANKS.sub(" ", data.replace("\n", " ")))

    def _is_own_mention(self, tag: str, told: dict[str, str]) -> bool:
        number = told.get("itemid", "")
        is_mention = tag in ("span", "at") and told.get("itemtype", "").lower().endswith(MENTION)
        return is_mention and number.isascii() and number.isdigit() and int(number[:6]) in self._own_mentions

    def _enter_quote(self, told: dict[str, str]) -> None:
        if self._quote is not None:
            self._depth += 1
        elif told.get("itemtype", "").lower().endswith(REPLY):
            self._quote, self._author, self._depth, self._begun = [], [], 1, False
            self._message = told.get("itemid", "")
        else:
            self._write("\n")

    def _leave_quote(self) -> None:
        if self._quote is None:
            self._write("\n")
            return
        self._depth -= 1
        if self._depth == 0:
            self.quotes.append(Quote(tidy(self._author or []), tidy(self._quote), self._message))
            self._quote = self._author = None

    def _write(self, text: str) -> None:
        if self._quote is None:
            self.said.append(text)
        elif self._strong and self._author is not None and not self._begun:
            self._author.append(text)  # the name stands first, in bold
        else:
            self._quote.append(text)
            self._begun = self._begun or bool(text.strip())


def tidy(pieces: list[str]) -> str:
    lines = "".join(pieces).split("\n")
    return BREAKS.sub("\n\n", "\n".join(line.rstrip() for line in lines)).strip()
