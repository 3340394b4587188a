"""Splits the HTML of a message into tags and text, in linear time. Pure.

The standard library's parser took minutes for 128 KB of `<a `. Here a tag ends at the first `>` outside quotes, as in
the HTML standard; a tag or comment without an end is text or a comment to the end of the message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

TAG_NAME = re.compile(r"/?[A-Za-z][A-Za-z0-9:_-]*+")
DELIMITER = re.compile(r"""[>"']""")
# The lookbehind tries each name once, so that a long word takes linear time.
ATTRIBUTE = re.compile(r"""(?<![\w:.-])([A-Za-z_][\w:.-]*+)\s*+=\s*+(?:"([^"]*)"|'([^']*)'|([^\s"'>]++))""")


@dataclass(frozen=True, slots=True)
class HtmlToken:
    """A text, or a tag in lower case with its attributes still unparsed."""

    text: str = ""
    tag: str = ""
    is_end: bool = False
    rest: str = ""

    def attributes(self) -> dict[str, str]:
        """The attributes by name in lower case. The first of several with one name counts, as in browsers."""
        found: dict[str, str] = {}
        for match in ATTRIBUTE.finditer(self.rest):
            found.setdefault(match[1].lower(), decode_entities(match[2] or match[3] or match[4] or ""))
        return found


def split_tokens(html: str) -> Iterator[HtmlToken]:
    position = 0
    while (start := html.find("<", position)) >= 0:
        if start > position:
            yield HtmlToken(text=html[position:start])
        if html.startswith(("<!", "<?"), start):
            position = find_comment_end(html, start)
            continue
        name = TAG_NAME.match(html, start + 1)
        end = find_tag_end(html, name.end()) if name else -1
        if name is None:
            yield HtmlToken(text="<")
            position = start + 1
        elif end < 0:
            position = start
            break
        else:
            tag = name[0].lower()
            yield HtmlToken(tag=tag.removeprefix("/"), is_end=tag.startswith("/"), rest=html[name.end() : end])
            position = end + 1
    if position < len(html):
        yield HtmlToken(text=html[position:])


def find_tag_end(html: str, position: int) -> int:
    """The index of the `>` that ends a tag, or -1."""
    while (match := DELIMITER.search(html, position)) is not None:
        if match[0] == ">":
            return match.start()
        closing = html.find(match[0], match.end())
        if closing < 0:
            return html.find(">", match.end())
        position = closing + 1
    return -1


def find_comment_end(html: str, start: int) -> int:
    """The index after a comment or declaration. One without an end reaches to the end of the message."""
    mark = "-->" if html.startswith("<!--", start) else ">"
    end = html.find(mark, start + 2)
    return len(html) if end < 0 else end + len(mark)


def decode_entities(text: str) -> str:
    """Python refuses to convert a reference of thousands of digits; such a text stays as it is."""
    try:
        return unescape(text)
    except ValueError:
        return text
