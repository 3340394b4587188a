"""The Markdown of a model → the Markdown that Teams shows, in which nothing pings, hides or loads. Pure.

Teams renders HTML within Markdown, hides a link's target behind its words and loads images, so outside of code no `<`
stays a `<`, every link is written out, and there are no images. What counts as code is written anew, in the one form
that no renderer reads differently: fences of three backticks at the margin, and spans that end on their line.
What stands under an answer is ours: its sign cannot be written by a model.
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
SPACE = "\u200b"  # of no width
GRAVE = "ˋ"  # looks like a backtick, and is none
# All of these take linear time: a `+` after a quantifier never gives back what it took, and the rest is bounded.
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
MARKUP = re.compile(r"[\[\]()!*\\]")  # in an address
TITLE_LIMIT_CHARS = 200
MAY_BE_BLOCK = re.compile(r"[ \t>]*+(?:[#|`~].*|[-*_=+ \t]++)?")  # a line of which only the end says what it is
MAY_BE_FENCE = re.compile(r"[ \t>]*(?:[`~].*)?")
TAIL_OF_TAG = re.compile(r"<(?:/?a?)?$", re.IGNORECASE)
SPECIAL = re.compile(r"[`\[!&\\~]")
FINISHED = re.compile(  # what begins with a special sign, when what follows cannot change it any more
    r"`[^`]+`(?=[^`])"
    r"|!?\[[^\[\]`!&\\~]{0,500}\]\([^()\s<>`\\]{0,2000}\)"
    r"|\[[^\[\]`!&\\~]{0,500}\](?=[^(\[:])"
    r"|!(?=[^\[\\])|&(?!#?[A-Za-z0-9]{0,40}$)|\\(?=[^`<&\[\]\\])|~+(?=[^~])"
)


def render(page: Page) -> str:
    """All of a page, as it is sent."""
    parts = [body(page.text)]
    if page.status:
        parts.append(page.status if not parts[0] else f"*{page.status}*")
    if page.closing is not None:
        parts += closing_of(page.closing)
    return "\n\n".join(part for part in parts if part)


def closing_of(closing: Closing) -> list[str]:
    sources = "\n".join(source_of(source) for source in closing.sources)
    ours = [line for line in (closing.note, closing.footer, closing.notice) if line]
    return [sources, *(f"{SIGN} {own(line)}" for line in ours)]


def source_of(source: Source) -> str:
    """The title comes from a page of somebody else."""
    title = own(" ".join(source.title.replace("`", GRAVE).split())[:TITLE_LIMIT_CHARS])
    url = web_address(source.url)
    return f"- [{source.number}] {title}" + (f": {url}" if url else "")


def web_address(url: str | None) -> str:
    """ "" for what a person cannot open. Of a page that redirects, a stranger chose it: nothing in it is Markdown."""
    if url is None or not url.lower().startswith(("https://", "http://")) or not url.isprintable():
        return ""
    return "" if any(each in url for each in ' <>`"') else MARKUP.sub(lambda sign: f"%{ord(sign[0]):02X}", url)


def own(text: str) -> str:
    """A sentence of ours: it may name what strangers chose."""
    return inline(visible(text))


@lru_cache(maxsize=16)  # measured, and then sent: the same text several times in a row
def body(text: str) -> str:
    """What a model wrote."""
    lines, is_open = convert(text)
    return "\n".join([*lines, "```"] if is_open else lines).strip("\n")


def streamed(text: str) -> str:
    """So much of a text that grows as will not look different later: each is the beginning of the next.

    Teams ends a stream whose text is not a continuation of what was streamed before.
    """
    lines = cleaned(text).split("\n")
    last = settled(lines[-1], in_code=open_fence("\n".join(lines[:-1])))
    rendered, _ = convert("\n".join([*lines[:-1], *([last] if last else [])]))
    return "\n".join(rendered).strip("\n")


def settled(line: str, *, in_code: bool) -> str:
    """The beginning of an unfinished line that will be rendered as it is now."""
    if in_code:
        return "" if MAY_BE_FENCE.fullmatch(line) else TAIL_OF_TAG.sub("", line)
    if MAY_BE_BLOCK.fullmatch(line):
        return ""
    fence = MAY_OPEN_FENCE.match(line)
    beginning = list_markers(fence[1]) if fence else line[: finished_until(line)]
    return "" if MAY_BE_BLOCK.fullmatch(beginning) else beginning


def finished_until(line: str) -> int:
    at = 0
    while special := SPECIAL.search(line, at):
        finished = FINISHED.match(line, special.start())
        if finished is None:
            return special.start()
        at = finished.end()
    return len(line)


def cleaned(text: str) -> str:
    return visible(text).replace(SIGN, "(i)")


def visible(text: str) -> str:
    return INVISIBLE.sub("", LINE_ENDS.sub("\n", text))


def convert(text: str) -> tuple[list[str], bool]:
    """The lines, and whether a fence is still open after them."""
    lines: list[str] = []
    fence: str | None = None
    table = False
    for line in cleaned(text).split("\n"):
        if fence is not None:
            closes = is_end_of(line, fence)
            lines.append("```" if closes else code_line(line))
            fence = None if closes else fence
            continue
        is_row = line.lstrip().startswith("|")
        if is_row != table:
            lines.append("```")  # Teams shows no tables; here their columns at least stand under each other
            table = is_row
        if (opened := FENCE.match(line)) and is_opening(opened):
            fence = opened[2]
            lines += [list_markers(opened[1])] if list_markers(opened[1]) else []
            lines.append("```" + language_of(opened[3]))
        else:
            lines.append(code_line(line) if is_row else text_line(line))
    return lines, fence is not None or table


def language_of(info: str) -> str:
    found = LANGUAGE.match(info.strip())
    return found[0] if found else ""


def is_end_of(line: str, fence: str) -> bool:
    found = FENCE.match(line)
    return found is not None and is_closing(found, fence)


def open_fence(text: str) -> bool:
    fence: str | None = None
    for line in text.split("\n"):
        if fence is not None:
            fence = None if is_end_of(line, fence) else fence
        elif (opened := FENCE.match(line)) and is_opening(opened):
            fence = opened[2]
    return fence is not None


def code_line(line: str) -> str:
    """Copied as it is, but for what would end the block, and for Teams' mark of a mention."""
    return AT_TAG.sub(f"<{SPACE}", CODE_RUN.sub(rf"\1{SPACE}", line))


def text_line(line: str) -> str:
    if RULE.fullmatch(line):
        return "———"
    if heading := HEADING.fullmatch(line):
        words = inline(without_closing(heading[1])).strip()
        # Nothing is taken out of what was defused: what it held apart would come together.
        return f"**{words}**" if words and "**" not in words else words
    return inline(line)


def without_closing(heading: str) -> str:
    """Of a heading that ends in signs, as in "## Title ##"."""
    words = heading.rstrip()
    bare = words.rstrip("#")
    return bare if not bare or bare[-1] in " \t" else words


def inline(line: str) -> str:
    """Code spans stay, all else is defused."""
    # A backslash means something else within code than before it.
    line = ESCAPES.sub("", RUN.sub(lambda run: GRAVE * len(run[0]), line))
    return "".join(pieces(line))


def pieces(line: str) -> Iterator[str]:
    at = 0
    for span in SPAN.finditer(line):
        yield plain(line[at : span.start()])
        code = AT_TAG.sub(f"<{SPACE}", span[2].replace("`", GRAVE))
        yield f"`{code}`" if code.strip() else code
        at = span.end()
    yield plain(line[at:])


def plain(text: str) -> str:
    """Text that is not code: no tag, no image, no link whose target is not seen, no code span left open."""
    text = ENTITY.sub("&amp;", text).replace("<", "&lt;").replace("`", GRAVE)
    text = IMAGE.sub(lambda image: image[1], text)
    text = LINK.sub(written_out, text)
    return text.replace("](", "] (").replace("][", "] [").replace("]:", "] :")


def written_out(link: re.Match[str]) -> str:
    words, target = link[1].strip(), link[2]
    return target if words in ("", target) else f"{words} ({target})"
