"""Reads what people add to a PDF: form fields, free text, comments, and the names of attached files. Pure."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

import pypdfium2.raw as pdfium

from core.rag.documents import one_line
from core.rag.reading.office.comments import Comment
from core.rag.reading.pdf.words import Word

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage

ANNOTATIONS_LIMIT = 2000  # of a page
VALUE_BYTES = 64_000
HIDDEN = pdfium.FPDF_ANNOT_FLAG_HIDDEN | pdfium.FPDF_ANNOT_FLAG_NOVIEW
PASSWORD_FLAG = 1 << 13  # of text fields: PDF 32000-1, table 228
MARKS = (
    pdfium.FPDF_ANNOT_HIGHLIGHT,
    pdfium.FPDF_ANNOT_UNDERLINE,
    pdfium.FPDF_ANNOT_SQUIGGLY,
    pdfium.FPDF_ANNOT_STRIKEOUT,
)
MARKED_WORDS = 50
NO_COMMENTS = (pdfium.FPDF_ANNOT_LINK, pdfium.FPDF_ANNOT_POPUP)  # a popup shows the comment of another annotation
# Names that programs give to fields: "Text1", "Check Box 2", "f1_03".
MADE_UP_NAME = re.compile(
    r"(?:text|check|box|field|fill|undefined|untitled|drop|down|combo|list|button|radio|group|champ|case|texte|[\W\d_])*|[a-z]{1,2}[\W\d_]+",
    re.IGNORECASE,
)
FIELD_GAP, LABEL_GAP = 6.0, 1.5  # of the size: between a field and its label, and between words of the label
CHECKED, UNCHECKED = "[x]", "[ ]"
INDEX = re.compile(r"\[\d+\]|^#")  # of names that XFA made: "Page1[0].Name[0]"

WideReader = Callable[[ctypes.Array[ctypes.c_ushort] | None, int], int]


@dataclass(slots=True)
class PageAnnotations:
    """All that people added to one page."""

    fields: list[str] = field(default_factory=list)  # "name: value", or "[x] name"
    free_texts: list[str] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)


class AnnotationReader:
    """Reads the annotations of one document. A field of several widgets is read at its first one."""

    def __init__(self, pdf: PdfDocument) -> None:
        self._form = pdf.formenv.raw if pdf.formenv else None
        self._seen: set[str] = set()

    def read(self, page: PdfPage, words: Sequence[Word]) -> PageAnnotations:
        """`words`: those of the page, to name what a comment is about. Empty and secret fields are left out."""
        found = PageAnnotations()
        near = () if page.get_rotation() else words
        for annotation in visible_annotations(page):
            kind = pdfium.FPDFAnnot_GetSubtype(annotation)
            if kind == pdfium.FPDF_ANNOT_WIDGET:
                found.fields += self._field(annotation, near) if self._form else ()
            elif kind == pdfium.FPDF_ANNOT_FREETEXT and (text := annotation_text(annotation, "Contents")):
                found.free_texts.append(text)
            elif kind not in NO_COMMENTS and (text := annotation_text(annotation, "Contents")):
                about = words_below(annotation, near)
                author = annotation_text(annotation, "T")
                found.comments.append(Comment(author, text, "" if about == one_line(text) else about))
        if all(line.startswith(UNCHECKED) for line in found.fields):
            found.fields = []  # nobody filled in this page
        return found

    def _field(self, widget: pdfium.FPDF_ANNOTATION, words: Sequence[Word]) -> Iterator[str]:
        """Yields the field as "name: value", or as "[x] name" for a box."""
        kind = pdfium.FPDFAnnot_GetFormFieldType(self._form, widget)
        name = self._text(pdfium.FPDFAnnot_GetFormFieldName, widget)
        label = self._text(pdfium.FPDFAnnot_GetFormFieldAlternateName, widget) or short_name(name)
        is_box = kind in (pdfium.FPDF_FORMFIELD_CHECKBOX, pdfium.FPDF_FORMFIELD_RADIOBUTTON)
        if MADE_UP_NAME.fullmatch(label):
            label = printed_label(widget, words, is_box=is_box) or label
        if kind == pdfium.FPDF_FORMFIELD_CHECKBOX:
            checked = pdfium.FPDFAnnot_IsChecked(self._form, widget)
            yield f"{CHECKED if checked else UNCHECKED} {label}"
        elif kind == pdfium.FPDF_FORMFIELD_RADIOBUTTON:
            if pdfium.FPDFAnnot_IsChecked(self._form, widget):
                yield self._choice(widget, name, label, words)
        elif name not in self._seen and (value := self._value(kind, widget)):
            self._seen.add(name)
            yield f"{label}: {value}"

    def _choice(self, widget: pdfium.FPDF_ANNOTATION, name: str, label: str, words: Sequence[Word]) -> str:
        """Returns the chosen button of a group, by the words beside it where its value means nothing."""
        value = self._text(pdfium.FPDFAnnot_GetFormFieldValue, widget)
        if MADE_UP_NAME.fullmatch(value) or MADE_UP_NAME.fullmatch(short_name(name)):
            value = printed_label(widget, words, is_box=True) or value
        return f"{CHECKED} {label}" if value == label else f"{label}: {value}"

    def _value(self, kind: int, widget: pdfium.FPDF_ANNOTATION) -> str:
        if kind in (pdfium.FPDF_FORMFIELD_COMBOBOX, pdfium.FPDF_FORMFIELD_LISTBOX):
            return ", ".join(self._chosen(widget)) or self._text(pdfium.FPDFAnnot_GetFormFieldValue, widget)
        is_secret = pdfium.FPDFAnnot_GetFormFieldFlags(self._form, widget) & PASSWORD_FLAG
        if kind != pdfium.FPDF_FORMFIELD_TEXTFIELD or is_secret:
            return ""
        return self._text(pdfium.FPDFAnnot_GetFormFieldValue, widget)

    def _chosen(self, widget: pdfium.FPDF_ANNOTATION) -> Iterator[str]:
        for index in range(min(pdfium.FPDFAnnot_GetOptionCount(self._form, widget), ANNOTATIONS_LIMIT)):
            if pdfium.FPDFAnnot_IsOptionSelected(self._form, widget, index):
                yield wide_text(partial(pdfium.FPDFAnnot_GetOptionLabel, self._form, widget, index))

    def _text(self, get: Callable[..., int], widget: pdfium.FPDF_ANNOTATION) -> str:
        return one_line(wide_text(partial(get, self._form, widget)))


@contextmanager
def opened(page: PdfPage, index: int) -> Iterator[pdfium.FPDF_ANNOTATION]:
    annotation = pdfium.FPDFPage_GetAnnot(page, index)
    try:
        yield annotation
    finally:
        if annotation:
            pdfium.FPDFPage_CloseAnnot(annotation)


def visible_annotations(page: PdfPage) -> Iterator[pdfium.FPDF_ANNOTATION]:
    """Yields the visible annotations, each valid until the next one."""
    for index in range(min(pdfium.FPDFPage_GetAnnotCount(page), ANNOTATIONS_LIMIT)):
        with opened(page, index) as annotation:
            if annotation and not pdfium.FPDFAnnot_GetFlags(annotation) & HIDDEN:
                yield annotation


def annotation_text(annotation: pdfium.FPDF_ANNOTATION, key: str) -> str:
    """Returns a text of the annotation's dictionary: "Contents", or "T" for its author."""
    return wide_text(partial(pdfium.FPDFAnnot_GetStringValue, annotation, key.encode())).strip()


def wide_text(read: WideReader) -> str:
    """Calls a function of PDFium that writes UTF-16 into a buffer and returns its size in bytes, with the last zero."""
    size = min(read(None, 0), VALUE_BYTES)
    if size <= 2:
        return ""
    buffer = (ctypes.c_ushort * (size // 2 + 1))()
    if read(buffer, size) > size:
        return ""
    return bytes(buffer)[: size - 2].decode("utf-16-le", "replace").rstrip("\0")


def words_below(annotation: pdfium.FPDF_ANNOTATION, words: Sequence[Word]) -> str:
    """Returns the words that a highlight covers, on a page that is not turned."""
    box = pdfium.FS_RECTF()
    if pdfium.FPDFAnnot_GetSubtype(annotation) not in MARKS or not pdfium.FPDFAnnot_GetRect(annotation, box):
        return ""
    covered = (
        word.text
        for word in words
        if box.left - 1 <= word.left and word.right <= box.right + 1 and -box.top <= word.baseline <= -box.bottom
    )
    return " ".join(islice(covered, MARKED_WORDS))


def words_before(widget: pdfium.FPDF_ANNOTATION, words: Sequence[Word]) -> str:
    """Returns the words on the left of a field that stand close together: its label on the page."""
    box = pdfium.FS_RECTF()
    if not pdfium.FPDFAnnot_GetRect(widget, box):
        return ""
    label: list[str] = []
    edge = box.left
    row = [word for word in words if -box.top <= word.baseline <= -box.bottom + 2 and word.right <= box.left + 2]
    for word in sorted(row, key=lambda word: -word.left):
        if edge - word.right > (LABEL_GAP if label else FIELD_GAP) * word.size:
            break
        label.insert(0, word.text)
        edge = word.left
    return " ".join(label).rstrip(" :_.…")


def printed_label(widget: pdfium.FPDF_ANNOTATION, words: Sequence[Word], *, is_box: bool) -> str:
    """Returns a field's label on the page: mostly on the right of a box, on the left of other fields or above them."""
    if is_box:
        return words_after(widget, words) or words_before(widget, words)
    return words_before(widget, words) or words_above(widget, words)


def words_after(widget: pdfium.FPDF_ANNOTATION, words: Sequence[Word]) -> str:
    box = pdfium.FS_RECTF()
    if not pdfium.FPDFAnnot_GetRect(widget, box):
        return ""
    row = [word for word in words if -box.top <= word.baseline <= -box.bottom + 2 and word.left >= box.right - 2]
    return " ".join(near_words(sorted(row, key=lambda word: word.left), box.right))


def words_above(widget: pdfium.FPDF_ANNOTATION, words: Sequence[Word]) -> str:
    """Returns the words just above a field, from its left edge on."""
    box = pdfium.FS_RECTF()
    if not pdfium.FPDFAnnot_GetRect(widget, box):
        return ""
    above = [
        word
        for word in words
        if 0 <= -box.top - word.baseline <= word.size and box.left - 2 <= word.left and word.right <= box.right + 2
    ]
    return " ".join(near_words(sorted(above, key=lambda word: word.left), box.left)).rstrip(" :_.…")


def near_words(row: Sequence[Word], edge: float) -> Iterator[str]:
    """Yields the words of a row, from the left, that stand close together; the first one close to the edge."""
    gap = FIELD_GAP
    for word in row:
        if word.left - edge > gap * word.size:
            return
        yield word.text
        edge, gap = word.right, LABEL_GAP


def short_name(name: str) -> str:
    """Returns the last part of a field's full name: "form1[0].Page1[0].Surname[0]" → "Surname"."""
    return INDEX.sub("", name).rpartition(".")[2].replace("_", " ").strip() or name


def attachment_names(pdf: PdfDocument) -> list[str]:
    count = min(pdf.count_attachments(), ANNOTATIONS_LIMIT)
    names = (one_line(pdf.get_attachment(index).get_name()) for index in range(count))
    return [name for name in names if name]
