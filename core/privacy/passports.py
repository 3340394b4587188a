"""Passports of Canada: two letters and six digits, or since 2023 a letter, six digits and two letters; and the lines of
a passport that machines read (ICAO 9303).

https://www.canada.ca/en/immigration-refugees-citizenship/services/canadian-passports.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.privacy.detection_context import TextInContext
from core.privacy.digits import BEGINS, ENDS
from core.privacy.findings import Finding

KIND = "passport"
# Alone, the number must be written as it is printed. Some pairs of letters mark other things than passports.
PREFIXES = (
    "BC BN CR DR FY HR ID IR IT MR NB NO NS ON PE PN PO PR QA RF RQ SK SN SO SR TR WO AR CA EX FA IN MB NL NT NU QC YT "
)
OTHER_PREFIXES = frozenset(PREFIXES.split())
NUMBER = re.compile(rf"{BEGINS}(?<![#/\\-])(?:([A-Z]{{2}})\d{{6}}|[A-Z]\d{{6}}[A-Z]{{2}}){ENDS}(?!-[^\W_])")
LABELLED = re.compile(
    rf"\D{{0,30}}?{BEGINS}([a-z]{{2}}[ ./-]{{0,2}}\d{{3}}[ ./-]?\d{{3}}"
    rf"|[a-z][ ./-]{{0,2}}\d{{3}}[ ./-]?\d{{3}}[ ./-]{{0,2}}[a-z]{{2}}){ENDS}"
)
MACHINE_READABLE = re.compile(
    r"(?<![A-Z0-9<])(?:P[A-Z<][A-Z]{3}[A-Z<]{20,39}|[A-Z0-9<]{9}\d[A-Z]{3}\d{7}[MFX<]\d{7}[A-Z0-9<]{0,16})"
)


def find(text: TextInContext) -> Iterator[Finding]:
    for match in MACHINE_READABLE.finditer(text.plain):
        if "<<" in match[0] or text.labels.has(KIND, match.start() - 60, match.start()):
            yield Finding(KIND, *match.span())
    for match in text.after_labels(KIND, LABELLED, folded=True):
        yield Finding(KIND, *match.span(1))
    for match in NUMBER.finditer(text.plain):
        names_other = match[1] in OTHER_PREFIXES or text.labels.names_thing(text.plain, match.start(), KIND)
        if not names_other:
            yield Finding(KIND, *match.span())
