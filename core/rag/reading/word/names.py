"""The names of WordprocessingML's elements, and which of them are seen when all changes are accepted. Pure.

ECMA-376, part 1, chapter 17. Wrappers (content controls, smart tags, insertions, links) may stand around anything.
"""

from __future__ import annotations

from collections.abc import Iterator

from core.rag.reading.office.zip_package import Element

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
W14 = "{http://schemas.microsoft.com/office/word/2010/wordml}"
MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
VAL = f"{W}val"
ALTERNATIVES = f"{MC}AlternateContent"
# Deleted and moved text, properties, and what is no text. Everything else that holds text is shown.
UNSEEN = frozenset(
    (f"{W}del", f"{W}moveFrom", f"{W14}conflictDel", f"{W}pPr", f"{W}rPr", f"{W}tblPr", f"{W}tblGrid", f"{W}tblPrEx",
     f"{W}trPr", f"{W}tcPr", f"{W}sdtPr", f"{W}sdtEndPr", f"{W}customXmlPr", f"{W}smartTagPr", f"{W}sectPr",
     f"{W}instrText", f"{W}delText", f"{W}delInstrText", f"{W}fldData")
)  # fmt: skip


def visible_children(parent: Element, wanted: frozenset[str]) -> Iterator[Element]:
    """Yields the nearest descendants with a wanted tag, in reading order, through wrappers of any kind."""
    for child in parent:
        if child.tag in wanted:
            yield child
        elif child.tag == ALTERNATIVES:
            yield from visible_children(chosen_alternative(child), wanted)
        elif child.tag not in UNSEEN and not is_placeholder(child):
            yield from visible_children(child, wanted)


def chosen_alternative(alternatives: Element) -> Element:
    """Returns the newest form, or the fallback if that has no text. Both hold the same content."""
    forms = [child for child in alternatives if child.tag in (f"{MC}Choice", f"{MC}Fallback")]
    with_text = (form for form in forms if next(form.iter(f"{W}t"), None) is not None)
    return next(with_text, forms[0] if forms else alternatives)


def is_placeholder(element: Element) -> bool:
    """Tells whether this is a content control that nobody filled in: "Click here to enter text."."""
    if element.tag != f"{W}sdt":
        return False
    return is_on(element.find(f"{W}sdtPr/{W}showingPlcHdr"))


def is_on(toggle: Element | None) -> bool:
    """Tells whether a property is there and not switched off."""
    return toggle is not None and toggle.get(VAL, "true") not in ("0", "false", "off")


def value_of(parent: Element | None, *path: str) -> str:
    """Returns the `w:val` of the element at this path below `parent`; "" if there is none."""
    found = None if parent is None else parent.find("/".join(f"{W}{name}" for name in path))
    return "" if found is None else found.get(VAL, "")


def number_of(parent: Element | None, *path: str, default: int = 0) -> int:
    """Returns a whole number at this path, as `value_of` does."""
    value = value_of(parent, *path).strip()
    return int(value) if value.lstrip("-").isdecimal() and len(value) < 10 else default
