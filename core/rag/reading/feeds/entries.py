"""The entries of a feed, whatever its format, and the document that they become. Pure."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from core.contract import Omission
from core.language import detect_language, parse_language_tag
from core.rag.documents import Block, Document, Passage, one_line
from core.rag.passages import cut_blocks
from core.rag.reading.pages import extract
from core.rag.reading.text.markdown import parse_paragraphs

ENTRIES_LIMIT = 500
TITLE_LIMIT_CHARS = 300
LANGUAGE_SAMPLE_PASSAGES = 20
NEVER = datetime.min.replace(tzinfo=UTC)
# Text that only mentions an element ("use <main> once") has no closing tag, and none of those that stand alone.
MARKUP = re.compile(
    r"</[a-z][\w:-]*\s*>|<!--|<[a-z][^<>]*/>|<(?:br|hr|p|img|li|dd|dt|td|tr|a|div|input|iframe|embed|object)(?:\s[^<>]*)?>",
    re.IGNORECASE,
)
EMBEDDING = re.compile(r"</?(?:iframe|object|embed)\b[^>]*>", re.IGNORECASE)  # unclosed, it would hide the rest
WORD = re.compile(r"\w+")
SHINGLE_WORDS = 4
REPEATED_SHARE = 0.7  # of a summary's phrases: then the content says it
# What weblogs add to the beginning of a text that they use as its summary.
TEASER_END = re.compile(
    r"\s*(?:\[?(?:…|\.\.\.)\]?\s*)?"
    r"(?:(?:read|continue|lire)\b.{0,60}|the post .{0,200} appeared first on .{0,100})?$",
    re.IGNORECASE | re.DOTALL,
)
LAST_PART_SUFFIX = re.compile(r"\.\w{2,5}$")


Source = TypeVar("Source")


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """`blocks`: its text."""

    title: str
    blocks: tuple[Block, ...]
    link: str | None
    published_at: datetime | None


def newest(dated: Iterable[tuple[datetime | None, Source]]) -> list[tuple[datetime | None, Source]]:
    """Returns the newest entries, at most ENTRIES_LIMIT, newest first; those without a date come last."""
    return sorted(dated, key=lambda pair: pair[0] or NEVER, reverse=True)[:ENTRIES_LIMIT]


def build_document(title: str, entries: Iterable[FeedEntry], declared: Any, home: str | None, total: int) -> Document:
    """Builds the document of the entries in their order. `total`: the number of entries that the feed has."""
    passages = tuple(passage for entry in entries for passage in entry_passages(entry))
    sample = "\n".join(f"{passage.heading}\n{passage.text}" for passage in passages[:LANGUAGE_SAMPLE_PASSAGES])
    language = parse_language_tag(str(declared or "")) or detect_language(f"{title}\n{sample}")
    omissions = (Omission("entries", ENTRIES_LIMIT, total),) if total > ENTRIES_LIMIT else ()
    return Document(title, passages, "feed", language, home, omissions)


def entry_passages(entry: FeedEntry) -> list[Passage]:
    """Returns one passage for an entry, more if it is long: headed by the title, with the date as first line."""
    title = entry.title or ("" if entry.blocks else title_from_link(entry.link))
    day = format_moment(entry.published_at) if entry.published_at else ""
    blocks = [
        Block("heading", title[:TITLE_LIMIT_CHARS], 1),
        Block("paragraph", day),
        *(replace(block, level=block.level + 1) if block.kind == "heading" else block for block in entry.blocks),
    ]
    passages = cut_blocks([block for block in blocks if block.text])
    return [Passage(each.text, each.heading, entry.link, entry.published_at) for each in passages]


def format_moment(moment: datetime) -> str:
    """Returns the publisher's day. A time in UTC stays with it, because its reader's day may be another."""
    is_day = (moment.hour, moment.minute, moment.second) == (0, 0, 0)
    return f"{moment:%Y-%m-%d}" if is_day or moment.utcoffset() else f"{moment:%Y-%m-%d %H:%M} UTC"


def title_from_link(link: str | None) -> str:
    """Returns the words of an address: "https://example.ca/news/new-fees.html" → "new fees"; else its host."""
    if link is None:
        return ""
    parts = urlsplit(link)
    names = [LAST_PART_SUFFIX.sub("", unquote(part)) for part in parts.path.split("/") if part]
    words = one_line(re.sub(r"[-_+]+", " ", names[-1])) if names else ""
    return words if re.search(r"[^\W\d]{2}", words) else (parts.hostname or "")


def text_blocks(text: str) -> list[Block]:
    """Returns the blocks of an entry's text. Without markup it is plain, and its line breaks count.

    Some publishers escape their markup twice.
    """
    unescaped = html.unescape(text)
    if marked := next((each for each in (text, unescaped) if MARKUP.search(each)), None):
        return extract.html_blocks(EMBEDDING.sub(" ", marked))
    return parse_paragraphs(unescaped)


def title_line(text: str) -> str:
    if not MARKUP.search(text):
        return one_line(html.unescape(text))
    return extract.html_line(EMBEDDING.sub(" ", text))


def choose_text(texts: Sequence[str]) -> tuple[Block, ...]:
    """Returns the longest of an entry's texts, below a shorter one that says something else."""
    read = [blocks for text in dict.fromkeys(texts) if (blocks := text_blocks(text))]
    if not read:
        return ()
    longest = max(read, key=count_words)
    known = shingles(longest)
    above = [blocks for blocks in read if blocks is not longest and says_more(blocks, known)]
    return (*(block for blocks in above for block in blocks), *longest)


def says_more(blocks: Sequence[Block], known: set[tuple[str, ...]]) -> bool:
    own = shingles(blocks)
    return bool(own) and len(own & known) < REPEATED_SHARE * len(own)


def shingles(blocks: Sequence[Block]) -> set[tuple[str, ...]]:
    """Returns the phrases of four words; for a shorter text, the text."""
    text = TEASER_END.sub("", " ".join(block.text for block in blocks))
    words = WORD.findall(text.lower())
    last = max(len(words) - SHINGLE_WORDS + 1, 1)
    return {tuple(words[index : index + SHINGLE_WORDS]) for index in range(last) if words}


def count_words(blocks: Sequence[Block]) -> int:
    return sum(len(block.text.split()) for block in blocks)
