"""Postal codes of Canada: letter, digit, letter, digit, letter, digit.

D, F, I, O, Q and U occur in none; W and Z do not begin one (Canada Post, Addressing Guidelines).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.privacy.detection_context import TextInContext
from core.privacy.digits import SPELLED
from core.privacy.findings import Finding

KIND = "postal_code"
CODE = re.compile(
    r"(?<![^\W_])(?<![#@/])[abceghj-nprstvxy]\d[abceghj-nprstv-z]"
    rf"(?:[ ._·-]{{0,3}}(?:\n {{0,8}})?|{SPELLED})\d[abceghj-nprstv-z]\d(?![^\W_])(?![@/])"
)
BETWEEN = re.compile(rf"{SPELLED}|[^a-z0-9]")


def find(text: TextInContext) -> Iterator[Finding]:
    for match in CODE.finditer(text.folded):
        if not text.labels.names_thing(text.plain, match.start(), KIND):
            yield Finding(KIND, *match.span())


def canonical(passage: str) -> str:
    """The six characters. `passage`: a finding, in small letters."""
    return passage if len(passage) == 6 else BETWEEN.sub("", passage)
