"""The rules of written French that a program can check. No other module repeats them.

Source: Le guide de rédaction (Translation Bureau) and the OQLF, in Canadian use.
"""

from __future__ import annotations

import re

CODE = re.compile(r"`[^`]*`|\w+://\S+|--[\w-]+")  # code, URLs and options are not French
RULES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("U+00A0 goes before a colon", re.compile(r"(?<!\u00a0):(?=\s|$)")),
    ("U+00A0 goes inside «\u00a0»", re.compile(r"«(?!\u00a0)|(?<!\u00a0)»")),
    ("U+00A0 goes before % and $", re.compile(r"(?<!\u00a0)%|(?<=[\d}])\ ?\$")),
    (
        "U+00A0 goes between a number and its unit",
        re.compile(r"[\d}][ ]?(?<!\u00a0)(?:s|min|h|j|o|ko|Mo|Go|Kio|Mio|Gio)\b"),
    ),
    ("no space goes before ? ! ;", re.compile(r"\s[?!;]")),
    ("the apostrophe is ’", re.compile("'")),
    ("the quotation marks are « »", re.compile('[“”"]')),
    ("a decimal comma", re.compile(r"(?<![\d.])\d+\.\d+(?![\d.])")),
    ("the ellipsis is …", re.compile(r"\.\.\.")),
    ("vous, not tu", re.compile(r"\b(?:tu|te|toi|ton|ta|tes)\b|\b[Tt]’", re.IGNORECASE)),
    (
        "vous, not tu: an imperative",
        re.compile(
            r"(?<!je )(?<!je vous )(?<!je ne )(?<!j’)\b(?:dis|réponds|écris|fais|choisis|attends|remplis|lis|mets)\b",
            re.IGNORECASE,
        ),
    ),
    (
        "OQLF: courriel, téléverser, clavarder, agent conversationnel",
        re.compile(r"\b(?:e-?mail|upload\w*|chat|chatbot|bot|robot)s?\b(?!\.txt)", re.IGNORECASE),
    ),
)


def french_faults(text: str) -> list[str]:
    """Returns the rules that `text` breaks, each with the passage. `{value}` stands for a value."""
    prose = CODE.sub("0", text)
    return [
        f"{rule}: {prose[max(0, found.start() - 20) : found.end() + 10]!r}"
        for rule, pattern in RULES
        for found in pattern.finditer(prose)
    ]
