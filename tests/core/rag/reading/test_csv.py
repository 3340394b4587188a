"""CSV files become tables whose rows keep the names of their columns."""

from __future__ import annotations

import codecs
from functools import partialmethod

import pytest

from core.contract import Omission
from core.errors import UnreadableDocument
from core.rag.documents import Document
from core.rag.reading.formats import read_document
from core.rag.reading.reader_process import answer
from core.rag.reading.table_layout import COLUMNS_LIMIT
from core.rag.reading.tables.sheets import RowBudget

FEES = "Ville,Frais\nMontréal,12\nQuébec,7\n"
FEES_TABLE = "| Ville | Frais |\n| --- | --- |\n| Montréal | 12 |\n| Québec | 7 |"


def read(source: str | bytes, media_type: str = "text/csv", name: str = "") -> Document:
    return read_document(source if isinstance(source, bytes) else source.encode(), media_type, name=name)


def text_of(document: Document) -> str:
    return "\n\n".join(passage.text for passage in document.passages)


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_each_passage_names_the_columns(sign: str) -> None:
    """Any separator works."""
    rows = [f'{number}{sign}"Name, of {number}"{sign}{"x" * 50}' for number in range(100)]
    source = codecs.BOM_UTF8 + "\r\n".join([f"Id{sign}Name{sign}Note", *rows]).encode()
    document = read(source, name="people.csv")

    assert (document.title, document.kind) == ("people", "table")
    assert len(document.passages) > 3
    header = "| Id | Name | Note |\n| --- | --- | --- |\n"
    assert all(passage.text.startswith(header) for passage in document.passages)
    assert f"| 0 | Name, of 0 | {'x' * 50} |" in document.passages[0].text


@pytest.mark.parametrize("sign", [";", "\t", ",", "|"])
def test_a_first_line_can_name_the_separator(sign: str) -> None:
    """Excel writes "sep=;"; the line is no row."""
    source = f"sep={sign}\r\nVille{sign}Frais\r\nMontréal{sign}12\r\nQuébec{sign}7\r\n"

    assert FEES_TABLE == text_of(read(source))


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "mac_roman", "cp850"]
)
def test_french_text_is_decoded(encoding: str) -> None:
    """With a byte order mark or without one; also as old Macs and DOS wrote it."""
    assert FEES_TABLE == text_of(read(FEES.encode(encoding)))


def test_a_bad_byte_spoils_nothing_else() -> None:
    """The rest stays UTF-8. A French letter of Windows-1252 is one; any other byte becomes U+FFFD."""
    source = FEES.encode() + b"Trois-Rivi\xe8res,3\nLaval,\xff\n"

    assert FEES_TABLE + "\n| Trois-Rivières | 3 |\n| Laval | \ufffd |" == text_of(read(source))


def test_decimal_commas_do_not_separate() -> None:
    """The separator stands equally often in most lines."""
    source = "Ville;Frais;Taxe\nMontréal;12,50;1,25\nQuébec;7,00;0,70\nLaval;3;0,30\n"

    assert "| Montréal | 12,50 | 1,25 |" in text_of(read(source))


def test_decimal_commas_in_each_line_do_not_separate() -> None:
    """Nor a comma in a name, where semicolons are as steady."""
    document = read("Région;Taux, en %\nEst;1,5\nOuest;2,5\n")

    assert "| Région | Taux, en % |\n| --- | --- |\n| Est | 1,5 |" in text_of(document)


def test_a_quoted_cell_may_stand_behind_a_blank() -> None:
    """Its commas separate nothing."""
    document = read('Name, City\nA. Roy, "Ottawa, Ontario"\n')

    assert "| Name | City |\n| --- | --- |\n| A. Roy | Ottawa, Ontario |" == text_of(document)


def test_lines_above_the_header_are_text() -> None:
    """Exports begin with a title and notes."""
    source = "Fees by city;;\nPeriod;2026;\n;;\nCity;Fee;Tax\nOttawa;12;1\nGatineau;7;2\n"

    assert (
        "Fees by city\n\nPeriod: 2026\n\n| City | Fee | Tax |\n| --- | --- | --- |\n| Ottawa | 12 | 1 |\n"
        "| Gatineau | 7 | 2 |"
    ) == text_of(read(source))


def test_rows_without_names_are_all_data() -> None:
    """Numbers name no column."""
    assert "| 1 | 2.5 |\n| 2 | 3.5 |" == text_of(read("1,2.5\n2,3.5\n"))


def test_rows_may_have_any_number_of_cells() -> None:
    """Longer rows, shorter rows, line breaks in cells, names that are empty or occur twice."""
    source = 'City,,Fee,Fee\nLaval,"two\nlines",1\nGatineau,x,2,3,more\n'

    assert (
        "| City |  | Fee | Fee |  |\n| --- | --- | --- | --- | --- |\n| Laval | two lines | 1 |  |  |\n"
        "| Gatineau | x | 2 | 3 | more |"
    ) == text_of(read(source))


def test_empty_lines_separate_tables() -> None:
    """Exports join several tables in a file, with notes below."""
    source = "City,Fee,Tax\nLaval,1,2\n\nCode,Meaning\nA,Approved\nB,Refused\n\nSource: registry\n"

    assert (
        "| City | Fee | Tax |\n| --- | --- | --- |\n| Laval | 1 | 2 |\n\n"
        "| Code | Meaning |\n| --- | --- |\n| A | Approved |\n| B | Refused |\n\nSource: registry"
    ) == text_of(read(source))


def test_a_list_of_one_column_has_its_name() -> None:
    """Its rows are no paragraphs."""
    assert "| City |\n| --- |\n| Laval |\n| Québec |" == text_of(read("City\nLaval\n\nQuébec\n"))


@pytest.mark.parametrize("row", ['5" pipe,2', '"5"" pipe",2', '"5" pipe,2'])
def test_quotes_inside_a_cell_stay_inside(row: str) -> None:
    """Also where the writer forgot to double them."""
    document = read(f'Part,Fee\n{row}\n"valve, small",3\n')

    assert "| valve, small | 3 |" in text_of(document)
    assert "pipe" in text_of(document)


def test_a_quote_that_never_ends_swallows_no_rows() -> None:
    """Then quotes are mere characters."""
    document = read('Part,Fee\n"pipe,2\nvalve,3\n')

    assert '| "pipe | 2 |\n| valve | 3 |' in text_of(document)


def test_rows_above_the_limit_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first ones are read."""
    monkeypatch.setattr(RowBudget, "__init__", partialmethod(RowBudget.__init__, rows=4))
    document = read("n,m\n" + "".join(f"row {number},x\n" for number in range(9)))

    assert (Omission("rows", 4, 10),) == document.omissions
    assert "row 2" in text_of(document)
    assert "row 3" not in text_of(document)


@pytest.mark.parametrize("columns", [2, 12, 60])
def test_a_long_table_is_cut_at_a_row(columns: int) -> None:
    """What is cut is told once, in rows, although each passage repeats the names of the columns."""
    names = ",".join(f"name {column}" for column in range(columns))
    source = f"{names}\n" + "".join(",".join([f"value {row}"] * columns) + "\n" for row in range(6000 // columns))
    request = {"media_type": "text/csv", "name": "", "url": None, "charset": None}
    document = answer({**request, "cpu_limit_s": 60, "text_limit_chars": 20_000}, source.encode())["document"]

    assert ["rows"] == [each["kind"] for each in document["omissions"]]
    assert sum(len(passage[0]) for passage in document["passages"]) > 14_000


def test_columns_above_the_limit_are_said() -> None:
    """The first ones are read; columns without any text do not count."""
    wide = COLUMNS_LIMIT + 5
    source = ",".join(f"c{n}" for n in range(wide)) + ",,,\n" + ",".join(map(str, range(wide))) + "\n"
    document = read(source)

    assert (Omission("columns", COLUMNS_LIMIT, wide),) == document.omissions
    assert f"c{COLUMNS_LIMIT - 1}: {COLUMNS_LIMIT - 1}" in text_of(document)


def test_tabs_separate_where_the_type_says_so() -> None:
    """Commas in texts outnumber the tabs here."""
    source = "City\tNote\na, b, c\td, e\nf, g, h\ti, j\n"

    for media_type, name in (("text/tab-separated-values", ""), ("text/plain", "notes.tsv")):
        assert "| a, b, c | d, e |" in text_of(read(source, media_type, name))


def test_a_cell_may_not_be_endless() -> None:
    """The file is refused with a reason."""
    with pytest.raises(UnreadableDocument) as refusal:
        read("a,b\nx," + "y" * 200_000)

    assert "damaged" == refusal.value.reason
