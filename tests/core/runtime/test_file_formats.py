"""Recognizing the encoding and the delimiter of a text."""

from __future__ import annotations

import codecs

import pytest

from core.runtime.file_formats import guess_delimiter, split_byte_order_mark


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_a_byte_order_mark_names_the_encoding(encoding: str) -> None:
    """The rest is the text without the mark."""
    data = "\ufeffété".encode(encoding)
    found, rest = split_byte_order_mark(data)
    assert (found, rest.decode(encoding)) == (encoding, "été")


def test_data_without_a_mark_stays() -> None:
    """No encoding is guessed."""
    assert split_byte_order_mark(b"abc") == (None, b"abc")
    assert split_byte_order_mark(codecs.BOM_UTF8[:2]) == (None, codecs.BOM_UTF8[:2])


@pytest.mark.parametrize(
    ("lines", "delimiter"),
    [
        (["nom;prix", "été;1,50", "hiver;2,25"], ";"),
        (['a;"b,c,d,e"'], ";"),
        (['a,"first line', 'second; line",b'], ","),
        (['id;"a name, in short, and'], ";"),
        (['id;"Name, first name, title\n'], ";"),
        (['"a ""b, c"" d, e, f";g'], ";"),
        (['size 5";price', '5";2', '7";3'], ";"),
        (["a\tb", "", "c\td"], "\t"),
        ([], ";"),
    ],
)
def test_the_delimiter_of_csv(lines: list[str], delimiter: str) -> None:
    """Quoted cells and blank lines do not count; decimal commas stand in fewer lines than the delimiter."""
    assert guess_delimiter(lines) == delimiter
