"""Numbers of the health cards of the provinces and territories.

Quebec's has letters and a date in it, and is one wherever it stands. Ontario's and British Columbia's have check
digits: written in their groups they need no label. All others are digits alone, and count after a label.

| Province or territory | Number |
|---|---|
| Alberta, Manitoba, New Brunswick, Saskatchewan, Yukon, Nunavut | 9 digits |
| British Columbia, Nova Scotia | 10 digits |
| Ontario | 10 digits and up to two letters of the version |
| Prince Edward Island | 8 digits |
| Newfoundland and Labrador | 12 digits |
| Northwest Territories | a letter and 7 digits |
| Quebec | 4 letters and 8 digits |
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stdnum.ca import bc_phn

from core.privacy.detection_context import TextInContext
from core.privacy.digits import BEGINS, DIGIT, ENDS, TIGHT, digits_of, group_ends, passes_luhn
from core.privacy.findings import Finding

KIND = "health_card"
QUEBEC = re.compile(rf"{BEGINS}([A-Z]{{4}}|[a-z]{{4}})([ .·-]{{0,2}})(\d{{4}})[ .·-]{{0,2}}\d{{4}}{ENDS}")
# Words of four letters that stand before eight digits.
NO_NAMES = (
    "ISBN ISSN FORM LINE ROOM FILE CASE CODE NOTE PART ITEM YEAR DATE FROM UPTO DOCS TASK STEP SITE UNIT LOTS MARS "
    "JUIN AOUT JULY JUNE SEPT PAGE RULE TEXT BILL PLAN ZONE TYPE "
)
OTHER_WORDS = frozenset(NO_NAMES.split())
GROUPED = re.compile(
    rf"{BEGINS}(?<!\d[-./·])\d{{4}}[ .·-]{{1,2}}\d{{3}}[ .·-]{{1,2}}\d{{3}}"
    rf"(?:[ .·-]{{0,2}}[A-Z]{{1,2}})?{ENDS}(?![-./· ]\d)"
)
FILLER = (
    r"[^\w\n]{0,8}+\n?+[^\w\n]{0,8}+(?:(?:number|num|no|nº|n°|numero|numéro|card|carte|is|est|of|de|du|d|for|pour|the|le"
    r"|la|my|mon|ma|was|était|her|his|son|sa|id|code|with|version|santé|sante|health|alberta|ontario|québec|quebec"
    r"|manitoba|saskatchewan|british|columbia|colombie|britannique|new|brunswick|nouveau|nova|scotia|nouvelle|écosse"
    r"|prince|edward|island|newfoundland|labrador|terre|neuve|yukon|northwest|territories|territoires|nord|ouest"
    r"|nunavut|ab|bc|mb|nb|nl|ns|nt|nu|on|pe|qc|sk|yt|île|édouard|colombia|province|et|and)[^\w\n]{1,4}){0,7}+"
)
LABELLED = re.compile(
    rf"{FILLER}([ndmt][ -]?\d{{3}}[ -]?\d{{4}}|[a-z]{{4}}[ .·-]{{0,2}}\d{{4}}[ .·-]{{0,2}}\d{{4}}"
    rf"|\d(?:[ .·-]{{0,2}}\d|{TIGHT}\d){{7,11}}(?![0-9]))(?:{ENDS}|(?=[a-z]{{2}}{ENDS}))"
)
VERSION = re.compile(rf"[ .·-]{{0,2}}[A-Z]{{1,2}}{ENDS}")
LENGTHS = frozenset((8, 9, 10, 12))
TELEPHONE_GROUPS = re.compile(r"\(?\d{3}\)?[ .-]{0,2}\d{3}[ .-]\d{4}")
DATE_GROUPS = re.compile(r"(?:19|20)\d\d[-./ ]\d\d[-./ ]\d\d|\d\d[-./ ]\d\d[-./ ](?:19|20)\d\d")
BARE = re.compile(rf"{BEGINS}\d{{8,12}}{ENDS}")
TO_LABEL = re.compile(
    r"[^\w\n]{0,3}(?:(?:is|was|est|était)[^\w\n]{1,2})?"
    r"(?:(?:my|mon|ma|her|his|their|sa|son|the|le|la)[^\w\n]{1,2})?"
)
WOMEN_MONTHS = 50  # Quebec adds it to a woman's month


def find(text: TextInContext) -> Iterator[Finding]:
    for match in text.after_labels(KIND, LABELLED, folded=True):
        if (end := labelled_end(match, text.plain)) is not None:
            yield Finding(KIND, match.start(1), end)
    for match in BARE.finditer(text.plain):
        if len(match[0]) in LENGTHS and text.is_before_label(KIND, match.end(), TO_LABEL):
            yield Finding(KIND, *match.span())
    for match in QUEBEC.finditer(text.plain):
        if is_quebec_number(match, text):
            yield Finding(KIND, *match.span())
    for match in GROUPED.finditer(text.plain):
        if is_grouped_number(match, text):
            yield Finding(KIND, *match.span())


def labelled_end(match: re.Match[str], plain: str) -> int | None:
    """The end of the number with its version: digits of something else may follow it. None: it is none."""
    number = match[1]
    if not DIGIT.match(number):
        return match.end(1)
    for end in group_ends(number):
        is_other = TELEPHONE_GROUPS.match(number, 0, end) or DATE_GROUPS.match(number, 0, end)
        if len(digits_of(number[:end])) in LENGTHS and not is_other:
            version = VERSION.match(plain, match.start(1) + end)
            return version.end() if version else match.start(1) + end
    return None


def is_quebec_number(match: re.Match[str], text: TextInContext) -> bool:
    """True if the digits begin with a day: year, month, day."""
    digits = digits_of(match[0])
    month, day = int(digits[2:4]), int(digits[4:6])
    is_day = 1 <= (month - WOMEN_MONTHS if month > WOMEN_MONTHS else month) <= 12 and 1 <= day <= 31
    is_written_apart = bool(match[2])
    is_name = match[1].isupper() or not is_written_apart or text.labels.has(KIND, match.start() - 40, match.start())
    return is_day and is_name and match[1].upper() not in OTHER_WORDS


def is_grouped_number(match: re.Match[str], text: TextInContext) -> bool:
    digits = digits_of(match[0])
    is_checked = passes_luhn(digits) or bc_phn.is_valid(digits)
    return is_checked and digits[0] != "0" and not text.labels.names_thing(text.plain, match.start(), KIND)
