"""Reads what people add to the pages of a PDF, from PDFium: form fields, free text, names of attachments. Pure."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import pypdfium2.raw as pdfium

from core.rag.documents import Block, one_line

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage

ANNOTATIONS_LIMIT = 2000  # of a page
VALUE_BYTES = 64_000
HIDDEN = pdfium.FPDF_ANNOT_FLAG_HIDDEN | pdfium.FPDF_ANNOT_FLAG_NOVIEW
PASSWORD_FLAG = 1 << 13  # of text fields: PDF 32000-1, table 228
CHECKED, UNCHECKED = "[x]", "[ ]"
INDEX = re.compile(r"\[\d+\]|^#")  # of names that XFA made: "Page1[0].Name[0]"

WideReader = Callable[[ctypes.Array[ctypes.c_ushort] | None, int], int]


class FormReader:
    """Reads the fields of one document. A field of several widgets is read at its first one."""

    def __init__(self, pdf: PdfDocument) -> None:
        self._form = pdf.formenv.raw if pdf.formenv else None
        self._seen: set[str] = set()

    def read(self, page: PdfPage) -> tuple[list[Block], list[Block]]:
        """Returns the page's form fields that are filled in, and its free text."""
        fields, remarks = [], []
        for annotation in visible_annotations(page):
            kind = pdfium.FPDFAnnot_GetSubtype(annotation)
            if kind == pdfium.FPDF_ANNOT_WIDGET and self._form:
                fields += [Block("item", line) for line in self._field(annotation) if line]
            elif kind == pdfium.FPDF_ANNOT_FREETEXT and (text := annotation_text(annotation, "Contents")):
                remarks.append(Block("paragraph", text))
        return fields, remarks

    def _field(self, widget: pdfium.FPDF_ANNOTATION) -> Iterator[str]:
        """Yields the field as "name: value", or as "[x] name" for a box."""
        kind = pdfium.FPDFAnnot_GetFormFieldType(self._form, widget)
        name = self._text(pdfium.FPDFAnnot_GetFormFieldName, widget)
        label = self._text(pdfium.FPDFAnnot_GetFormFieldAlternateName, widget) or short_name(name)
        if kind == pdfium.FPDF_FORMFIELD_CHECKBOX:
            checked = pdfium.FPDFAnnot_IsChecked(self._form, widget)
            yield f"{CHECKED if checked else UNCHECKED} {label}"
        elif name not in self._seen and (value := self._value(kind, widget)):
            self._seen.add(name)
            yield f"{label}: {value}"

    def _value(self, kind: int, widget: pdfium.FPDF_ANNOTATION) -> str:
        if kind in (pdfium.FPDF_FORMFIELD_COMBOBOX, pdfium.FPDF_FORMFIELD_LISTBOX):
            return ", ".join(self._chosen(widget)) or self._text(pdfium.FPDFAnnot_GetFormFieldValue, widget)
        if kind == pdfium.FPDF_FORMFIELD_RADIOBUTTON:
            value = self._text(pdfium.FPDFAnnot_GetFormFieldValue, widget)
            return "" if value == "Off" else value
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


def short_name(name: str) -> str:
    """Returns the last part of a field's full name: "form1[0].Page1[0].Surname[0]" → "Surname"."""
    return INDEX.sub("", name).rpartition(".")[2].replace("_", " ").strip() or name


def attachment_names(pdf: PdfDocument) -> list[str]:
    count = min(pdf.count_attachments(), ANNOTATIONS_LIMIT)
    names = (one_line(pdf.get_attachment(index).get_name()) for index in range(count))
    return [name for name in names if name]
