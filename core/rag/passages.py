"""Cuts a document's blocks into passages, and text into its words' stems. Pure; reads no format.

A passage ends where a section ends, else between blocks, else between sentences, else between words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain, groupby
from operator import itemgetter

import snowballstemmer  # type: ignore[import-untyped]

from core.rag.blocks import Block, line
from core.rag.documents import PASSAGE_LIMIT_CHARS, Passage

HEADING_LIMIT_CHARS = 120  # one of them
HEADER_LIMIT_CHARS = 400  # a table's, repeated in each of its passages
SEPARATOR = " › "
SENTENCE_END = re.compile(r"(?<=[.!?…。])[\"'»”’)\]]*\s+|\n+")
WORD = re.compile(r"[^\W_]+")
PARAGRAPH_END = re.compile(r"\n[^\S\n]*\n(?:[^\S\n]*\n[^\S\n]*\n)*")  # an empty line, or as many as there are

STEMMERS = (snowballstemmer.stemmer("english"), snowballstemmer.stemmer("french"))
for stemmer in STEMMERS:
    stemmer.maxCacheSize = 0  # PyStemmer's own, which takes longer than to stem; `stems` has one
STEMMED_LIMIT_CHARS = 40  # a longer word is none
# They say nothing about what a passage is about. Folded, as words are when they are looked up.
EMPTY_WORDS_TEXT = (
    "a about am an and any are as at be been but by can could did do does for from had has have he her his how i if in "
    "into is it its me my of on or our please she should so some tell than that the their them then there these they "
    "this those to us was we were what when where which who why will with would you your "
    "as au aux avec ce ces cet cette comment dans de des dit dois du elle elles en est et etait etre eu fait il ils "
    "j je l la le les leur leurs lui ma mais me mes moi mon n ne nos notre nous on ou par pas peut peux plus pour "
    "pourquoi qu quand que quel quelle quelles quels qui quoi s sa se ses si son sont sur ta te tes toi ton tu un une "
    "vos votre vous y c d m t"
)
EMPTY_WORDS = frozenset(EMPTY_WORDS_TEXT.split())


def cut(blocks: Iterable[Block], limit_chars: int = PASSAGE_LIMIT_CHARS) -> tuple[Passage, ...]:
    """In reading order, each at most `limit_chars` long, each under the headings that it stands under."""
    return tuple(
        Passage(text, path)
        for path, alike in groupby(sections(blocks), key=itemgetter(0))
        for text in packed(chain.from_iterable(section for _, section in alike), limit_chars)
    )


def cut_text(text: str) -> Iterator[Passage]:
    """Of text that came as text, a block a paragraph. One by one: there may be much of it."""
    blocks = (Block("paragraph", part) for part in paragraphs(text) if part.strip())
    return map(Passage, packed(blocks, PASSAGE_LIMIT_CHARS))


def paragraphs(text: str) -> Iterator[str]:
    begun = 0
    for end in PARAGRAPH_END.finditer(text):
        yield text[begun : end.start()]
        begun = end.end()
    yield text[begun:]


def sections(blocks: Iterable[Block]) -> Iterator[tuple[str, list[Block]]]:
    """The headings that a section stands under, and its blocks. A heading with nothing under it is text itself."""
    path: list[Block] = []
    held: list[Block] = []
    for block in blocks:
        if block.kind != "heading":
            held.append(block)
            continue
        yield from ended(path, held, block.level)
        held = []
        while path and path[-1].level >= block.level:
            path.pop()
        path.append(block)
    yield from ended(path, held, 0)


def ended(path: list[Block], held: list[Block], next_level: int) -> Iterator[tuple[str, list[Block]]]:
    """What stands between the last heading of `path` and the next one."""
    if held:
        yield place(path), held
    elif path and path[-1].level >= next_level:
        yield place(path[:-1]), [Block("paragraph", path[-1].text)]


def place(path: list[Block]) -> str:
    return SEPARATOR.join(line(heading.text)[:HEADING_LIMIT_CHARS] for heading in path)


def packed(blocks: Iterable[Block], limit_chars: int) -> Iterator[str]:
    """The blocks' text, in as few pieces as their order allows."""
    text = ""
    last: Block | None = None
    for block in (piece for whole in blocks for piece in pieces(whole, limit_chars)):
        joined = joint(last, block) + marked(block, opens=not continues(last, block))
        if text and len(text) + len(joined) > limit_chars:
            yield text
            text, joined = "", marked(block, opens=True)
        text += joined if text else joined.lstrip("\n")
        last = block
    if text:
        yield text


def continues(last: Block | None, block: Block) -> bool:
    """Whether both are rows of one table."""
    return last is not None and last.kind == block.kind == "row" and last.header == block.header


def joint(last: Block | None, block: Block) -> str:
    if last is None:
        return ""
    return "\n" if last.kind == block.kind and block.kind in ("item", "row") else "\n\n"


def marked(block: Block, *, opens: bool) -> str:
    """As Markdown; a row that opens its table in this passage brings the table's header."""
    if block.kind == "item":
        return f"{'  ' * min(block.level, 5)}- {block.text}"
    if block.kind == "code":
        return f"```\n{block.text}\n```"
    return f"{block.header}\n{block.text}" if block.header and opens else block.text


def pieces(block: Block, limit_chars: int) -> Iterator[Block]:
    """The block, in parts that fit with their marks."""
    header = block.header if len(block.header) <= min(HEADER_LIMIT_CHARS, limit_chars // 2) else ""
    room = limit_chars - len(header) - 20  # marks of items and code
    for part in parts(block.text, room, by_line=block.kind == "code"):
        yield Block(block.kind, part, block.level, header)


def parts(text: str, room: int, *, by_line: bool = False) -> Iterator[str]:
    """Between sentences (or lines) if they fit, else between words, else anywhere."""
    if len(text) <= room:
        yield text
        return
    begun = 0
    while len(text) - begun > room:
        end = border(text, begun, begun + room, by_line=by_line)
        if part := text[begun:end].strip("\n" if by_line else None):
            yield part
        begun = end
    if part := text[begun:].strip("\n" if by_line else None):
        yield part


def border(text: str, begun: int, end: int, *, by_line: bool) -> int:
    """Where to cut at the latest, not in the first half: the rest would be crumbs."""
    half = begun + (end - begun) // 2
    if by_line:
        found = text.rfind("\n", half, end)
        return found + 1 if found > 0 else end
    sentences = [match.end() for match in SENTENCE_END.finditer(text, half, end)]
    if sentences:
        return sentences[-1]
    space = text.rfind(" ", half, end)
    return space + 1 if space > 0 else end


def terms(text: str) -> Iterator[str]:
    """The words' stems in either language, without accents: a question may be asked without them, or in the other."""
    for word in WORD.findall(unicodedata.normalize("NFC", text).lower()):
        yield from stems(word)


@lru_cache(maxsize=20_000)
def stems(word: str) -> tuple[str, ...]:
    """None for words that say nothing; two where the languages differ."""
    if len(word) >= STEMMED_LIMIT_CHARS or folded(word) in EMPTY_WORDS:
        return ()
    return tuple(dict.fromkeys(folded(stemmer.stemWord(word)) for stemmer in STEMMERS))


def folded(word: str) -> str:
    decomposed = unicodedata.normalize("NFD", word)
    if decomposed.isalnum():  # which no combining sign is
        return decomposed
    return "".join(char for char in decomposed if not unicodedata.combining(char))
