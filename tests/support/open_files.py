"""Builds OpenDocument texts from XML, part by part."""

from __future__ import annotations

from collections.abc import Mapping

from tests.support.word_files import packed

ODT = "application/vnd.oasis.opendocument.text"
NAMESPACES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in (
        ("office", "office"), ("text", "text"), ("table", "table"), ("draw", "drawing"), ("style", "style"),
        ("meta", "meta"),
    )
) + ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xlink="http://www.w3.org/1999/xlink"'  # fmt: skip


def paragraph(content: str, style: str = "") -> str:
    return f'<text:p text:style-name="{style}">{content}</text:p>'


def heading(content: str, level: int = 1) -> str:
    return f'<text:h text:outline-level="{level}">{content}</text:h>'


def listing(*items: str, attributes: str = 'text:style-name="L1"') -> str:
    """`items`: the content of each, in XML or as text."""
    inner = "".join(
        f"<text:list-item>{each if each.startswith('<') else paragraph(each)}</text:list-item>" for each in items
    )
    return f"<text:list {attributes}>{inner}</text:list>"


def number_level(
    level: int, numeral: str, *, prefix: str = "", suffix: str = ".", shown: int = 1, start: int = 1
) -> str:
    return (
        f'<text:list-level-style-number text:level="{level}" style:num-format="{numeral}" style:num-prefix="{prefix}" '
        f'style:num-suffix="{suffix}" text:display-levels="{shown}" text:start-value="{start}"/>'
    )


def list_style(name: str, *levels: str) -> str:
    return f'<text:list-style style:name="{name}">{"".join(levels)}</text:list-style>'


def text_style(name: str, properties: str, parent: str = "") -> str:
    return (
        f'<style:style style:name="{name}" style:family="text" style:parent-style-name="{parent}">'
        f"<style:text-properties {properties}/></style:style>"
    )


def cell(content: str, attributes: str = "") -> str:
    inner = content if content.startswith("<") else paragraph(content)
    return f"<table:table-cell {attributes}>{inner}</table:table-cell>"


def row(*cells: str) -> str:
    inner = "".join(each if each.startswith("<table") else cell(each) for each in cells)
    return f"<table:table-row>{inner}</table:table-row>"


def table(*rows: str) -> str:
    return f"<table:table>{''.join(rows)}</table:table>"


def note(mark: str, content: str, kind: str = "footnote") -> str:
    return (
        f'<text:note text:note-class="{kind}"><text:note-citation>{mark}</text:note-citation>'
        f"<text:note-body>{paragraph(content)}</text:note-body></text:note>"
    )


def open_file(
    body: str,
    *,
    styles: str = "",
    edges: str = "",
    outline: str = "",
    title: str = "",
    flat: bool = False,
    other: Mapping[str, str] | None = None,
) -> bytes:
    """`edges`: the content of the master page. `flat`: as one XML file. `other`: further parts by name."""
    automatic = f"<office:automatic-styles>{styles}</office:automatic-styles>"
    text = f"<office:body><office:text>{body}</office:text></office:body>"
    common = f"<office:styles><text:outline-style>{outline}</text:outline-style></office:styles>" if outline else ""
    pages = f"<office:master-styles><style:master-page>{edges}</style:master-page></office:master-styles>"
    meta = f"<office:meta><dc:title>{title}</dc:title></office:meta>"
    if flat:
        return wrap("document", f"{meta}{common}{automatic}{pages}{text}").encode()
    return packed(
        {
            "mimetype": ODT,
            "content.xml": wrap("document-content", automatic + text),
            "styles.xml": wrap("document-styles", common + pages),
            "meta.xml": wrap("document-meta", meta),
            "META-INF/manifest.xml": "<manifest/>",
            **(other or {}),
        }
    )


def wrap(root: str, content: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<office:{root} {NAMESPACES}>{content}</office:{root}>'
