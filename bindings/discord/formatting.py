"""A model's Markdown → Discord's, sanitized: nothing in it pings, unfurls, hides or imitates the bot. Pure.

Links and mentions work outside of code, so our parser and Discord's must agree on what is code. Therefore none of the
model's backticks is passed on. Code is written anew in an unambiguous form, and an unmatched backtick is replaced by a
similar letter.

Discord's syntax: https://support.discord.com/hc/en-us/articles/210298617, and for mentions, emoji and timestamps
https://discord.com/developers/docs/reference#message-formatting.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bindings.delivery.blocks import Fence, find_fences, list_markers
from core.rag.documents import INVISIBLE

GAP = "\u200b"  # zero width: breaks a pattern for Discord, invisibly for people
BACKTICK_LOOKALIKE = "ˋ"  # U+02CB
CELL_LIMIT_CHARS = 60

# All patterns take linear time: a `+` after a quantifier never gives back what it took, and the rest is bounded.
LINE_ENDS = re.compile("\r\n?|\u2028|\u2029")
CODE_LANGUAGE = re.compile(r"[A-Za-z0-9_+.#-]{1,24}")
BROADCAST = re.compile(r"@(?=everyone|here)")
TOKEN_START = re.compile(  # of people, roles, channels, commands, emoji, times and navigation
    r"<(?=@[!&]?\d|#\d|/[^<>\n]{1,100}:\d|a?:\w{1,64}:\d|t:-?\d|id:[a-z]|sound:\d)"
)
# Invitations and gifts unfurl even where embeds are suppressed.
INVITATION = re.compile(r"(?i)(discord(?:app)?)(\.(?:gg|gift|new|me)\b|\.com/(?:invite|gifts|template))")
LINK = re.compile(
    r"!?\[(?P<label>[^\[\]\n]*+)\]\(\s*+<?(?P<url>[^\s<>()]++(?:\([^\s<>()]*+\)[^\s<>()]*+)*+)>?[^()\n]*+\)"
)
SMALL_PRINT = re.compile(r"-#(?=\s|$)")  # the form of the bot's own footer
SPOILER = re.compile(r"\|(?=\|)")
WEB_URL = re.compile(r"https?://[^\s<>]+", re.IGNORECASE)
UNDERLINE = re.compile(  # means bold in all other Markdown; URLs are matched first, so that they stay unchanged
    rf"(?i:{WEB_URL.pattern})|(?<![\w_])__(?=[^\s_])(?P<bold>.{{1,200}}?)(?<=[^\s_])__(?![\w_])"
)
MULTI_QUOTE = re.compile(r"^(\s*)(?:>\s?){2,}")  # ">>> " would quote everything after it, our footer too
DEEP_HEADING = re.compile(r"\s*+#{4,6}+\s++(.+)")
CODE_SPAN = re.compile(r"\\(?P<escaped>.)|(?P<run>`+)(?!`)(?P<code>.+?)(?<!`)(?P=run)(?!`)|`+")
CELL_MARKS = re.compile(r"\*\*|`")  # would show in a table, which becomes code
MARKDOWN_MARKS = re.compile(r"([\\`*_~|\[\]<>#])")
TABLE_RULE = re.compile(r"\s*+(?:\|\s*+)?:?-++:?\s*+(?:\|\s*+:?-++:?\s*+)++\|?\s*+$|\s*+\|\s*+:?-++:?\s*+\|\s*+$")
CELL_SEPARATOR = re.compile(r"(?<!\\)\|")


def to_discord(text: str) -> str:
    """Converts a whole page. Closes constructs that are open at its end."""
    return "\n".join(convert_blocks(remove_invisible(text))).strip("\n")


def escape_markdown(text: str) -> str:
    """Returns names, titles and our own texts on one line and without formatting."""
    return break_links(MARKDOWN_MARKS.sub(r"\\\1", sanitize(" ".join(remove_invisible(text).split()))))


def utf16_length(text: str) -> int:
    """The length in UTF-16 units: never less than Discord counts, in whatever unit it counts."""
    return len(text.encode("utf-16-le")) // 2


def remove_invisible(text: str) -> str:
    """Removes invisible characters and those that change the reading direction."""
    encodable = text.encode("utf-8", "ignore").decode("utf-8")  # without lone surrogates
    return INVISIBLE.sub("", LINE_ENDS.sub("\n", encodable))


def convert_blocks(text: str) -> Iterator[str]:
    """Yields lines. Recognises code as `bindings.delivery` does, which cut the page by it."""
    position = 0
    for fence in find_fences(text):
        if fence.start > position:
            yield from convert_lines(text[position : fence.start].removesuffix("\n").split("\n"))
        if bullet := list_markers(fence.prefix).rstrip():
            yield bullet  # Discord has no code blocks in lists or quotes
        yield from build_code_block(code_lines(text, fence), fence.info)
        position = fence.end + (text[fence.end - 1 : fence.end] != "\n")
    if position < len(text):
        yield from convert_lines(text[position:].split("\n"))


def convert_lines(lines: list[str]) -> Iterator[str]:
    """Converts lines outside of code blocks. A table becomes a code block with aligned columns."""
    position = 0
    while position < len(lines):
        if rows := count_table_lines(lines, position):
            table = [CELL_MARKS.sub("", line) for line in lines[position : position + rows]]
            yield from build_code_block(align_table(table), "")
            position += rows
        else:
            yield convert_line(lines[position])
            position += 1


def code_lines(text: str, fence: Fence) -> list[str]:
    """The lines of a code block, without its margin."""
    lines = text[fence.start : fence.end].split("\n")
    body = lines[1:] if fence.is_open else lines[1:-1]  # without the closing fence, or the line after its quote
    margin = re.compile(rf"[ \t{'>' if '>' in fence.margin else ''}]{{0,{len(fence.margin)}}}")
    return [margin.sub("", line, count=1) for line in body]


def build_code_block(lines: list[str], info: str) -> Iterator[str]:
    """Yields a code block that its content cannot close."""
    first_word = next(iter(info.split()), "")
    body = sanitize("\n".join(lines).rstrip("\n")).replace("``", f"`{GAP}`")
    yield f"```{first_word if CODE_LANGUAGE.fullmatch(first_word) else ''}"
    yield body if body.strip() else GAP  # Discord shows an empty block as text
    yield "```"


def convert_line(line: str) -> str:
    line = MULTI_QUOTE.sub(r"\1> ", line)
    if heading := DEEP_HEADING.match(line):
        line = f"**{remove_closing_marks(heading[1])}**"  # Discord has three levels of headings
    parts: list[str] = []
    position = 0
    for span in CODE_SPAN.finditer(line):
        parts += [convert_text(line[position : span.start()]), convert_code_span(span)]
        position = span.end()
    return sanitize("".join([*parts, convert_text(line[position:])]))


def remove_closing_marks(heading: str) -> str:
    """Removes the end of "#### Title ####"."""
    return heading.rstrip("#").rstrip() or "#"


def convert_code_span(span: re.Match[str]) -> str:
    """Converts a code span, an escaped character or an unmatched run of backticks."""
    if span["escaped"] is not None:
        return {"`": BACKTICK_LOOKALIKE, "]": rf"\]{GAP}"}.get(span["escaped"], span[0])
    if span["code"] is None:
        return BACKTICK_LOOKALIKE * len(span[0])
    return f"`{span['code'].replace('`', BACKTICK_LOOKALIKE)}`"


def convert_text(text: str) -> str:
    """Converts the text between code spans."""
    text = UNDERLINE.sub(underline_to_bold, LINK.sub(show_address, text))
    return break_links(SPOILER.sub(f"|{GAP}", SMALL_PRINT.sub(f"-{GAP}#", text)))


def break_links(text: str) -> str:
    """Breaks every masked link, however it was put together. Escapes do not work in a link's label."""
    return text.replace("](", f"]{GAP}(")


def underline_to_bold(match: re.Match[str]) -> str:
    return match[0] if match["bold"] is None else f"**{match['bold']}**"


def show_address(link: re.Match[str]) -> str:
    """A link or picture as its label and its address."""
    label, url = link["label"].strip(), link["url"]
    if not WEB_URL.fullmatch(url):
        return link[0]  # not a link in Discord; it may be code such as a[0](b)
    if label in ("", url, url.partition("://")[2].rstrip("/")):
        return f"<{url}>"
    return f"{label} (<{url}>)"


def sanitize(text: str) -> str:
    """Breaks what Discord's server acts on anywhere in a message, code included."""
    text = TOKEN_START.sub(f"<{GAP}", BROADCAST.sub(f"@{GAP}", text))
    return INVITATION.sub(rf"\1{GAP}\2", text)


def count_table_lines(lines: list[str], start: int) -> int:
    """The number of lines of the table that begins at `start` (a head, a rule, rows); 0: no table."""
    if "|" not in lines[start] or start + 1 >= len(lines) or not TABLE_RULE.match(lines[start + 1]):
        return 0
    end = start + 2
    while end < len(lines) and "|" in lines[end] and lines[end].strip():
        end += 1
    return end - start


def align_table(lines: list[str]) -> list[str]:
    """Pads each column to its widest cell, at most CELL_LIMIT_CHARS."""
    rows = [split_cells(line) for index, line in enumerate(lines) if index != 1]
    columns = len(rows[0])
    rows = [[*row, *[""] * columns][:columns] for row in rows]
    widths = [min(CELL_LIMIT_CHARS, max(map(len, column))) for column in zip(*rows, strict=True)]
    padded = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]
    head, *body = ["  ".join(row).rstrip() for row in padded]
    return [head, "  ".join("-" * width for width in widths), *body]


def split_cells(line: str) -> list[str]:
    inner = line.strip().removeprefix("|")
    inner = inner[:-1] if inner.endswith("|") and not inner.endswith("\\|") else inner
    return [cell.strip().replace("\\|", "|") for cell in CELL_SEPARATOR.split(inner)]
