"""Social insurance numbers: nine digits with Luhn's check digit.

https://www.canada.ca/en/employment-social-development/services/sin.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.privacy.detection_context import TextInContext
from core.privacy.digits import (
    BEGINS,
    ENDS,
    LOOSE,
    TIGHT,
    belongs_to_identifier,
    digits_of,
    is_amount,
    passes_luhn,
)
from core.privacy.findings import Finding

KIND = "sin"
PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{BEGINS}\d{{9}}{ENDS}",
        # By threes; a fourth group makes it an address, a version or an amount.
        rf"{BEGINS}(?<!\d[-./·])\d{{3}}{TIGHT}\d{{3}}{TIGHT}\d{{3}}{ENDS}(?![-./·]\d)",
        rf"{BEGINS}(?<!\d )(?<!\d[-./·])\d{{3}}{LOOSE}\d{{3}}{LOOSE}\d{{3}}{ENDS}(?! \d{{3}}(?!\d))(?![-./·]\d)",
        # Digit by digit.
        rf"{BEGINS}(?<!\d[-./· _])\d(?:[-./· _]\d){{8}}{ENDS}(?![-./· _]\d)",
    )
)
# After a label, in any grouping.
LABELLED = re.compile(rf"[^\d\n]{{0,30}}+\n?+[^\d\n]{{0,12}}+(\d(?:{LOOSE}?\d){{8}}){ENDS}")
PROGRAM = re.compile(r" ?R[A-Z] ?\d{4}")
# No number begins with 8, and those with 0 are examples; written by threes, they still look like one.
UNUSED_STARTS = "08"


def find(text: TextInContext) -> Iterator[Finding]:
    for match in text.after_labels(KIND, LABELLED):
        if passes_luhn(digits_of(match[1])):
            yield Finding(KIND, *match.span(1))
    for pattern in PATTERNS:
        for match in pattern.finditer(text.plain):
            if is_number(text, match):
                yield Finding(KIND, *match.span())


def is_number(text: TextInContext, match: re.Match[str]) -> bool:
    digits = digits_of(match[0])
    if not passes_luhn(digits) or match[0].count("\n") > 1 or digits.endswith("00000"):
        return False
    is_bare = len(match[0]) == len(digits)
    if is_bare and (digits[0] in UNUSED_STARTS or belongs_to_identifier(text.plain, match.start())):
        return False  # with a label, it is found above
    return not (
        text.labels.names_thing(text.plain, match.start(), KIND)
        or is_amount(text.folded, *match.span())
        or is_business_number(text.plain, match.end())
    )


def is_business_number(plain: str, end: int) -> bool:
    """True if the program of a business number follows, such as "RC0001". These numbers have Luhn's digit as well."""
    return PROGRAM.match(plain, end) is not None
