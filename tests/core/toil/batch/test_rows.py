"""Rows from bytes: CSV as spreadsheets write it, and JSON lines."""

from __future__ import annotations

import csv
import io
import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadRequest
from core.toil.batch.rows import InputLine, LineSplitter, Row, UnreadableRow, csv_rows, json_rows

# CSV cannot carry single carriage returns, NUL or lone surrogates.
CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=12)


def split_at(data: bytes, cuts: list[int]) -> list[bytes]:
    """`data`, split at these places."""
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(places)]


@given(st.lists(st.binary(max_size=20).filter(lambda b: b"\n" not in b)), st.lists(st.integers(0, 1000), max_size=6))
def test_splitter_returns_the_lines(lines: list[bytes], cuts: list[int]) -> None:
    """This includes lines that arrive in parts. Blank lines are counted and skipped."""
    splitter = LineSplitter(1000)
    actual = [line for chunk in split_at(b"\n".join(lines), cuts) for line in splitter.feed(chunk)] + list(
        splitter.end()
    )

    expected = [
        InputLine(n, raw.removeprefix(b"\xef\xbb\xbf" if n == 1 else b"").strip()) for n, raw in enumerate(lines, 1)
    ]
    assert [line for line in expected if line.raw] == actual


def test_too_long_line_is_reported_and_dropped() -> None:
    """The next line is read as usual."""
    lines = LineSplitter(10)
    assert [] == [line for _ in range(1000) for line in lines.feed(b"x" * 9)]
    assert [InputLine(1, None), InputLine(2, b"ok")] == list(lines.feed(b"\nok\n"))


@given(st.lists(st.dictionaries(st.text(max_size=5), st.one_of(st.integers(), st.text(max_size=9), st.none()))))
def test_each_json_object_is_a_row(rows: list[dict[str, Any]]) -> None:
    """The row's number is its line number."""
    data = "\n".join(json.dumps(row) for row in rows).encode()

    assert [Row(number, row) for number, row in enumerate(rows, 1)] == list(json_rows([data]))


def test_malformed_json_line_is_one_unreadable_row() -> None:
    """The row has its line number and a reason; later lines are read."""
    data = b'{"a": 1}\n\n{"a": \n[1]\n{"a": 1, "a": 2}\n\xff\n{"a": 2}'
    rows = list(json_rows([data]))

    assert [1, 3, 4, 5, 6, 7] == [row.number for row in rows]
    reasons = [row.error.message for row in rows if isinstance(row, UnreadableRow)]
    assert ["not valid JSON" in reasons[0], "object" in reasons[1], "twice" in reasons[2], "UTF-8" in reasons[3]] == [
        True
    ] * 4
    assert Row(7, {"a": 2}) == rows[-1]


@given(
    st.lists(st.lists(CELLS, min_size=2, max_size=2).filter(any), max_size=8),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.lists(st.integers(0, 1000), max_size=5),
)
def test_csv_round_trip(rows: list[list[str]], delimiter: str, encoding: str, cuts: list[int]) -> None:
    """It works with each delimiter and byte order mark, with line breaks inside quotes, and with quoted blanks."""
    out = io.StringIO()
    begins_blank = any(cell.startswith(" ") for row in rows for cell in row)  # a blank before an unquoted cell is none
    csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL if begins_blank else csv.QUOTE_MINIMAL).writerows(
        [["nom", "été"], *rows]
    )

    read = csv_rows(split_at(out.getvalue().encode(encoding), cuts))

    expected = [Row(n, {"nom": a, "été": b}) for n, (a, b) in enumerate(rows, 1)]
    assert expected == list(read)


def test_csv_row_of_wrong_length_is_one_unreadable_row() -> None:
    """The row is counted, and the next is read."""
    rows = list(csv_rows([b"a,b\n1,2\n3\n4,5\n"]))

    assert isinstance(rows[1], UnreadableRow)
    assert "1 fields" in rows[1].error.message
    assert Row(3, {"a": "4", "b": "5"}) == rows[2]


@pytest.mark.parametrize(
    ("data", "fragment"),
    [
        (b"", "empty"),
        (b"a,,b\n", "column 2"),
        (b"a,b,a\n", "`a`"),
        (b'a,b\n1,2\n3,"x"y\n', "row 2 (line 3)"),
        (b'a,b\n1,"never closed\n', "row 1"),
        (b"a,b\n1,2\n\xe9t\xe9,3\n", "line 3: not utf-8"),
        (b"a,b\n" + b"x" * 3_000_000, "line 2"),
    ],
)
def test_malformed_csv_is_refused(data: bytes, fragment: str) -> None:
    """The error names the place: the next row cannot be found."""
    with pytest.raises(BadRequest) as caught:
        list(csv_rows(data[at : at + 65536] for at in range(0, len(data) + 1, 65536)))

    assert fragment in caught.value.message


def test_csv_in_a_named_encoding() -> None:
    """French spreadsheets on Windows write cp1252."""
    assert [Row(1, {"nom": "été", "n": "1"})] == list(csv_rows(["nom;n\nété;1\n".encode("cp1252")], encoding="cp1252"))
    with pytest.raises(BadRequest, match="no encoding"):
        list(csv_rows([b"a\n1\n"], encoding="latin-9000"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be"])
def test_a_first_line_can_name_the_separator(encoding: str) -> None:
    """Excel writes "sep=;", which is no row. UTF-16 needs no byte order mark."""
    source = "sep=;\r\nville;frais, taxes\r\nMontréal;12,50\r\n".encode(encoding)

    assert [Row(1, {"ville": "Montréal", "frais, taxes": "12,50"})] == list(csv_rows([source]))
