"""The groups of an RTF file: what a group inherits, and which groups hold text that a reader sees. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from core.rag.reading.numerals import NumeralFormat
from core.rag.reading.office.inline_text import TextLook
from core.rag.reading.rich_text.collector import BlockCollector, ParagraphFormat

Room = Literal["text", "fonts", "styles"]
# Of the groups that begin with \*, these hold text. The others are for programs that know them.
STARRED = frozenset(("shpinst", "shptxt", "annotation", "atnauthor", "do", "dptxbxtext", "shppict"))
UNSEEN = frozenset(
    ("colortbl", "pict", "fldinst", "fldtype", "shprslt", "sp", "nonesttables", "nesttableprops", "xe", "tc", "rxe",
     "bkmkstart", "bkmkend", "filetbl", "listtable", "listoverridetable", "revtbl", "rsidtbl", "objdata", "objclass",
     "objname", "template", "formfield", "datafield", "ftnsep", "ftnsepc", "ftncn", "aftnsep", "aftnsepc", "aftncn",
     "atnid", "atndate", "atnref", "atnparent", "atntime", "atnicn", "pn", "private", "generator", "themedata",
     "colorschememapping", "latentstyles", "datastore", "nextfile", "shppict", "mmathPr", "panose", "falt")
)  # fmt: skip
SIGNS = {
    "tab": "\t", "line": "\n", "emdash": "—", "endash": "–", "emspace": " ", "enspace": " ", "qmspace": " ",
    "bullet": "•", "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”", "nestcell": ", ",
    "nestrow": "; ",
}  # fmt: skip


@dataclass(slots=True)
class Group:
    """The state inside a group. A group in it begins with a copy."""

    into: BlockCollector
    room: Room = "text"
    is_skipped: bool = False
    form: ParagraphFormat = field(default_factory=ParagraphFormat)
    look: TextLook = field(default_factory=TextLook)
    is_deleted: bool = False
    font: int = -1
    replacements: int = 1  # characters after one of Unicode, for programs that do not know it
    numeral: NumeralFormat = "decimal"  # of the note that this group is
    on_close: Callable[[], None] | None = None

    def opened(self) -> Group:
        return replace(self, on_close=None)
