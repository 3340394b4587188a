"""Payment cards: 13 to 19 digits in the ranges of the issuers, with Luhn's check digit."""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.privacy.detection_context import TextInContext
from core.privacy.digits import BEGINS, ENDS, LOOSE, belongs_to_identifier, digits_of, passes_luhn
from core.privacy.findings import Finding

KIND = "payment_card"
# ISO/IEC 7812: the issuers' ranges, by their first digits, with the lengths of their numbers.
ISSUERS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"  # Visa
    r"|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|(?:30[0-5]|3095|36|3[89])\d{11,16}"  # Diners Club
    r"|(?:6011|64[4-9]\d|65\d\d)\d{12,15}"  # Discover
    r"|35(?:2[89]|[3-8]\d)\d{12,15}"  # JCB
    r"|62\d{14,17}"  # UnionPay
    r"|(?:50[0-9]{2}|5[6-8]\d\d|63\d\d|67\d\d)\d{9,15}"  # Maestro
    r"|220[0-4]\d{12,15}"  # Mir
    r"|(?:60|8[12])\d{14}"  # RuPay
)
GROUPED = re.compile(
    rf"{BEGINS}(?<!\d[-.])(?:\d{{4}}{LOOSE}\d{{4}}{LOOSE}\d{{4}}{LOOSE}(?:\d{{4}}(?:{LOOSE}\d{{3}})?|\d)"
    rf"|\d{{4}}{LOOSE}\d{{6}}{LOOSE}\d{{4,5}}){ENDS}"
)
BARE = re.compile(rf"{BEGINS}\d{{13,19}}{ENDS}")
ONE_BY_ONE = re.compile(rf"{BEGINS}(?<!\d[-./· _])\d(?:[-./· _]\d){{12,18}}{ENDS}(?![-./· _]\d)")
LABELLED = re.compile(rf"[^\d\n]{{0,30}}+\n?+[^\d\n]{{0,12}}+(\d(?:{LOOSE}?\d){{12,18}}){ENDS}")
NEXT_GROUP = re.compile(r" \d{4}(?!\d)")
PREVIOUS_GROUP = re.compile(r"(?<!\d)\d{4} $")


def find(text: TextInContext) -> Iterator[Finding]:
    for match in text.after_labels(KIND, LABELLED):
        if is_card(digits_of(match[1])):
            yield Finding(KIND, *match.span(1))
    for match in GROUPED.finditer(text.plain):
        if is_card(digits_of(match[0])) and not is_in_row_of_numbers(text.plain, *match.span()):
            yield Finding(KIND, *match.span())
    for pattern in (BARE, ONE_BY_ONE):
        for match in pattern.finditer(text.plain):
            if is_card(digits_of(match[0])) and not names_other_thing(text, match.start()):
                yield Finding(KIND, *match.span())


def is_card(digits: str) -> bool:
    return ISSUERS.fullmatch(digits) is not None and passes_luhn(digits)


def is_in_row_of_numbers(plain: str, start: int, end: int) -> bool:
    """True among other numbers of four digits, such as years in a table."""
    return PREVIOUS_GROUP.search(plain, max(0, start - 5), start) is not None or bool(NEXT_GROUP.match(plain, end))


def names_other_thing(text: TextInContext, start: int) -> bool:
    return text.labels.names_thing(text.plain, start, KIND) or belongs_to_identifier(text.plain, start)
