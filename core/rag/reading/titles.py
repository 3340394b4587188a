"""Recognises titles that programs wrote by themselves. They name no document. Pure."""

from __future__ import annotations

import re

MEANINGLESS = re.compile(
    r"""
    \W* (?: anonymous | anonyme | unknown | inconnu | none | null | title | titre | no\ title | new\ document
    | (?:untitled|sans[ -](?:titre|nom)) (?:[ -]?(?:document|presentation|présentation|spreadsheet|\d++))*+ .{0,4}
    | (?:presentation|présentation|slide|diapositive|book|classeur|workbook|layout|template|sheet|feuille
        |scan) \W* \d [\W\d]*
    | (?:(?:scanned|pdf|word|nouveau|new\ microsoft\ word)\ )?document [\W\d]*
    | (?:powerpoint|microsoft\ powerpoint)\ presentation | présentation\ (?:microsoft\ )?powerpoint
    | microsoft\ (?:word|excel|powerpoint|office|publisher)\b .*
    | (?:[a-z]:[\\/] | [\\/~] | \.\.?[\\/] | file:) .*  # a path
    | [^\s]+ \. (?:docx? | docm | dotx? | xlsx? | pptx? | pdf | ps | eps | dvi | tex | rtf | odt | odp | ods | indd
        | qxd | qxp | wpd | pmd | pub | html? | md | txt | ai | cdr | fm)  # a file's name
    | [\W\d_]*  # no letters
    ) \W*
    """,
    re.VERBOSE | re.IGNORECASE,
)


def meaningful_title(title: str) -> str:
    """Returns the title, or "" for one such as "untitled", "Document1" or "Microsoft Word - draft.docx"."""
    return "" if MEANINGLESS.fullmatch(title) else title
