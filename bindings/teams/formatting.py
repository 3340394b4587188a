"""The model's Markdown → Markdown for Teams that pings nobody, hides no link and loads nothing. Pure.

Teams renders HTML within Markdown, masks a link's target and loads images. Therefore `<` is escaped outside of code,
links are written out and images are dropped. Code is rewritten in the one form that all renderers parse alike: fences
of three backticks at the margin, and spans on one line. The model cannot write the sign of our own lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from bindings.delivery.blocks import FENCE, PREFIX, is_closing, is_opening, list_markers
from bindings.delivery.outlet import Closing, Page
from core.contract import Source
from core.rag.documents import INVISIBLE

SIGN = "ℹ"
SPACE = "\u200b"  # zero-width
GRAVE = "ˋ"  # looks like a backtick
# All patterns take linear time: a `+` after a quantifier makes it possessive, other quantifiers are bounded.
MAY_OPEN_FENCE = re.compile(rf"({PREFIX})(?:[`~]{{1,2}}\Z|```|~~~)")
LANGUAGE = re.compile(r"[A-Za-z0-9+#._-]{0,30}")
RUN = re.compile(r"`{3,}|~{3,}")
ESCAPES = re.compile(r"(?<!\\)\\++(?=[`<&\[\]])")
CODE_RUN = re.compile(r"(?m)^([ \t]*[`~])(?=[`~]{2})")
AT_TAG = re.compile(r"<(?=/?at)", re.IGNORECASE)
SPAN = re.compile(r"(?<!`)(`{1,2})(?!`)(.{0,2000}?)(?<!`)\1(?!`)")
ENTITY = re.compile(r"&(?=#?[A-Za-z0-9]{1,40};)")
IMAGE = re.compile(r"!\[([^\[\]]{0,500})\]\([^()]{0,2000}\)")
LINK = re.compile(r"\[([^\[\]]{0,500})\]\([ \t]*+<?([^()\s<>]{0,2000}+)>?(?:[ \t]++[^()]{0,300})?\)")
HEADING = re.compile(r"[ ]{0,3}#{1,6}[ \t]+(.*)")
RULE = re.compile(r"[ ]{0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})")
LINE_ENDS = re.compile("\r\n|[\r\u2028\u2029]")
MARKUP = re.compile(r"[\[\]()!*\\]")  # in a URL
TITLE_LIMIT_CHARS = 200
MAY_BE_BLOCK = re.compile(r"[ \t>]*+(?:[#|`~].*|[-*_=+ \t]++)?")  # a line whose kind depends on its end
MAY_BE_FENCE = re.compile(r"[ \t>]*(?:[`~].*)?")
TAIL_OF_TAG = re.compile(r"<(?:/?a?)?$", re.IGNORECASE)
SPECIAL = re.compile(r"[`\[!&\\~]")
FINISHED = re.compile(  # a construct after a special sign that later text cannot change
    r"`[^`]+`(?=[^`])"
    r"|!?\[[^\[\]`!&\\~]{0,500}\]\([^()\s<>`\\]{0,2000}\)"
    r"|\[[^\[\]`!&\\~]{0,500}\](?=[^(\[:])"
    r"|!(?=[^\[\\])|&(?!#?[A-Za-z0-9]{0,40}$)|\\(?=[^`<&\[\]\\])|~+(?=[^~])"
)


def render_page(page: Page) -> str:
    """Renders a whole page, with its status or closing."""
    parts = [render_markdown(page.text)]
    if page.status:
        parts.append(page.status if not parts[0] else f"*{page.status}*")
    if page.closing is not None:
        parts += render_closing(page.closing)
    return "\n\n".join(part for part in parts if part)


def render_closing(closing: Closing) -> list[str]:
    sources = "\n".join(render_source(source) for source in closing.sources)
    lines = [line for line in (closing.note, closing.footer, closing.notice) if line]
    return [sources, *(f"{SIGN} {render_notice(line)}" for line in lines)]


def render_source(source: Source) -> str:
    """The title is hostile: it comes from the page itself."""
    title = render_notice(" ".join(source.title.replace("`", GRAVE).split())[:TITLE_LIMIT_CHARS])
    url = render_url(source.url)
    return f"- [{source.number}] {title}" + (f": {url}" if url else "")


def render_url(url: str | None) -> str:
    """Returns "" for a URL that people cannot open. Escapes Markdown: a page can redirect to a URL of its choice."""
    if url is None or not url.lower().startswith(("https://", "http://")) or not url.isprintable():
        return ""
    return "" if any(each in url for each in ' <>`"') else MARKUP.sub(lambda sign: f"%{ord(sign[0]):02X}", url)


def render_notice(text: str) -> str:
    """Renders our own sentence, which may contain names that strangers chose."""
    return render_inline(remove_invisible(text))


@lru_cache(maxsize=16)  # delivery measures and then sends the same text several times
def render_markdown(text: str) -> str:
    """Renders the model's text."""
    converter = LineConverter(clean(text).split("\n"))
    if converter.fence is not None or converter.in_table:
        converter.rendered.append("```")
    return "\n".join(converter.rendered).strip("\n")


def render_stable(text: str) -> str:
    """Renders the part of a growing text that later text cannot change. Each result begins with the one before.

    Teams ends a stream whose text does not continue the streamed text.
    """
    *lines, last = clean(text).split("\n")
    converter = LineConverter(lines)
    if beginning := stable_prefix(last, in_code=converter.fence is not None):
        converter.add(beginning)
    return "\n".join(converter.rendered).strip("\n")


def stable_prefix(line: str, *, in_code: bool) -> str:
    """Returns the beginning of an unfinished line whose rendering is final."""
    if in_code:
        return "" if MAY_BE_FENCE.fullmatch(line) else TAIL_OF_TAG.sub("", line)
    if MAY_BE_BLOCK.fullmatch(line):
        return ""
    fence = MAY_OPEN_FENCE.match(line)
    beginning = list_markers(fence[1]) if fence else line[: stable_length(line)]
    return "" if MAY_BE_BLOCK.fullmatch(beginning) else beginning


def stable_length(line: str) -> int:
    at = 0
    while special := SPECIAL.search(line, at):
        finished = FINISHED.match(line, special.start())
        if finished is None:
            return special.start()
        at = finished.end()
    return len(line)


def clean(text: str) -> str:
    return remove_invisible(text).replace(SIGN, "(i)")


def remove_invisible(text: str) -> str:
    return INVISIBLE.sub("", LINE_ENDS.sub("\n", text))


class LineConverter:
    """Renders lines, and keeps track of fences and tables."""

    def __init__(self, lines: list[str]) -> None:
        self.rendered: list[str] = []
        self.fence: str | None = None  # of the open code block
        self.in_table = False
        for line in lines:
            self.add(line)

    def add(self, line: str) -> None:
        if self.fence is not None:
            closes = ends_fence(line, self.fence)
            self.rendered.append("```" if closes else render_code_line(line))
            self.fence = None if closes else self.fence
            return
        is_row = line.lstrip().startswith("|")
        if is_row != self.in_table:
            self.rendered.append("```")  # Teams shows no tables; in a code block, the columns are aligned
            self.in_table = is_row
        if (opening := FENCE.match(line)) and is_opening(opening):
            self.fence = opening[2]
            markers = list_markers(opening[1])
            self.rendered += [*([markers] if markers else []), "```" + fence_language(opening[3])]
        else:
            self.rendered.append(render_code_line(line) if is_row else render_text_line(line))


def fence_language(info: str) -> str:
    match = LANGUAGE.match(info.strip())
    return match[0] if match else ""


def ends_fence(line: str, fence: str) -> bool:
    match = FENCE.match(line)
    return match is not None and is_closing(match, fence)


def render_code_line(line: str) -> str:
    """Copies a line of code, except for fences and Teams' tag of a mention, which get a zero-width space."""
    return AT_TAG.sub(f"<{SPACE}", CODE_RUN.sub(rf"\1{SPACE}", line))


def render_text_line(line: str) -> str:
    if RULE.fullmatch(line):
        return "———"
    if heading := HEADING.fullmatch(line):
        title = render_inline(remove_closing_hashes(heading[1])).strip()
        # Only a title without "**" becomes bold. Removing its "**" could join characters that it kept apart.
        return f"**{title}**" if title and "**" not in title else title
    return render_inline(line)


def remove_closing_hashes(heading: str) -> str:
    """Removes the hashes at the end of a heading such as "## Title ##"."""
    title = heading.rstrip()
    bare = title.rstrip("#")
    return bare if not bare or bare[-1] in " \t" else title


def render_inline(line: str) -> str:
    """Keeps code spans and sanitizes all other text."""
    # A backslash has no effect in code, so escapes could end or begin a span elsewhere than here.
    line = ESCAPES.sub("", RUN.sub(lambda run: GRAVE * len(run[0]), line))
    return "".join(inline_parts(line))


def inline_parts(line: str) -> Iterator[str]:
    at = 0
    for span in SPAN.finditer(line):
        yield sanitize_text(line[at : span.start()])
        code = AT_TAG.sub(f"<{SPACE}", span[2].replace("`", GRAVE))
        yield f"`{code}`" if code.strip() else code
        at = span.end()
    yield sanitize_text(line[at:])


def sanitize_text(text: str) -> str:
    """Removes from text outside of code: tags, images, masked links and open code spans."""
    text = ENTITY.sub("&amp;", text).replace("<", "&lt;").replace("`", GRAVE)
    text = IMAGE.sub(lambda image: image[1], text)
    text = LINK.sub(write_out_link, text)
    return text.replace("](", "] (").replace("][", "] [").replace("]:", "] :")


def write_out_link(link: re.Match[str]) -> str:
    label, target = link[1].strip(), link[2]
    return target if label in ("", target) else f"{label} ({target})"
