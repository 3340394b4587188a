"""Follows the groups and control words of an RTF file, and collects the text that a reader sees. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from core.rag.documents import Block
from core.rag.reading.numerals import NumeralFormat, format_numeral
from core.rag.reading.office.comments import Comment
from core.rag.reading.office.inline_text import TextLook
from core.rag.reading.raw_document import ReadingLimits, ReadingProgress
from core.rag.reading.rich_text.collector import BlockCollector, ParagraphFormat
from core.rag.reading.rich_text.definitions import Definitions, Font
from core.rag.reading.rich_text.groups import SIGNS, STARRED, UNSEEN, Group
from core.rag.reading.rich_text.tokens import ENCODINGS, USUAL_ENCODING, SurrogateJoiner, Token, encoding_of_page
from core.rag.reading.word.symbols import symbol, without_private_letters

DEPTH_LIMIT = 1000  # of groups; Word's own files have about twenty
TOKENS_BETWEEN_CHECKS = 100  # of the limits: asking for the time costs as much as a token
TEXT_LEVEL = 9  # an outline level that is none
WordReader = Callable[[int | None], None]


class RichTextReader:
    """Reads one file."""

    def __init__(self, limits: ReadingLimits) -> None:
        self.body, self.title, self.headers, self.footers = (BlockCollector() for _ in range(4))
        self.comments: list[Comment] = []
        self.progress = ReadingProgress(limits)
        self._group = self._closed = Group(self.body)
        self._outer: list[Group] = []
        self._is_starred = False
        self._bytes = bytearray()  # characters of several bytes may be pending
        self._skip = 0  # characters that repeat one of Unicode
        self._surrogates = SurrogateJoiner()
        self._excess = 0  # groups that are open beyond the limit
        self._encoding = USUAL_ENCODING
        self._definitions = Definitions()
        self._author = BlockCollector()
        self._notes: Counter[NumeralFormat] = Counter()
        self._words = self._word_readers()

    def read(self, tokens: Iterable[Token]) -> None:
        for index, token in enumerate(tokens):
            if token.kind != "byte":
                self._flush()
            self._token(token)
            if not self._outer or (index % TOKENS_BETWEEN_CHECKS == 0 and self.progress.is_over()):
                break  # what follows the outermost group is no part of the document
        self._flush()
        self._excess = 0
        while self._outer:  # the end of the file is missing
            self._close()
        for each in (self.body, self.headers, self.footers):
            each.end()

    def _token(self, token: Token) -> None:
        if token.kind == "open":
            self._open()
        elif token.kind == "close":
            self._close()
        elif token.kind == "word":
            self._word(token)
        elif token.kind == "sign":
            self._sign(token.text)
        else:
            self._characters(token)

    def _open(self) -> None:
        self._skip = 0
        if len(self._outer) == DEPTH_LIMIT:
            self._excess += 1
        else:
            self._outer.append(self._group)
            self._group = self._group.opened()

    def _close(self) -> None:
        self._skip = 0
        if self._excess:
            self._excess -= 1
            return
        self._closed = self._group
        if self._outer:
            self._group = self._outer.pop()
        if self._closed.on_close and not self._closed.is_skipped:
            self._closed.on_close()

    def _word(self, token: Token) -> None:
        starred, self._is_starred = self._is_starred, False
        self._skip = 0
        if token.text in UNSEEN or (starred and token.text not in STARRED):
            self._group.is_skipped = True
        elif reader := self._words.get(token.text):
            reader(token.number)
        elif sign := SIGNS.get(token.text):
            self._add(sign)

    def _sign(self, sign: str) -> None:
        if sign == "*":
            self._is_starred = True
        elif sign in "\r\n":
            self._paragraph_end()
        else:
            self._add({"~": "\u00a0", "_": "-", "-": ""}.get(sign, sign if sign in "{}\\" else ""))

    def _characters(self, token: Token) -> None:
        text = token.text[self._skip :]
        self._skip = max(self._skip - len(token.text), 0)
        if token.kind == "byte" or not text.isascii() or self._font.is_symbol:
            self._bytes += text.encode("latin-1")
        else:
            self._add(text)

    @property
    def _font(self) -> Font:
        return self._definitions.font(self._group.font)

    def _flush(self) -> None:
        """Decodes pending bytes by the font's character set, else by the file's."""
        if not self._bytes:
            return
        pending, self._bytes, font = bytes(self._bytes), bytearray(), self._font
        if font.is_symbol:
            self._add("".join(symbol(code, font.name) for code in pending))
        else:
            self._add(pending.decode(ENCODINGS.get(font.charset, self._encoding), "replace"))

    def _add(self, text: str) -> None:
        group = self._group
        if group.room != "text":
            if not group.is_skipped:
                self._definitions.add(text, group.room)
        elif text and not group.is_skipped and not group.look.is_hidden and not group.is_deleted:
            group.into.add(without_private_letters(text, self._font.name), group.look)
            self.progress.chars += len(text)

    def _word_readers(self) -> dict[str, WordReader]:
        """Control words that change what follows, end something, or begin a group of its own."""
        return {
            "u": self._unicode,
            "uc": lambda number: self._set(replacements=min(max(number or 0, 0), 10)),
            "ansicpg": lambda number: setattr(self, "_encoding", encoding_of_page(number or 0)),
            "f": self._set_font,
            "fcharset": lambda number: setattr(self._definitions, "charset", number or 0),
            "s": self._set_style,
            "plain": lambda _: self._set(look=TextLook(), is_deleted=False),
            "deleted": lambda number: self._set(is_deleted=number != 0),
            "v": lambda number: self._set_look(is_hidden=number != 0),
            **dict.fromkeys(("strike", "striked"), lambda number: self._set_look(is_struck=number != 0)),
            "super": lambda number: self._set_look(position="raised" if number != 0 else ""),
            "sub": lambda number: self._set_look(position="lowered" if number != 0 else ""),
            "nosupersub": lambda _: self._set_look(position=""),
            "pard": lambda _: self._set(form=ParagraphFormat()),
            "intbl": lambda _: self._set_form(is_in_table=True),
            "ilvl": lambda number: self._set_form(list_level=min(number or 0, TEXT_LEVEL)),
            "outlinelevel": self._set_outline_level,
            **dict.fromkeys(("par", "sect", "page"), lambda _: self._paragraph_end()),
            "cell": lambda _: self._group.into.end_cell(self._group.form),
            "row": lambda _: self._group.into.end_row(),
            "trowd": lambda _: self._group.into.begin_row(),
            "trhdr": lambda _: self._group.into.mark_header(),
            "cellx": self._cell_edge,
            "ftnalt": lambda _: self._set(numeral="roman"),
            "fonttbl": lambda _: self._set(room="fonts"),
            "stylesheet": lambda _: self._set(room="styles"),
            "info": lambda _: self._collect(BlockCollector()),
            "title": lambda _: self._collect(self.title),
            "atnauthor": lambda _: self._collect_author(),
            "annotation": lambda _: self._collect_comment(),
            "footnote": lambda _: self._collect_note(),
            **dict.fromkeys(("listtext", "pntext"), lambda _: self._collect_marker()),
            **dict.fromkeys(("shptxt", "dptxbxtext"), lambda _: self._collect_box()),
            **dict.fromkeys(("header", "headerl", "headerr", "headerf"), lambda _: self._collect(self.headers)),
            **dict.fromkeys(("footer", "footerl", "footerr", "footerf"), lambda _: self._collect(self.footers)),
        }

    def _set(self, **changes: Any) -> None:
        for name, value in changes.items():
            setattr(self._group, name, value)

    def _set_look(self, **changes: Any) -> None:
        self._set(look=replace(self._group.look, **changes))

    def _set_form(self, **changes: Any) -> None:
        self._set(form=replace(self._group.form, **changes))

    def _set_font(self, number: int | None) -> None:
        if self._group.room == "fonts":
            self._definitions.begin(number or 0)
        self._set(font=number or 0)

    def _set_style(self, number: int | None) -> None:
        if self._group.room == "styles":
            self._definitions.begin(number or 0)
        else:
            style = self._definitions.style(number or 0)
            self._set_form(heading_level=style.heading_level, is_title=style.is_title)

    def _set_outline_level(self, number: int | None) -> None:
        if self._group.room == "text" and number is not None:
            self._set_form(heading_level=number + 1 if 0 <= number < TEXT_LEVEL else 0)

    def _unicode(self, number: int | None) -> None:
        self._add(self._surrogates.join(number or 0))
        self._skip = self._group.replacements

    def _cell_edge(self, number: int | None) -> None:
        if not self._group.is_skipped:
            self._group.into.add_edge(number or 0)

    def _paragraph_end(self) -> None:
        if not self._group.is_skipped:
            self._group.into.end_paragraph(self._group.form)

    def _collect(self, into: BlockCollector, then: Callable[[], None] | None = None) -> None:
        """Collects the rest of this group apart. `then` runs at its end, in the group around it."""

        def close() -> None:
            into.end()
            if then:
                then()

        self._set(into=into, form=ParagraphFormat(), look=TextLook(), on_close=close)

    def _collect_marker(self) -> None:
        marker = BlockCollector()
        self._collect(marker, lambda: self._group.into.mark_item(marker.text))

    def _collect_author(self) -> None:
        self._author = BlockCollector()
        self._collect(self._author)

    def _collect_comment(self) -> None:
        remark = BlockCollector()
        self._collect(remark, lambda: self.comments.append(Comment(self._author.text, remark.text)))

    def _collect_box(self) -> None:
        box = BlockCollector()
        self._collect(box, lambda: self._group.into.add_after(box.blocks))

    def _collect_note(self) -> None:
        note = BlockCollector()
        self._set(numeral="decimal")
        self._collect(note, lambda: self._end_note(note))

    def _end_note(self, note: BlockCollector) -> None:
        numeral = self._closed.numeral
        self._notes[numeral] += 1
        mark = f"note {format_numeral(self._notes[numeral], numeral)}"
        if text := note.text:
            self._add(f" ({mark})")
            self._group.into.add_after([Block("paragraph", f"({mark}) {text}")])
