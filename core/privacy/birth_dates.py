"""Dates of birth: dates next to words that say so ("born on", "DOB", "née le"), or next to a person's name.

A name is a given name that is common in Canada, and one to three words that begin with a capital letter. "Born before
January 1, 1958" is a rule about many people, and no date of birth.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.privacy.dates import DATE, PART, year_of
from core.privacy.detection_context import TextInContext
from core.privacy.findings import Finding
from core.privacy.given_names import GIVEN_NAMES

KIND = "birth_date"
# Between a label and its date: signs, and the words of a form or a sentence.
FILLER = re.compile(
    r"[^\w\n]{0,8}\n?[^\w\n]{0,8}(?:(?:is|was|est|était|on|the|le|du|of|de|in|au|a|as|entered|yyyy|aaaa|mm|dd|jj|yy"
    r"|m|d|j|y|birth|year|month|day)[^\w\n]{1,4}\n?){0,6}"
)
TO_LABEL = re.compile(
    r"[^\w\n]{0,4}(?:(?:is|was|est|était)[^\w\n]{1,2})?"
    r"(?:(?:my|mon|ma|her|his|their|sa|son|the|la|le)[^\w\n]{1,2})?"
)
LABEL_REACH_CHARS = 48
FULL_NAME = re.compile(
    r"(?<![^\W_])(?:[A-ZÀ-Þ][\w'’-]{1,20},? (?:[A-ZÀ-Þ]\.? )?){1,3}(?:[A-ZÀ-Þ][\w'’-]{1,20})?[ ,;:(\[|\t–-]{1,4}$"
    r"|(?<![^\W_])[A-ZÀ-Þ][\w'’-]{1,20}[,;|\t]\"? ?[A-ZÀ-Þ][\w'’-]{1,20}[ ,;:(\[|\t–\"-]{1,4}$"
)
NAME_REACH_CHARS = 48
AFTER_NAME = ' ,;:([|\t–-".'
NAME_WORD = re.compile(r"[^\W\d_]+")
# Of people whose names are written with a date: later dates are those of decisions and events.
LATEST_YEAR = 2012


def find(text: TextInContext) -> Iterator[Finding]:
    for match in DATE.finditer(text.folded):
        if is_labelled(text, *match.span()) or is_next_to_name(text, match):
            yield Finding(KIND, *match.span())
    for label in text.labels.of(KIND):
        filler = FILLER.match(text.folded, label.end)
        if filler and (part := PART.match(text.folded, filler.end())):
            yield Finding(KIND, *part.span())


def is_labelled(text: TextInContext, start: int, end: int) -> bool:
    label = text.labels.nearest(start, LABEL_REACH_CHARS)
    is_after = label is not None and label.kind == KIND and FILLER.fullmatch(text.folded, label.end, start) is not None
    return is_after or text.is_before_label(KIND, end, TO_LABEL)


def is_next_to_name(text: TextInContext, date: re.Match[str]) -> bool:
    year = year_of(date[0])
    if year is None or year > LATEST_YEAR:
        return False
    before = text.plain[max(0, date.start() - NAME_REACH_CHARS) : date.start()]
    if not before.rstrip(AFTER_NAME)[-1:].isalpha():
        return False
    name = FULL_NAME.search(text.plain, max(0, date.start() - NAME_REACH_CHARS), date.start())
    return name is not None and not GIVEN_NAMES.isdisjoint(NAME_WORD.findall(name[0].lower()))
