"""The names of OpenDocument's elements and attributes (OASIS OpenDocument 1.3, part 3), and their values. Pure."""

from __future__ import annotations

from core.rag.reading.office.zip_package import Element

NAMESPACE = "urn:oasis:names:tc:opendocument:xmlns:{}:1.0"
OFFICE, TEXT, TABLE, DRAW, STYLE = (
    f"{{{NAMESPACE.format(name)}}}" for name in ("office", "text", "table", "drawing", "style")
)
DC = "{http://purl.org/dc/elements/1.1/}"
XLINK = "{http://www.w3.org/1999/xlink}"
XML_ID = "{http://www.w3.org/XML/1998/namespace}id"
# Deleted text, templates of indexes, forms and labels. Everything else that holds text is shown.
UNSEEN = frozenset(
    (f"{TEXT}tracked-changes", f"{TEXT}table-of-content-source", f"{TEXT}illustration-index-source",
     f"{TEXT}table-index-source", f"{TEXT}object-index-source", f"{TEXT}user-index-source",
     f"{TEXT}alphabetical-index-source", f"{TEXT}bibliography-source", f"{TEXT}number", f"{TEXT}label",
     f"{TEXT}dde-connection-decls", f"{OFFICE}forms", f"{OFFICE}event-listeners", f"{OFFICE}binary-data",
     f"{TABLE}shapes", f"{TEXT}script")
)  # fmt: skip


def is_hidden(element: Element) -> bool:
    """Tells whether a section, a paragraph or a text is hidden by itself, or by a condition that is true."""
    shown, state = element.get(f"{TEXT}display", ""), element.get(f"{TEXT}is-hidden", "")
    return str(shown) == "none" or str(state) == "true"


def whole_number(element: Element, name: str, default: int = 1) -> int:
    """Returns an attribute's number; `default` for what is none."""
    value = element.get(name, "")
    return int(value) if value.isdecimal() and len(value) < 10 else default
