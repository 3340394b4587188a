"""Writes Word's equations on a line: "(a+b)/2", "x²", "√(x)" (ECMA-376, part 1, chapter 22). Pure."""

from __future__ import annotations

from collections.abc import Callable

from core.rag.reading.office.zip_package import Element
from core.rag.reading.raised_text import lowered, raised

M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
MATH = f"{M}oMath"


def math_text(element: Element) -> str:
    """Returns the element's text."""
    name = element.tag.removeprefix(M)
    if name == "t":
        return element.text or ""
    if name == "f":
        return f"{group(element, 'num')}/{group(element, 'den')}"
    if name in ("sSup", "sSub", "sSubSup"):
        low, high = part(element, "sub"), part(element, "sup")
        return part(element, "e") + script(low, lowered, "_") + script(high, raised, "^")
    if name == "rad":
        return f"{part(element, 'deg')}√({part(element, 'e')})"
    if name == "d":
        return delimited(element)
    if name == "nary":
        return nary(element)
    return "".join(math_text(child) for child in element if isinstance(child.tag, str) and not child.tag.endswith("Pr"))


def part(element: Element, name: str) -> str:
    found = element.find(f"{M}{name}")
    return "" if found is None else math_text(found)


def group(element: Element, name: str) -> str:
    return wrapped(part(element, name))


def wrapped(text: str) -> str:
    """Puts brackets around more than one word or number."""
    return text if text.replace(".", "").isalnum() else f"({text})"


def script(text: str, write: Callable[[str, str], str], sign: str) -> str:
    """Writes digits as small ones, other text behind a sign."""
    small = write(text, "x")
    return small if small != text else f"{sign}{wrapped(text)}" if text else ""


def character(element: Element, properties: str, name: str, default: str) -> str:
    found = element.find(f"{M}{properties}/{M}{name}")
    return default if found is None else found.get(f"{M}val", "")


def delimited(element: Element) -> str:
    opening, closing = character(element, "dPr", "begChr", "("), character(element, "dPr", "endChr", ")")
    between = character(element, "dPr", "sepChr", "|")
    return opening + between.join(math_text(each) for each in element.findall(f"{M}e")) + closing


def nary(element: Element) -> str:
    low, high = part(element, "sub"), part(element, "sup")
    limits = (f"_({low})" if low else "") + (f"^({high})" if high else "")
    return f"{character(element, 'naryPr', 'chr', '∫')}{limits} {part(element, 'e')}"
