"""Sanitizes a model's Markdown: in Slack it then pings nobody, masks no link and starts no control sequence. Pure.

Slack accepts Markdown in `markdown` blocks and streams. Some of its parsers also see its own <…> sequences in any text,
code included, and their order is not documented. One parser could undo an escape for the next. Therefore `<` becomes ‹
wherever a sequence may start. Links become bare full addresses, so that readers see where a link leads.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from bindings.delivery.blocks import FENCE, PREFIX, find_fences
from core.rag.documents import INVISIBLE

LINE_ENDS = re.compile("\r\n|[\r\u2028\u2029]")
PARTIAL_FENCE = re.compile(rf"{PREFIX}(?:`{{1,2}}|~{{1,2}})")
BACKTICKS = re.compile(r"`+")
BACKTICK_RUN = re.compile(r"(?<!\\)(?P<escapes>\\*+)`+")  # linear time: starts only at the first backslash
# The end of a paragraph and of its code spans: a blank line, or the start of a block or table row.
PARAGRAPH_END = re.compile(r"\n(?=[ \t]*(?:\n|[>|]|#{1,6}[ \t]|(?:[-*+]|\d{1,9}[.)])[ \t]))")

LINK = re.compile(
    r"!?\[((?:[^\[\]\\\n]|\\.){0,200})\]"
    r"\(\s{0,9}(?:<([^<>\n]{0,3000})>|((?:[^\s()<>]|\([^\s()<>]{0,300}\)){0,3000}))"
    r"(?:\s{1,9}(?:\"[^\"\n]{0,500}\"|'[^'\n]{0,500}'|\([^()\n]{0,500}\)))?\s{0,9}\)"
)
AUTOLINK = re.compile(r"<([A-Za-z][A-Za-z0-9+.-]{1,31}:[^<>\s|]{0,3000})(?:\|([^<>\n]{0,500}))?>")
SAFE_AFTER_ANGLE = r"(?:[\sA-Za-z0-9=\-/<.,;:)(+$>\"']|$)"  # after these, < starts no sequence
SCHEME = r"[a-z][a-z0-9+.-]{1,31}:"
SEQUENCE_START = re.compile(
    rf"(?:<|&(?:amp;)*(?:lt|#0*60|#x0*3c);?)(?:(?!{SAFE_AFTER_ANGLE})|(?={SCHEME}))", re.IGNORECASE
)
# Slack may not see code where we do, so links and sequences are removed from code too. Usual code does not change:
# a[0](x), a[0]: int, x < y.
SEQUENCE_START_IN_CODE = re.compile(
    rf"(?:<|&(?:amp;)*(?:lt|#0*60|#x0*3c);?)"
    rf"(?=\u200d?(?:[@#][a-z0-9]|![a-z]+\u200d?(?:[\^|>]|&(?:amp;)*gt)|{SCHEME}[^<>\s|]{{0,300}}\|))",
    re.IGNORECASE,
)
LINK_IN_CODE = re.compile(rf"\](?=\([ \t]*(?:\n|<?{SCHEME}))", re.IGNORECASE)
DEFINITION_IN_CODE = re.compile(rf"(?m)^({PREFIX}\[[^\[\]\n]{{1,200}}\])(?=:)")
BROADCAST = re.compile(r"(?<![A-Za-z0-9._%+-])@(?=(?:here|channel|everyone|group)\b)", re.IGNORECASE)
TAIL_CHARS = 800
UNDECIDED = re.compile(
    r"(?:!?\[[^\[\]\n]{0,200}(?:\](?:\([^()\n]{0,300})?)?"
    rf"|<\S{{0,300}}|<{SCHEME}[^<>\s|]{{0,300}}\|[^<>\n]{{0,200}}"
    r"|&\S{0,60}|@[a-z]{0,8}|[!\]]|\]\([ \t]{0,9}(?:<[^<>\n]{0,300}|[^\s<>()]{0,300}))\Z",
    re.IGNORECASE,
)


def sanitize_markdown(markdown: str) -> str:
    """Returns Markdown that looks the same to a reader, except that masked links show their addresses."""
    text = remove_invisible(markdown)
    return "".join(sanitize_code(part) if code else sanitize_prose(part) for code, part in split_code(text))


def remove_invisible(text: str) -> str:
    """Removes unencodable and invisible characters, which hide a sequence from our patterns but not from Slack."""
    encodable = text.encode("utf-8", "replace").decode("utf-8")
    return INVISIBLE.sub("", LINE_ENDS.sub("\n", encodable))


def sanitize_prose(text: str) -> str:
    shown = AUTOLINK.sub(
        lambda link: format_link(link[2] or "", link[1]),
        LINK.sub(lambda link: format_link(link[1], link[2] if link[2] is not None else link[3]), text),
    )
    # A link that LINK did not match is no longer one with a space between its halves.
    halves = shown.replace("](", "] (").replace("][", "] [").replace("]:", "] :")
    return BROADCAST.sub("@\u2060", SEQUENCE_START.sub("‹", halves))


def sanitize_code(text: str) -> str:
    apart = DEFINITION_IN_CODE.sub(r"\1 ", LINK_IN_CODE.sub("] ", text))
    return BROADCAST.sub("@\u2060", SEQUENCE_START_IN_CODE.sub("‹", apart))


def format_link(label: str, url: str) -> str:
    label, url = label.strip(), url.strip()
    return url if not label or label == url else f"{label} ({url})" if url else label


def split_code(text: str) -> Iterator[tuple[bool, str]]:
    """Yields all parts of the text in order, each with whether it is code."""
    at = 0
    for fence in find_fences(text):
        yield from split_code_spans(text[at : fence.start])
        yield True, text[fence.start : fence.end]
        at = fence.end
    yield from split_code_spans(text[at:])


def split_code_spans(prose: str) -> Iterator[tuple[bool, str]]:
    """Splits at code spans: from a run of backticks to the next run of the same length, within a paragraph."""
    start = 0
    for end in [*(match.end() for match in PARAGRAPH_END.finditer(prose)), len(prose)]:
        yield from split_paragraph(prose[start:end])
        start = end


def split_paragraph(paragraph: str) -> Iterator[tuple[bool, str]]:
    runs = [(run.end("escapes"), run.end(), len(run["escapes"]) % 2) for run in BACKTICK_RUN.finditer(paragraph)]
    by_length: dict[int, list[int]] = {}
    for begin, end, _ in runs:
        by_length.setdefault(end - begin, []).append(begin)
    at = 0
    for begin, end, escaped in runs:
        if begin < at:
            continue
        begin += escaped  # a backslash escapes only the first backtick of the run
        closers = by_length.get(end - begin, [])
        after = bisect_right(closers, begin)
        if begin < end and after < len(closers):
            close = closers[after] + end - begin
            yield False, paragraph[at:begin]
            yield True, paragraph[begin:close]
            at = close
    yield False, paragraph[at:]


def stable_prefix(markdown: str) -> str:
    """Returns the start of an unfinished text whose rendering cannot change, whatever follows. Streams only append.

    Leaves out a fence that delivery closed for now, and the start of a possible link, mention or code span.
    """
    text = remove_last_fence(remove_invisible(markdown))
    last = text[text.rfind("\n") + 1 :]
    if FENCE.match(last) or PARTIAL_FENCE.fullmatch(last.rstrip()):
        text = text[: len(text) - len(last)]
    text = text.rstrip("`")  # their final number decides their meaning
    text = text[: find_open_span(text)]
    return text[:-TAIL_CHARS] + UNDECIDED.sub("", text[-TAIL_CHARS:])


def remove_last_fence(text: str) -> str:
    body, _, last = text.rstrip("\n").rpartition("\n")
    fence = FENCE.match(last)
    return body if fence and not fence[3].strip() and any(code for code, _ in split_code(body)) else text


def find_open_span(text: str) -> int:
    """Returns the index of an unclosed code span, or the length of the text."""
    begin = 0
    at = len(text)
    for code, part in split_code(text):
        if not code and (run := BACKTICKS.search(part)):
            at = begin + run.start()
        elif code or part.strip():
            at = len(text)
        begin += len(part)
    return at
