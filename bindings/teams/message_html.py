"""Parses the HTML of a message: code blocks, angle brackets and quotes, which the plain text has lost. Pure.

Teams sends a message twice: as text, and as HTML in an attachment. The text has no code fences, and `a <b> c` became
"a c". Where the HTML has either, it replaces the text. It is never shown as HTML.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape

LIMIT_CHARS = 1 << 17  # a message of Teams has less than 100 KB
# Tag by tag, in linear time: the standard library's parser took minutes for 128 KB of `<a `.
TOKEN = re.compile(r"<(?P<end>/?)(?P<tag>[A-Za-z][A-Za-z0-9]{0,20})(?P<rest>[^<>]{0,4000})>|<![^<>]{0,4000}>|[^<]+|<")
ATTRIBUTE = re.compile(r"""\b(itemtype|itemid)\s*=\s*["']([^"']{0,400})["']""", re.IGNORECASE)
RICH = re.compile(r"<pre\b|<codeblock\b|&lt;", re.IGNORECASE)
REPLY = "/reply"  # the end of the itemtype "http://schema.skype.com/Reply"
MENTION = "/mention"
BLOCKS = frozenset({"p", "div", "li", "ul", "ol", "blockquote", "table", "tr", "h1", "h2", "h3", "h4", "h5", "h6"})
INVISIBLE = frozenset({"script", "style", "head", "title"})
BREAKS = re.compile(r"\n{3,}")
BLANKS = re.compile(r"[ \t\xa0]+")


@dataclass(frozen=True, slots=True)
class MessageHtml:
    """The content of a message's HTML."""

    text: str = ""  # with code in fences, without quotes and the bot's mention
    is_rich: bool = False  # it has code or angle brackets, so it is better than the plain text
    quotes: tuple[tuple[str, str], ...] = ()  # author, text


def parse_html(html: str, bot_mentions: frozenset[int]) -> MessageHtml:
    """`bot_mentions`: the indexes, from 0, of the mentions of the bot. Ignores HTML above LIMIT_CHARS."""
    if len(html) > LIMIT_CHARS:
        return MessageHtml()
    reader = HtmlReader(bot_mentions)
    for token in TOKEN.finditer(html):
        reader.take(token)
    return MessageHtml(join_parts(reader.text), bool(RICH.search(html)), tuple(reader.quotes))


class HtmlReader:
    """Collects text and quotes, token by token."""

    def __init__(self, bot_mentions: frozenset[int]) -> None:
        self.text: list[str] = []
        self.quotes: list[tuple[str, str]] = []
        self._bot_mentions = bot_mentions
        self._quote: list[str] | None = None  # parts of the open quote
        self._author: list[str] | None = None
        self._depth = 0  # of blockquotes within the quote
        self._skipped: str | None = None  # the tag whose content is ignored
        self._skip_depth = 0
        self._code = False
        self._strong = False
        self._has_text = False  # the quote has text besides its author

    def take(self, token: re.Match[str]) -> None:
        tag = (token["tag"] or "").lower()
        if not tag:
            self._take_text(token[0])
        elif token["end"]:
            self._close(tag)
        else:
            self._open(tag, {name.lower(): unescape(value) for name, value in ATTRIBUTE.findall(token["rest"])})

    def _open(self, tag: str, attributes: dict[str, str]) -> None:
        if self._skipped is not None:
            self._skip_depth += tag == self._skipped
        elif tag in INVISIBLE or self._is_bot_mention(tag, attributes):
            self._skipped, self._skip_depth = tag, 1
        elif tag == "blockquote":
            self._enter_quote(attributes)
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

    def _take_text(self, text: str) -> None:
        if self._skipped is None and not text.startswith("<!"):
            data = unescape(text)
            self._write(data if self._code else BLANKS.sub(" ", data.replace("\n", " ")))

    def _is_bot_mention(self, tag: str, attributes: dict[str, str]) -> bool:
        index = attributes.get("itemid", "")
        is_mention = tag in ("span", "at") and attributes.get("itemtype", "").lower().endswith(MENTION)
        return is_mention and index.isascii() and index.isdigit() and int(index[:6]) in self._bot_mentions

    def _enter_quote(self, attributes: dict[str, str]) -> None:
        if self._quote is not None:
            self._depth += 1
        elif attributes.get("itemtype", "").lower().endswith(REPLY):
            self._quote, self._author, self._depth, self._has_text = [], [], 1, False
        else:
            self._write("\n")

    def _leave_quote(self) -> None:
        if self._quote is None:
            self._write("\n")
            return
        self._depth -= 1
        if self._depth == 0:
            self.quotes.append((join_parts(self._author or []), join_parts(self._quote)))
            self._quote = self._author = None

    def _write(self, text: str) -> None:
        if self._quote is None:
            self.text.append(text)
        elif self._strong and self._author is not None and not self._has_text:
            self._author.append(text)  # a quote begins with its author in bold
        else:
            self._quote.append(text)
            self._has_text = self._has_text or bool(text.strip())


def join_parts(parts: list[str]) -> str:
    lines = "".join(parts).split("\n")
    return BREAKS.sub("\n\n", "\n".join(line.rstrip() for line in lines)).strip()
