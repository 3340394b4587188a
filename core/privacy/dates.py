"""Dates of days as people write them in English and French, with numbers or with the month's name."""

from __future__ import annotations

import re

from core.privacy.digits import BEGINS, ENDS

MONTHS = (
    r"(?:jan(?:uary|vier|v)?|f[eé]b(?:ruary)?|f[eé]v(?:rier|r)?|mar(?:ch|s)?|apr(?:il)?|avr(?:il)?|may|mai|june?|juin|july?"
    r"|juil(?:let)?|aug(?:ust)?|ao[uû]t|sept?(?:ember|embre)?|oct(?:ober|obre)?|nov(?:ember|embre)?|d[eé]c(?:ember|embre)?)"
)
YEAR = r"(?:19|20)\d\d"
DAY = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th|er|e)?"
SIGN = r" ?[-./ ] ?"
DATE = re.compile(
    rf"{BEGINS}(?:{YEAR}{SIGN}[01]?\d{SIGN}[0-3]?\d"  # 1985-01-31
    rf"|[0-3]?\d{SIGN}[0-3]?\d{SIGN}(?:{YEAR}|\d\d)"  # 31/01/1985, 01-31-85
    rf"|{YEAR}[01]\d[0-3]\d"  # 19850131
    rf"|{DAY}[ -](?:of |de )?{MONTHS}\.?,?[ -](?:{YEAR}|\d\d)"  # 31 January 1985, 1er mars 1985
    rf"|{MONTHS}\.? {DAY},? (?:{YEAR}|\d\d)"  # January 31, 1985
    rf"|{YEAR}[ -]{MONTHS}\.?[ -]{DAY}"  # 1985-Jan-31
    rf"){ENDS}(?![-/.]\d)"
)
# Less than a day of a year: enough after a label.
PART = re.compile(rf"{BEGINS}(?:{DAY}[ -](?:of |de )?{MONTHS}|{MONTHS}\.? {DAY}|{MONTHS}\.?,? {YEAR}){ENDS}")
YEAR_IN = re.compile(rf"(?<!\d){YEAR}")


def year_of(date: str) -> int | None:
    """The year of a date; None if it has two digits."""
    match = YEAR_IN.search(date)
    return int(match[0]) if match else None
