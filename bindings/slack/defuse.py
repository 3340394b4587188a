"""A model's Markdown, made so that in Slack it pings nobody, masks no link and opens no control sequence. Pure.

Slack takes Markdown in `markdown` blocks and streams, and has its own <…> sequences, which some of its parsers see in
any text, code included. Nobody outside knows in which order they run, so nothing is left that one of them could see: an
escape could be undone by another, therefore `<` becomes ‹ where a sequence may begin. Addresses stay, in full and bare,
so that what is opened is what was read.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from bindings.delivery.blocks import FENCE, PREFIX, find_fences
from core.rag.documents import INVISIBLE

LINE_ENDS = re.compile("\r\n|[\r\u2028\u2029]")
MAY_BE_FENCE = re.compile(rf"{PREFIX}(?:`{{1,2}}|~{{1,2}})")
BACKTICKS = re.compile(r"`+")
RUN = re.compile(r"(?<!\\)(?P<escapes>\\*+)`+")  # in linear time: it begins at the first of the backslashes only
# What ends a paragraph, and with it every span of code: a blank line, and what begins a block or a row of a table.
BORDER = re.compile(r"\n(?=[ \t]*(?:\n|[>|]|#{1,6}[ \t]|(?:[-*+]|\d{1,9}[.)])[ \t]))")

LINK = re.compile(
    r"!?\[((?:[^\[\]\\\n]|\\.){0,200})\]"
    r"\(\s{0,9}(?:<([^<>\n]{0,3000})>|((?:[^\s()<>]|\([^\s()<>]{0,300}\)){0,3000}))"
    r"(?:\s{1,9}(?:\"[^\"\n]{0,500}\"|'[^'\n]{0,500}'|\([^()\n]{0,500}\)))?\s{0,9}\)"
)
AUTOLINK = re.compile(r"<([A-Za-z][A-Za-z0-9+.-]{1,31}:[^<>\s|]{0,3000})(?:\|([^<>\n]{0,500}))?>")
HARMLESS = r"(?:[\sA-Za-z0-9=\-/<.,;:)(+$>\"']|$)"  # what may follow a < that begins no sequence
SCHEME = r"[a-z][a-z0-9+.-]{1,31}:"
OPENING = re.compile(rf"(?:<|&(?:amp;)*(?:lt|#0*60|#x0*3c);?)(?:(?!{HARMLESS})|(?={SCHEME}))", re.IGNORECASE)
# What is taken for code may be none to Slack, so that no link and no sequence is left in it either. What code really
# has, it keeps: a[0](x), a[0]: int, x < y.
OPENING_IN_CODE = re.compile(
    rf"(?:<|&(?:amp;)*(?:lt|#0*60|#x0*3c);?)"
    rf"(?=\u200d?(?:[@#][a-z0-9]|![a-z]+\u200d?(?:[\^|>]|&(?:amp;)*gt)|{SCHEME}[^<>\s|]{{0,300}}\|))",
    re.IGNORECASE,
)
LINK_IN_CODE = re.compile(rf"\](?=\([ \t]*(?:\n|<?{SCHEME}))", re.IGNORECASE)
DEFINITION_IN_CODE = re.compile(rf"(?m)^({PREFIX}\[[^\[\]\n]{{1,200}}\])(?=:)")
EVERYBODY = re.compile(r"(?<![A-Za-z0-9._%+-])@(?=(?:here|channel|everyone|group)\b)", re.IGNORECASE)
TAIL_CHARS = 800
UNDECIDED = re.compile(
    r"(?:!?\[[^\[\]\n]{0,200}(?:\](?:\([^()\n]{0,300})?)?"
    rf"|<\S{{0,300}}|<{SCHEME}[^<>\s|]{{0,300}}\|[^<>\n]{{0,200}}"
    r"|&\S{0,60}|@[a-z]{0,8}|[!\]]|\]\([ \t]{0,9}(?:<[^<>\n]{0,300}|[^\s<>()]{0,300}))\Z",
    re.IGNORECASE,
)


def defused(markdown: str) -> str:
    """What a reader sees is the same, but for masked links, whose addresses are shown."""
    text = seen(markdown)
    return "".join(in_code(piece) if code else in_prose(piece) for code, piece in pieces(text))


def seen(text: str) -> str:
    """Without characters that no encoding knows, or that nobody sees: these hide a sequence from us, not from Slack."""
    encodable = text.encode("utf-8", "replace").decode("utf-8")
    return INVISIBLE.sub("", LINE_ENDS.sub("\n", encodable))


def in_prose(text: str) -> str:
    shown = AUTOLINK.sub(lambda found: unmasked(found[2] or "", found[1]), LINK.sub(of_link, text))
    # Whatever of a link was not understood above: a blank between its halves, and it is none.
    halves = shown.replace("](", "] (").replace("][", "] [").replace("]:", "] :")
    return EVERYBODY.sub("@\u2060", OPENING.sub("‹", halves))


def in_code(text: str) -> str:
    apart = DEFINITION_IN_CODE.sub(r"\1 ", LINK_IN_CODE.sub("] ", text))
    return EVERYBODY.sub("@\u2060", OPENING_IN_CODE.sub("‹", apart))


def of_link(found: re.Match[str]) -> str:
    return unmasked(found[1], found[2] if found[2] is not None else found[3])


def unmasked(label: str, url: str) -> str:
    label, url = label.strip(), url.strip()
    return url if not label or label == url else f"{label} ({url})" if url else label


def pieces(text: str) -> Iterator[tuple[bool, str]]:
    """Code and the rest, in order; together they are the text."""
    at = 0
    for fence in find_fences(text):
        yield from inline(text[at : fence.start])
        yield True, text[fence.start : fence.end]
        at = fence.end
    yield from inline(text[at:])


def inline(prose: str) -> Iterator[tuple[bool, str]]:
    """Spans of code reach from a run of backticks to the next one as long, within a paragraph."""
    start = 0
    for end in [*(found.end() for found in BORDER.finditer(prose)), len(prose)]:
        yield from spans(prose[start:end])
        start = end


def spans(paragraph: str) -> Iterator[tuple[bool, str]]:
    runs = [(found.end("escapes"), found.end(), len(found["escapes"]) % 2) for found in RUN.finditer(paragraph)]
    by_length: dict[int, list[int]] = {}
    for begin, end, _ in runs:
        by_length.setdefault(end - begin, []).append(begin)
    at = 0
    for begin, end, escaped in runs:
        if begin < at:
            continue
        begin += escaped  # the others of the run are not
        closers = by_length.get(end - begin, [])
        after = bisect_right(closers, begin)
        if begin < end and after < len(closers):
            close = closers[after] + end - begin
            yield False, paragraph[at:begin]
            yield True, paragraph[begin:close]
            at = close
    yield False, paragraph[at:]


def steady(markdown: str) -> str:
    """As much of a text that is still being written as will be shown the same whatever follows.

    A stream can only be added to. Held back are a fence that was closed for the time being, and what may become a link,
    a mention or a span of code.
    """
    text = without_last_fence(seen(markdown))
    last = text[text.rfind("\n") + 1 :]
    if FENCE.match(last) or MAY_BE_FENCE.fullmatch(last.rstrip()):
        text = text[: len(text) - len(last)]
    text = text.rstrip("`")  # how many there will be tells what they are
    text = text[: open_span(text)]
    return text[:-TAIL_CHARS] + UNDECIDED.sub("", text[-TAIL_CHARS:])


def without_last_fence(text: str) -> str:
    body, _, last = text.rstrip("\n").rpartition("\n")
    found = FENCE.match(last)
    return body if found and not found[3].strip() and any(code for code, _ in pieces(body)) else text


def open_span(text: str) -> int:
    """Where a span of code begins that is not closed, or the end."""
    begin = 0
    at = len(text)
    for code, piece in pieces(text):
        if not code and (found := BACKTICKS.search(piece)):
            at = begin + found.start()
        elif code or piece.strip():
            at = len(text)
        begin += len(piece)
    return at
