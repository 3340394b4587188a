"""Builds Word files from WordprocessingML, part by part, because libraries write few of its elements."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

W_NAMESPACE = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
NAMESPACES = " ".join(
    f'xmlns:{prefix}="{uri}"'
    for prefix, uri in {
        "w": W_NAMESPACE,
        "r": OFFICE,
        "m": "http://schemas.openxmlformats.org/officeDocument/2006/math",
        "mc": "http://schemas.openxmlformats.org/markup-compatibility/2006",
        "wp": "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing",
        "a": "http://schemas.openxmlformats.org/drawingml/2006/main",
        "wps": "http://schemas.microsoft.com/office/word/2010/wordprocessingShape",
        "c": "http://schemas.openxmlformats.org/drawingml/2006/chart",
        "dgm": "http://schemas.openxmlformats.org/drawingml/2006/diagram",
        "v": "urn:schemas-microsoft-com:vml",
        "w14": "http://schemas.microsoft.com/office/word/2010/wordml",
    }.items()
)
MAIN_TYPES = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "docm": "application/vnd.ms-word.document.macroEnabled.12",
    "dotx": "application/vnd.openxmlformats-officedocument.wordprocessingml.template",
    "dotm": "application/vnd.ms-word.template.macroEnabledTemplate.12",
}
MAIN_CONTENT = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
    "docm": "application/vnd.ms-word.document.macroEnabled.main+xml",
    "dotx": "application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml",
    "dotm": "application/vnd.ms-word.template.macroEnabledTemplate.main+xml",
}
ROOTS = {"numbering": "numbering", "styles": "styles", "footnotes": "footnotes", "endnotes": "endnotes",
         "comments": "comments", "settings": "settings", "header": "hdr", "footer": "ftr"}  # fmt: skip


def run(text: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def paragraph(content: str, properties: str = "") -> str:
    """`content`: a text, or XML."""
    inner = content if content.startswith("<") or not content else run(content)
    return f"<w:p><w:pPr>{properties}</w:pPr>{inner}</w:p>"


def listed(text: str, level: int = 0, list_id: int = 1) -> str:
    return paragraph(text, f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{list_id}"/></w:numPr>')


def styled(text: str, style: str) -> str:
    return paragraph(text, f'<w:pStyle w:val="{style}"/>')


def style(style_id: str, name: str, paragraph_properties: str = "", *, base: str = "", run_properties: str = "") -> str:
    based = f'<w:basedOn w:val="{base}"/>' if base else ""
    properties = f"<w:pPr>{paragraph_properties}</w:pPr><w:rPr>{run_properties}</w:rPr>"
    return f'<w:style w:type="paragraph" w:styleId="{style_id}"><w:name w:val="{name}"/>{based}{properties}</w:style>'


def level(number: int, number_format: str, pattern: str, more: str = "", start: int = 1) -> str:
    return (
        f'<w:lvl w:ilvl="{number}"><w:start w:val="{start}"/><w:numFmt w:val="{number_format}"/>{more}'
        f'<w:lvlText w:val="{pattern}"/></w:lvl>'
    )


def abstract_list(definition_id: int, *levels: str) -> str:
    return f'<w:abstractNum w:abstractNumId="{definition_id}">{"".join(levels)}</w:abstractNum>'


def list_of(list_id: int, definition_id: int, overrides: str = "") -> str:
    return f'<w:num w:numId="{list_id}"><w:abstractNumId w:val="{definition_id}"/>{overrides}</w:num>'


def cell(content: str, properties: str = "") -> str:
    inner = content if content.startswith("<") else paragraph(content)
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{inner}</w:tc>"


def row(*cells: str, properties: str = "") -> str:
    inner = "".join(each if each.startswith("<w:") else cell(each) for each in cells)
    return f"<w:tr><w:trPr>{properties}</w:trPr>{inner}</w:tr>"


def table(*rows: str) -> str:
    return f"<w:tbl><w:tblPr/><w:tblGrid/>{''.join(rows)}</w:tbl>"


def control(content: str, properties: str = "") -> str:
    """A content control around blocks, runs, rows or a cell."""
    return f"<w:sdt><w:sdtPr>{properties}</w:sdtPr><w:sdtContent>{content}</w:sdtContent></w:sdt>"


def tracked(change: str, content: str) -> str:
    """`change`: "ins", "del", "moveFrom" or "moveTo"."""
    inner = content if content.startswith("<") else run(content)
    inner = inner.replace("w:t>", "w:delText>").replace("<w:t ", "<w:delText ") if change == "del" else inner
    return f'<w:{change} w:id="1" w:author="A. Roy" w:date="2026-05-02T09:00:00Z">{inner}</w:{change}>'


def mark_of(change: str) -> str:
    """The properties of a paragraph whose end is inserted, deleted or moved."""
    return f'<w:rPr><w:{change} w:id="1" w:author="A. Roy"/></w:rPr>'


def field_of(code: str, result: str) -> str:
    """A field in its complex form."""
    begin, separate, end = (f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>' for kind in ("begin", "separate", "end"))
    return f"{begin}<w:r><w:instrText> {code} </w:instrText></w:r>{separate}{run(result) if result else ''}{end}"


def text_box(content: str) -> str:
    """A box in both of its forms, as Word writes it."""
    return (
        '<w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wp:anchor><a:graphic><a:graphicData><wps:wsp>'
        f"<wps:txbx><w:txbxContent>{content}</w:txbxContent></wps:txbx></wps:wsp></a:graphicData></a:graphic></wp:anchor>"
        f"</w:drawing></mc:Choice><mc:Fallback><w:pict><v:textbox><w:txbxContent>{content}</w:txbxContent></v:textbox>"
        "</w:pict></mc:Fallback></mc:AlternateContent></w:r>"
    )


def note(kind: str, note_id: int, text: str) -> str:
    return f'<w:{kind} w:id="{note_id}"><w:p><w:r><w:{kind}Ref/></w:r>{run(" " + text)}</w:p></w:{kind}>'


def note_mark(kind: str, note_id: int) -> str:
    return f'<w:r><w:rPr><w:vertAlign w:val="superscript"/></w:rPr><w:{kind}Reference w:id="{note_id}"/></w:r>'


def comment(comment_id: int, author: str, text: str) -> str:
    return f'<w:comment w:id="{comment_id}" w:author="{author}">{paragraph(text)}</w:comment>'


def edge_section(kinds: str = "header footer", more: str = "") -> str:
    """The properties of a section with headers and footers."""
    references = "".join(f'<w:{kind}Reference w:type="default" r:id="{kind}"/>' for kind in kinds.split())
    return f"<w:sectPr>{references}{more}</w:sectPr>"


def word_file(
    body: str, *, title: str = "", form: str = "docx", strict: bool = False, other: Mapping[str, str] | None = None,
    **parts: str,
) -> bytes:  # fmt: skip
    """`parts`: the content of numbering, styles, footnotes, header … `other`: whole parts by kind."""
    written = {f"word/{kind}.xml": wrap(ROOTS[kind], content) for kind, content in parts.items()}
    written |= {f"word/{kind}.xml": content for kind, content in (other or {}).items()}
    kinds = (*parts, *(other or {}))
    links = "".join(relationship(kind, f"{kind}.xml", kind) for kind in kinds)
    written["word/_rels/document.xml.rels"] = relationships(links)
    written["word/document.xml"] = wrap("document", f"<w:body>{body}</w:body>")
    written["_rels/.rels"] = relationships(
        relationship("officeDocument", "word/document.xml", "r1")
        + f'<Relationship Id="r2" Type="{PACKAGE}/relationships/metadata/core-properties" Target="docProps/core.xml"/>'
    )
    written["docProps/core.xml"] = (
        f'<c:coreProperties xmlns:c="{PACKAGE}/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<dc:title>{title}</dc:title></c:coreProperties>"
    )
    written["[Content_Types].xml"] = (
        f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType="application/'
        'vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/word/document.xml" ContentType="{MAIN_CONTENT[form]}"/></Types>'
    )
    return packed({name: to_strict(content) if strict else content for name, content in written.items()})


def wrap(root: str, content: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><w:{root} {NAMESPACES}>{content}</w:{root}>'


def relationships(content: str) -> str:
    return f'<Relationships xmlns="{PACKAGE}/relationships">{content}</Relationships>'


def relationship(kind: str, target: str, relationship_id: str) -> str:
    return f'<Relationship Id="{relationship_id}" Type="{OFFICE}/{kind}" Target="{target}"/>'


def to_strict(content: str) -> str:
    """Strict Office Open XML has other namespaces."""
    strict = content
    for room, name in (("wordprocessingml", "main"), ("officeDocument", "relationships"), ("officeDocument", "math")):
        usual = f"http://schemas.openxmlformats.org/{room}/2006/{name}"
        strict = strict.replace(usual, f"http://purl.oclc.org/ooxml/{room}/{name}")
    return strict


def packed(parts: Mapping[str, str | bytes]) -> bytes:
    """Returns a ZIP file."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in parts.items():
            target.writestr(name, content)
    return written.getvalue()
