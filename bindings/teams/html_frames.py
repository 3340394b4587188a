"""Elements of a message's HTML that become one piece of Markdown: lists, tables, code, links, quotes. Pure.

A frame collects the text of an open element; closing it gives the text for the frame around it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote

from bindings.teams.html_tables import TableCell, parse_span, render_table

COLLAPSIBLE = re.compile(r"[ \t\r\n\f]+")
BACKTICKS = re.compile(r"`+")
LANGUAGE = re.compile(r"(?:language-)?([A-Za-z][A-Za-z0-9+#-]{0,20})")
PLAIN_LANGUAGES = frozenset({"plaintext", "plain", "text", "none", "auto", "hljs"})
LINK = re.compile(r"(?:https?://|mailto:|tel:)\S", re.IGNORECASE)
ESCAPES = str.maketrans({" ": "%20", "(": "%28", ")": "%29", "<": "%3C", ">": "%3E", "\n": "", "\r": "", "\t": ""})
INVISIBLE = str.maketrans("", "", "\u200b\u2060\ufeff")  # zero-width signs, which editors leave in pasted code
NUMBER_DIGITS = 6
BLOCKS = frozenset(
    {"address", "article", "blockquote", "caption", "center", "dd", "details", "div", "dl", "dt", "figcaption"}
    | {"figure", "footer", "header", "main", "p", "section", "summary", "tr"}
)
LISTS = frozenset({"ol", "ul"})
HEADINGS = {f"h{level}": "#" * level for level in range(1, 7)}
STRUCK = frozenset({"s", "strike", "del"})
CELLS = frozenset({"td", "th"})
SUPERSCRIPTS, SUBSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"), str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
CODE_BLOCKS = frozenset({"pre", "codeblock"})


@dataclass(slots=True)
class Frame:
    """An open element. `rows` belongs to a table, `number` to a numbered list."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)
    rows: list[list[TableCell]] = field(default_factory=list)
    number: int = 1
    author: str = ""  # of a quoted message
    sender: str = ""
    begins_line: bool = True  # the text before it ends a line
    ends_blank: bool = False  # with a blank that collapses with the next one

    @property
    def text(self) -> str:
        return "".join(self.parts)

    @property
    def at_line_start(self) -> bool:
        return self.parts[-1].endswith("\n") if self.parts else self.begins_line

    def write(self, text: str) -> None:
        if text:
            self.parts.append(text)
            self.ends_blank = text.endswith(" ")

    def write_words(self, text: str) -> None:
        """Writes text as browsers show it: blanks collapse, except U+00A0, which becomes a plain space."""
        words = COLLAPSIBLE.sub(" ", text)
        if self.at_line_start or self.ends_blank:
            words = words.lstrip(" ")
        self.write(words.replace("\xa0", " "))
        self.ends_blank = words.endswith(" ") if words else self.ends_blank

    def end_line(self) -> None:
        if not self.at_line_start:
            self.write("\n")

    def write_block(self, text: str, gap: str = "\n") -> None:
        """Writes lines of their own. `gap`: "\\n\\n" leaves a blank line before and after."""
        if text.strip():
            self.end_line()
            blank = gap[1:] if self.parts else ""
            self.write(f"{blank}{text}{gap}")


def begin_frame(tag: str, attributes: dict[str, str], *, begins_line: bool) -> Frame:
    start = attributes.get("start", "")
    is_number = start.isascii() and start.isdigit() and len(start) <= NUMBER_DIGITS
    is_inline = tag in ("a", "code", "mention", "author", "sup", "sub") or tag in STRUCK
    return Frame(tag, attributes, number=int(start) if is_number else 1, begins_line=begins_line if is_inline else True)


def close_link(frame: Frame, parent: Frame) -> None:
    label, url = " ".join(frame.text.split()), frame.attributes.get("href", "").strip().translate(ESCAPES)
    if not LINK.match(url):
        return parent.write(frame.text)
    shown = {url.casefold(), url.casefold().removeprefix("mailto:").removeprefix("tel:")}
    shown |= {each.removeprefix("https://").removeprefix("http://") for each in shown}
    if not label or unquote(label).casefold().rstrip("/") in {unquote(each).rstrip("/") for each in shown}:
        return parent.write(label if label.casefold().startswith("http") else url.removeprefix("mailto:"))
    return parent.write(f"[{label.replace(']', chr(92) + ']')}]({url})")


def close_code(frame: Frame, parent: Frame) -> None:
    """Code on several lines becomes a block."""
    code = clean_code(frame.text)
    if "\n" in code.strip("\n"):
        return close_code_block(frame, parent)
    marks = "`" * (longest_run(code) + 1)
    gap = " " if code.startswith("`") or code.endswith("`") else ""
    return parent.write(f"{marks}{gap}{code.strip()}{gap}{marks}" if code.strip() else code)


def close_code_block(frame: Frame, parent: Frame) -> None:
    code = clean_code(frame.text).strip("\n")
    fence = "`" * max(3, longest_run(code) + 1)
    parent.write_block(f"{fence}{parse_language(frame.attributes)}\n{code}\n{fence}" if code.strip() else "", "\n\n")


def clean_code(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ").translate(INVISIBLE)


def longest_run(code: str) -> int:
    return max((len(run) for run in BACKTICKS.findall(code)), default=0)


def parse_language(attributes: dict[str, str]) -> str:
    """The language of a code block from its class: "language-json" or, in older clients, "Json"."""
    match = LANGUAGE.fullmatch((attributes.get("class", "").split() or [""])[0])
    language = match[1].lower() if match else ""
    return "" if language in PLAIN_LANGUAGES else language


def close_item(frame: Frame, parent: Frame) -> None:
    value = frame.attributes.get("value", "")
    if parent.tag == "ol" and value.isascii() and value.isdigit() and len(value) <= NUMBER_DIGITS:
        parent.number = int(value)
    marker = f"{parent.number}. " if parent.tag == "ol" else "- "
    parent.number += 1
    body = frame.text.strip()
    parent.write_block(marker + body.replace("\n", "\n" + " " * len(marker)) if body else "")


def close_list(frame: Frame, parent: Frame) -> None:
    """A list directly in a list, which Teams writes for a deeper level, belongs to the item before it."""
    indent = "   " if parent.tag in LISTS else ""
    parent.write_block("\n".join(indent + line for line in frame.text.strip("\n").split("\n")) if frame.parts else "")


def close_cell(frame: Frame, parent: Frame) -> None:
    if parent.tag != "table":
        return parent.write_block(frame.text)
    if not parent.rows:
        parent.rows.append([])
    columns, rows = (parse_span(frame.attributes.get(name, "")) for name in ("colspan", "rowspan"))
    return parent.rows[-1].append(TableCell(frame.text.strip(), columns, rows))


def close_table(frame: Frame, parent: Frame) -> None:
    """A table in a table's cell becomes a list of its texts."""
    parent.write_block(frame.text.strip())
    if parent.tag in CELLS:
        parent.write_block(", ".join(cell.text for row in frame.rows for cell in row if cell.text))
    else:
        parent.write_block(render_table(frame.rows), "\n\n")


def close_raised(frame: Frame, parent: Frame) -> None:
    """Raised or lowered digits have signs of their own: "x2" is not "x²"."""
    words = frame.text
    digits = SUPERSCRIPTS if frame.tag == "sup" else SUBSCRIPTS
    parent.write(words.translate(digits) if words.strip().isascii() and words.strip().isdigit() else words)


def close_heading(frame: Frame, parent: Frame) -> None:
    title = " ".join(frame.text.split())
    parent.write_block(f"{HEADINGS[frame.tag]} {title}" if title else "")


def close_struck(frame: Frame, parent: Frame) -> None:
    """Words that were struck out mean the opposite of what they say."""
    words = frame.text.strip()
    parent.write(f"~~{words}~~" if words else frame.text)


def close_blockquote(frame: Frame, parent: Frame) -> None:
    lines = frame.text.strip().split("\n")
    parent.write_block("\n".join(f"> {line}".rstrip() for line in lines) if frame.text.strip() else "", "\n\n")


CLOSING: dict[str, Callable[[Frame, Frame], None]] = {
    "a": close_link,
    "code": close_code,
    "li": close_item,
    "sup": close_raised,
    "sub": close_raised,
    **dict.fromkeys(CELLS, close_cell),
    "table": close_table,
    "blockquote": close_blockquote,
    **dict.fromkeys(CODE_BLOCKS, close_code_block),
    **dict.fromkeys(LISTS, close_list),
    **dict.fromkeys(HEADINGS, close_heading),
    **dict.fromkeys(STRUCK, close_struck),
}
