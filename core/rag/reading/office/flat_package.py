"""Turns an Office file that was saved as one XML document (Flat OPC) into the ZIP file that it stands for. Pure."""

from __future__ import annotations

import base64
import zipfile
from io import BytesIO

from lxml import etree

from core.rag.reading.office.zip_package import parse_xml, refuse_damage

NAMESPACE = "http://schemas.microsoft.com/office/2006/xmlPackage"
PKG = f"{{{NAMESPACE}}}"


def pack_parts(body: bytes) -> bytes:
    """Raises UnreadableDocument for damaged XML."""
    with refuse_damage("this Office file cannot be read: its XML is damaged"):
        packed = BytesIO()
        with zipfile.ZipFile(packed, "w") as parts:
            for part in parse_xml(body).iterfind(f"{PKG}part"):
                parts.writestr(part.get(f"{PKG}name", "").lstrip("/"), part_content(part))
        return packed.getvalue()


def part_content(part: etree._Element) -> bytes:
    data = part.find(f"{PKG}xmlData")
    if data is not None:
        return b"".join(etree.tostring(root, with_tail=False) for root in data)
    return base64.b64decode(part.findtext(f"{PKG}binaryData") or "")
