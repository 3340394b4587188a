"""Markdown from a model → Discord's, defused: what pings, unfurls, hides or imitates us is shown as plain text. Pure.

Two parsers must agree on what is code, for links and mentions are live outside of it: ours, and that of people's
clients. So nothing of the model's own backticks is passed on. What is code here is written anew in a form that leaves
no doubt, and a backtick that closes nothing becomes a letter that looks like one.

Discord's syntax: https://support.discord.com/hc/en-us/articles/210298617, and for mentions, emoji and timestamps
https://discord.com/developers/docs/reference#message-formatting.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bindings.delivery.blocks import Fence, find_fences, list_markers
from bindings.discord import grids
from core.rag.documents import INVISIBLE

GAP = "\u200b"  # zero width: takes a pattern apart for Discord and not for people
TICK = "ˋ"  # U+02CB, looks like a backtick
LINE_ENDS = re.compile("\r\n?|\u2028|\u2029")

# All of these take linear time: a `+` after a quantifier never gives back what it took, and the rest is bounded.
LANGUAGE = re.compile(r"[A-Za-z0-9_+.#-]{1,24}")

PING = re.compile(r"@(?=everyone|here)")
REFERENCE = re.compile(
    r"<(?=@[!&]?\d|#\d|/[^<>\n]{1,100}:\d|a?:\w{1,64}:\d|t:-?\d|id:[a-z]|sound:\d)"  # people, roles, channels, emoji …
)
# Invitations and gifts unfurl even where embeds are suppressed.
INVITATION = re.compile(r"(?i)(discord(?:app)?)(\.(?:gg|gift|new|me)\b|\.com/(?:invite|gifts|template))")
LINK = re.compile(
    r"!?\[(?P<label>[^\[\]\n]*+)\]\(\s*+<?(?P<url>[^\s<>()]++(?:\([^\s<>()]*+\)[^\s<>()]*+)*+)>?[^()\n]*+\)"
)
SUBTEXT = re.compile(r"-#(?=\s|$)")  # small print is how our own footer looks
SPOILER = re.compile(r"\|(?=\|)")
WEB = re.compile(r"https?://[^\s<>]+", re.IGNORECASE)
UNDERLINE = re.compile(  # bold, in everybody else's Markdown; not within an address
    rf"(?i:{WEB.pattern})|(?<![\w_])__(?=[^\s_])(?P<bold>.{{1,200}}?)(?<=[^\s_])__(?![\w_])"
)
QUOTE_ALL = re.compile(r"^(\s*)(?:>\s?){2,}")  # ">>> " would take all that follows, our footer too, into the quote
DEEP_HEADING = re.compile(r"\s*+#{4,6}+\s++(.+)")
CODE = re.compile(r"\\(?P<escaped>.)|(?P<run>`+)(?!`)(?P<code>.+?)(?<!`)(?P=run)(?!`)|`+")
SHOWN_IN_CODE = re.compile(r"\*\*|`")  # marks in a table's cells
MARKS = re.compile(r"([\\`*_~|\[\]<>#])")


def to_discord(text: str) -> str:
    """Of a whole page: a construct that is open at its end is closed."""
    return "\n".join(blocks(visible(text))).strip("\n")


def literal(text: str) -> str:
    """On one line, with no mark of formatting in force: for names, titles and words of ours."""
    return apart(MARKS.sub(r"\\\1", defused(" ".join(visible(text).split()))))


def length(text: str) -> int:
    """In UTF-16 units: never less than Discord counts, whichever way it counts beyond the basic plane."""
    return len(text.encode("utf-16-le")) // 2


def visible(text: str) -> str:
    """Without characters that show nothing or turn the direction of reading around."""
    whole = text.encode("utf-8", "ignore").decode("utf-8")  # no halves of characters
    return INVISIBLE.sub("", LINE_ENDS.sub("\n", whole))


def blocks(text: str) -> Iterator[str]:
    """The lines of Discord's Markdown. What is code is told as by `bindings.delivery`, which cut the page by it."""
    at = 0
    for fence in find_fences(text):
        if fence.start > at:
            yield from outside(text[at : fence.start].removesuffix("\n").split("\n"))
        if bullet := list_markers(fence.prefix).rstrip():
            yield bullet  # Discord has no code within a list, nor within a quote
        yield from fenced(code_of(text, fence), fence.info)
        at = fence.end + (text[fence.end - 1 : fence.end] != "\n")
    if at < len(text):
        yield from outside(text[at:].split("\n"))


def outside(lines: list[str]) -> Iterator[str]:
    """Outside of blocks of code."""
    at = 0
    while at < len(lines):
        if rows := grids.rows_at(lines, at):
            table = [SHOWN_IN_CODE.sub("", line) for line in lines[at : at + rows]]
            yield from fenced(grids.aligned(table), "")
            at += rows
        else:
            yield prose(lines[at])
            at += 1


def code_of(text: str, fence: Fence) -> list[str]:
    """The lines of a block, without what its margin is."""
    whole = text[fence.start : fence.end].split("\n")
    body = whole[1:] if fence.is_open else whole[1:-1]  # without its end, or what follows the end of its quote
    blank = re.compile(rf"[ \t{'>' if '>' in fence.margin else ''}]{{0,{len(fence.margin)}}}")
    return [blank.sub("", line, count=1) for line in body]


def fenced(lines: list[str], info: str) -> Iterator[str]:
    """A block of code that nothing inside it can end."""
    words = info.split()
    language = words[0] if words and LANGUAGE.fullmatch(words[0]) else ""
    body = defused("\n".join(lines).rstrip("\n")).replace("``", f"`{GAP}`")
    yield f"```{language}"
    yield body if body.strip() else GAP  # Discord takes an empty block for text
    yield "```"


def prose(line: str) -> str:
    """A line outside of blocks of code."""
    line = QUOTE_ALL.sub(r"\1> ", line)
    if heading := DEEP_HEADING.match(line):
        line = f"**{without_closing(heading[1])}**"  # Discord knows three levels
    parts: list[str] = []
    at = 0
    for found in CODE.finditer(line):
        parts += [words(line[at : found.start()]), span(found)]
        at = found.end()
    return defused("".join([*parts, words(line[at:])]))


def without_closing(heading: str) -> str:
    """Of a heading that ends in signs, as in "#### Title ####"."""
    return heading.rstrip("#").rstrip() or "#"


def span(found: re.Match[str]) -> str:
    if found["escaped"] is not None:
        return {"`": TICK, "]": rf"\]{GAP}"}.get(found["escaped"], found[0])
    if found["code"] is None:
        return TICK * len(found[0])
    return f"`{found['code'].replace('`', TICK)}`"


def words(text: str) -> str:
    """Text between spans of code."""
    text = UNDERLINE.sub(bold, LINK.sub(honest, text))
    text = SPOILER.sub(f"|{GAP}", SUBTEXT.sub(f"-{GAP}#", text))
    return apart(text)


def apart(text: str) -> str:
    """No link hides where it leads, however it was put together; within its words, Discord knows no escapes."""
    return text.replace("](", f"]{GAP}(")


def bold(found: re.Match[str]) -> str:
    return found[0] if found["bold"] is None else f"**{found['bold']}**"


def honest(link: re.Match[str]) -> str:
    """A link or picture, with its address beside its words."""
    label, url = link["label"].strip(), link["url"]
    if not WEB.fullmatch(url):
        return link[0]  # Discord would not follow it, and it may be an index and a call
    if label in ("", url, url.partition("://")[2].rstrip("/")):
        return f"<{url}>"
    return f"{label} (<{url}>)"


def defused(text: str) -> str:
    text = REFERENCE.sub(f"<{GAP}", PING.sub(f"@{GAP}", text))
    return INVITATION.sub(rf"\1{GAP}\2", text)
