"""Numbers of lists and notes, as documents show them."""

from __future__ import annotations

import pytest

from core.rag.reading.numerals import NumeralFormat, format_numeral


@pytest.mark.parametrize(
    ("number", "numeral", "shown"),
    [
        (12, "decimal", "12"),
        (7, "padded", "07"),
        (7, "padded3", "007"),
        (1, "letter", "a"),
        (26, "LETTER", "Z"),
        (28, "letter", "bb"),
        (28, "alphabet", "ab"),
        (703, "ALPHABET", "AAA"),
        (4, "roman", "iv"),
        (1999, "ROMAN", "MCMXCIX"),
        (1, "ordinal", "1st"),
        (22, "ordinal", "22nd"),
        (113, "ordinal", "113th"),
        (0, "roman", "0"),
        (-3, "letter", "-3"),
        (999_999_999, "ROMAN", "999999999"),
    ],
)
def test_a_number_is_written(number: int, numeral: NumeralFormat, shown: str) -> None:
    """Word processors repeat letters after z, browsers count on. Other numbers have none, and are decimal."""
    assert format_numeral(number, numeral) == shown
