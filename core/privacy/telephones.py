"""Telephone numbers of Canada and abroad, with their extensions.

A number is one by its form (groups of three, three and four with an area code in use), by the sign "+" with a country
code and a length in use there, or by a label before it. The codes and lengths are those of `phonenumbers`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import phonenumbers
from phonenumbers import PhoneMetadata

from core.privacy.detection_context import TextInContext
from core.privacy.digits import (
    BEGINS,
    ENDS,
    SPELLED,
    belongs_to_identifier,
    digits_of,
    group_ends,
    is_amount,
)
from core.privacy.findings import Finding

KIND = "telephone"
NANP = "1"  # the country code of North America
SEPARATOR = rf"(?:[ ./·_-]{{1,3}}(?:\n {{0,8}})?|\n {{0,8}}|{SPELLED})"
# Groups of three, three and four, or of three and seven.
NORTH_AMERICAN = re.compile(
    rf"(?<![^\W_])(?<![+])(?<!\d[-.])(?:\+?1{SEPARATOR}?)?(?:\([2-9]\d\d\){SEPARATOR}?|[2-9]\d\d{SEPARATOR})"
    rf"[2-9]\d\d{SEPARATOR}?\d{{4}}{ENDS}(?![-.]\d)"
)
BARE = re.compile(rf"{BEGINS}(?<![+.,])1?[2-9]\d\d[2-9]\d{{6}}{ENDS}")
INTERNATIONAL = re.compile(
    rf"(?:(?<![^\W_])(?<!\+)\+ ?|{BEGINS}(?:00|011)[ .-]?)(?=[1-9])(\(?\d(?:[ ./·()_-]{{0,3}}\d){{5,17}}){ENDS}"
)
FRENCH = re.compile(rf"{BEGINS}(?<!\d[-. ])0[1-9](?:[ .-]\d\d){{4}}{ENDS}(?![-. ]\d)")
WORDS = (
    r"(?:me|us|moi|nous|him|her|them|number|numbers|no|nº|n°|numero|numéro|is|est|was|at|au|à|the|le|la|on|direct|work"
    r"|home|bureau|domicile|maison|travail|office|perso|personal|personnel|cell|mobile|fax|or|ou|and|et|tel|tél|sur|my"
    r"|mon|ma|son|sa|his|new|nouveau)"
)
LABELLED = re.compile(
    rf"[\s:.#=(\[\"'’,;*/-]{{0,6}}+(?:{WORDS}[\s:.#=(\[\"'’/-]{{1,4}}){{0,5}}+"
    rf"((?:\+ ?)?(?:\(\d{{1,4}}\)[ .-]?)?\d(?:[ ./·_-]{{0,3}}\d){{6,14}}){ENDS}"
)
EXTENSION = re.compile(r"[ ,;(]{0,3}(?:ext(?:ension)?|x|poste|p|post|local|#)[ .:#]{0,3}\d{1,6}(?![^\W_])\)?")
EXTENSION_AT_END = re.compile(rf"(?:{EXTENSION.pattern})$")
LETTER = re.compile("[a-z]")
YEARS = re.compile(r"(?:19|20)\d\d ?[-/] ?(?:19|20)\d\d")


def find(text: TextInContext) -> Iterator[Finding]:
    for match in text.after_labels(KIND, LABELLED, folded=True):
        if not YEARS.fullmatch(match[1]) and not NORTH_AMERICAN.match(text.plain, match.start(1)):
            yield build(text, *match.span(1))
    for match in NORTH_AMERICAN.finditer(text.plain):
        if is_north_american(digits_of(match[0])) and match[0].count("\n") < 2:
            yield build(text, *match.span())
    for match in INTERNATIONAL.finditer(text.plain):
        end = international_end(match)
        if end is not None and not is_amount(text.folded, match.start(), end):
            yield build(text, match.start(), end)
    for match in FRENCH.finditer(text.plain):
        yield build(text, *match.span())
    for match in BARE.finditer(text.plain):
        if is_bare_number(text, match):
            yield build(text, *match.span())


def build(text: TextInContext, start: int, end: int) -> Finding:
    extension = EXTENSION.match(text.folded, end)
    return Finding(KIND, start, extension.end() if extension else end)


def is_bare_number(text: TextInContext, match: re.Match[str]) -> bool:
    """True for ten digits with an area code of Canada: too many other numbers begin with one of the States."""
    digits = digits_of(match[0])[-10:]
    names_other = text.labels.names_thing(text.plain, match.start(), KIND)
    is_other = names_other or belongs_to_identifier(text.plain, match.start()) or is_amount(text.folded, *match.span())
    return digits[:3] in area_codes("CA") and not is_other


def is_north_american(digits: str) -> bool:
    return digits[-10:-7] in north_american_codes()


def canonical(passage: str) -> str:
    """The digits without an extension, and without the country code of North America. `passage`: in small letters."""
    extension = EXTENSION_AT_END.search(passage) if LETTER.search(passage) or "#" in passage else None
    digits = digits_of(passage[: extension.start()] if extension else passage)
    return digits[1:] if digits.startswith(NANP) and len(digits) == 11 else digits


@cache
def north_american_codes() -> frozenset[str]:
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[1]
    return frozenset(str(code) for code in range(200, 1000) if any(is_code(region, code) for region in regions))


@cache
def area_codes(region: str) -> frozenset[str]:
    return frozenset(str(code) for code in range(200, 1000) if is_code(region, code, geographic=True))


def is_code(region: str, code: int, *, geographic: bool = False) -> bool:
    """True if numbers of the region begin with the code. `geographic`: of a place, and not toll-free."""
    metadata = PhoneMetadata.metadata_for_region(region)
    assert metadata is not None
    kinds = (
        (metadata.fixed_line,) if geographic else (metadata.fixed_line, metadata.toll_free, metadata.personal_number)
    )
    patterns = [kind.national_number_pattern for kind in kinds if kind and kind.national_number_pattern]
    return any(re.fullmatch(pattern, f"{code}2345678") for pattern in patterns)


def international_end(match: re.Match[str]) -> int | None:
    """The end of the number: digits of something else may follow it. None: it is none."""
    number = match[1]
    if is_international(digits_of(number)):
        return match.end(1)
    ends = (end for end in group_ends(number)[1:] if is_international(digits_of(number[:end])))
    return next((match.start(1) + end for end in ends), None)


def is_international(digits: str) -> bool:
    """True if the digits are a country code and a number of a length in use there."""
    if digits.startswith(NANP):
        return len(digits) == 11 and is_north_american(digits)
    code = country_code(digits[:3])
    return code is not None and len(digits) - len(code) in national_lengths(int(code))


@cache
def country_code(beginning: str) -> str | None:
    """The code with which the digits begin: no code begins with another one."""
    codes = (beginning[:length] for length in (1, 2, 3))
    return next((code for code in codes if int(code) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE), None)


@cache
def national_lengths(code: int) -> frozenset[int]:
    lengths: set[int] = set()
    for region in phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]:
        is_place = region != phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY
        metadata = (
            PhoneMetadata.metadata_for_region(region) if is_place else PhoneMetadata.metadata_for_nongeo_region(code)
        )
        assert metadata is not None
        assert metadata.general_desc is not None
        lengths.update(metadata.general_desc.possible_length)
        # "+44 (0)20 …": a zero that is dialled inside the country alone
        lengths.update(length + 1 for length in metadata.general_desc.possible_length if metadata.national_prefix)
    return frozenset(lengths)
