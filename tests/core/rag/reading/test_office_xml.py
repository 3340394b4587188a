"""Office files that are XML or text under another name."""

from __future__ import annotations

import pytest

from core.contract import Omission
from core.errors import UnreadableDocument
from core.rag.documents import Document
from core.rag.reading.formats import detect_format, read_document
from core.rag.reading.raw_document import RawDocument
from core.rag.reading.tables.workbook import workbook_rows

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
TEXT = (
    f'<w:document xmlns:w="{WORD}"><w:body><w:p><w:r><w:t>The fee is $25 a day.</w:t></w:r></w:p></w:body></w:document>'
)
RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
    f'Type="{OFFICE}/officeDocument" Target="word/document.xml"/></Relationships>'
)
PICTURE = '<pkg:part pkg:name="/word/media/image1.png"><pkg:binaryData>iVBORw0KGgo=</pkg:binaryData></pkg:part>'
EXCEL = (
    '<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>\n'
    '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
    'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet" xmlns:x="urn:schemas-microsoft-com:office:excel">'
    '<Worksheet ss:Name="Costs"><Table>'
    '<Row><Cell><Data ss:Type="String">Item</Data></Cell><Cell><Data ss:Type="String">Cost</Data></Cell>'
    '<Cell><Data ss:Type="String">Day</Data></Cell></Row>'
    '<Row ss:Index="2"><Cell><Data ss:Type="String">Pen</Data></Cell>'
    '<Cell ss:Index="3"><Data ss:Type="DateTime">2026-05-05T00:00:00.000</Data></Cell></Row>'
    '<Row><Cell><Data ss:Type="String">Ink</Data></Cell><Cell><Data ss:Type="Number">12.5</Data>'
    '<Comment ss:Author="Roy"><ss:Data>Too high</ss:Data></Comment></Cell></Row></Table></Worksheet>'
    '<Worksheet ss:Name="Old"><Table/><x:WorksheetOptions><x:Visible>SheetHidden</x:Visible></x:WorksheetOptions>'
    "</Worksheet></Workbook>"
)


def flat_package(*, program: str = '<?mso-application progid="Word.Document"?>') -> bytes:
    parts = "".join(
        f'<pkg:part pkg:name="{name}"><pkg:xmlData>{content}</pkg:xmlData></pkg:part>'
        for name, content in (("/_rels/.rels", RELATIONS), ("/word/document.xml", TEXT))
    )
    start = f'<?xml version="1.0" standalone="yes"?>{program}<pkg:package '
    return f'{start}xmlns:pkg="http://schemas.microsoft.com/office/2006/xmlPackage">{parts}{PICTURE}</pkg:package>'.encode()


def read(body: bytes, name: str) -> Document:
    return read_document(body, "", name=name)


@pytest.mark.parametrize("program", ['<?mso-application progid="Word.Document"?>', ""])
@pytest.mark.parametrize("name", ["plan.xml", "plan.doc", ""])
def test_a_word_document_in_one_xml_file_is_read(name: str, program: str) -> None:
    """Word saves it as "Word XML Document"."""
    document = read(flat_package(program=program), name)

    assert [passage.text for passage in document.passages] == ["The fee is $25 a day."]


def test_a_damaged_flat_package_is_refused() -> None:
    with pytest.raises(UnreadableDocument) as refusal:
        read(flat_package()[:-20], "plan.xml")
    assert refusal.value.reason == "damaged"


def test_word_2003_xml_is_refused_as_such() -> None:
    body = b'<w:wordDocument xmlns:w="http://schemas.microsoft.com/office/word/2003/wordml"/>'

    with pytest.raises(UnreadableDocument) as refusal:
        read(body, "plan.xml")
    assert refusal.value.reason == "old_word"


@pytest.mark.parametrize("name", ["costs.xls", "costs.xml"])
def test_an_xml_spreadsheet_is_a_workbook(name: str) -> None:
    """Values keep their columns where cells are left out, and hidden sheets are named."""
    document = read(EXCEL.encode(), name)

    assert document.passages[0].heading == "Costs"
    assert document.passages[0].text == (
        "| Item | Cost | Day |\n| --- | --- | --- |\n| Pen |  | 2026-05-05 |\n| Ink | 12.5 |  |"
    )
    assert "Too high" in document.passages[-1].text
    assert document.omissions == (Omission("hidden", 1, 2),)


def test_rows_of_an_xml_spreadsheet() -> None:
    """A job takes them as those of other workbooks."""
    assert workbook_rows(RawDocument(b"\r\n" + EXCEL.encode()))[0] == "Item,Cost,Day\nPen,,2026-05-05\nInk,12.5,\n"


def test_a_style_sheet_that_makes_spreadsheets_is_code() -> None:
    body = b'<?xml version="1.0"?><xsl:stylesheet xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"/>'

    assert "xml" == detect_format(body, "text/xml", "make.xsl")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Name,Cost,City\nAna,12,Ottawa\nLuc,13,Paris\n", "csv"),
        ("Name\tCost\nAna\t12\nLuc\t13\n", "csv"),
        ("Nom;Coût;Ville\nAna;12,5;Ottawa\nLuc;13,5;Paris\n", "csv"),
        ("Ottawa, ON, Canada\nParis, ON, Canada\nGatineau, QC, Canada\n", "text"),
        ("One line\nAnother line\nA third line\n", "text"),
        ("Dear Ana,\nthe fee,\nas agreed,\n", "text"),
        ("a,b,c\n", "text"),
    ],
)
def test_a_table_may_be_called_text(text: str, expected: str) -> None:
    """All lines have as many delimiters. Commas of prose have blanks behind them."""
    assert expected == detect_format(text.encode(), "text/plain", "export.txt")


@pytest.mark.parametrize("name", ["a.txt", "a.pdf", "a.docx", "a.csv"])
@pytest.mark.parametrize("body", [b"", b" \r\n"])
def test_an_empty_file_is_no_damaged_one(name: str, body: bytes) -> None:
    with pytest.raises(UnreadableDocument) as refusal:
        read(body, name)
    assert refusal.value.reason == "empty"
