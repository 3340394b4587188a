"""Numbers as people write them: in groups, with any separator, also over the end of a line. And their check digits."""

from __future__ import annotations

import re

# Nothing of a word touches a number that is one: neither a letter nor a digit.
BEGINS = r"(?<![^\W_])"
ENDS = r"(?![^\W_])"
SPELLED = r" (?:dash|hyphen|minus|tiret|point|dot|period|space|espace|slash|underscore) "
# Between two groups: a sign or two, blanks, a word for a sign, and one end of line with the indentation after it.
TIGHT = r"[-./·_]{1,2}(?:\n {0,8})?"
LOOSE = rf"(?: {{1,3}}(?:\n {{0,8}})?|\n {{0,8}}| ?[-./·_]{{1,2}} ?(?:\n {{0,8}})?|{SPELLED})"
DIGIT = re.compile("[0-9]")
GROUP = re.compile("[0-9]+")
OTHERS = re.compile("[^0-9]+")
DOUBLED = str.maketrans("0123456789", "0246813579")  # twice the digit, and the sum of both digits of that
# What follows an amount or a quantity, which groups its digits by threes as a social insurance number does.
UNIT = re.compile(
    r" ?(?:[$€£¥%]|(?:dollars?|cad|usd|euros?|millions?|milliards?|billions?|habitants?|inhabitants|people|personnes?"
    r"|canadiens?|canadians?|visites?|visits?|visitors?|vues|views|km|m2|tonnes?|[kmgt]wh|litres?|hectares?"
    r"|units?|unités?|ménages?|households?|records?|lignes|lines|rows|pages?|votes?|voters?|électeurs?|bytes?|octets?"
    r"|[kmg]b|[kmg]o|users?|employees?|fonctionnaires?|citizens?|citoyens?|copies|exemplaires)(?![^\W_]))"
)


def group_ends(passage: str) -> list[int]:
    """The ends of the groups of digits in a passage, the last one first: a number may end before the passage does."""
    return [match.end() for match in GROUP.finditer(passage)][::-1]


def digits_of(passage: str) -> str:
    return passage if passage.isdigit() else OTHERS.sub("", passage)


def passes_luhn(digits: str) -> bool:
    """The check digit of payment cards and social insurance numbers (ISO/IEC 7812-1, annex B).

    `stdnum.luhn` takes several times as long, and a long text can have 100,000 candidates.
    """
    return sum(map(int, digits[-1::-2] + digits[-2::-2].translate(DOUBLED))) % 10 == 0


def is_amount(text: str, start: int, end: int) -> bool:
    """True if a currency stands before the number, or a currency or another unit after it. `text`: small letters."""
    before = text[max(0, start - 4) : start].rstrip()
    return before.endswith(("$", "€", "£", "cad", "usd")) or UNIT.match(text, end) is not None


def belongs_to_identifier(plain: str, start: int) -> bool:
    """True if the number goes on from letters or digits and a sign, as in "INV-046454286" or "file_046454286"."""
    sign, before = plain[max(0, start - 1) : start], plain[max(0, start - 2) : max(0, start - 1)]
    return sign == "#" or (sign in ("-", "_", "/", "\\") and sign != "" and before.isalnum())
