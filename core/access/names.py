"""The names under which access lists know a caller, such as "user:ana@example.gc.ca" or "group:hr". Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable

# The service itself, and its operator at the command line: every list admits it. No request can bring this name,
# because all others have a kind and a colon.
OPERATOR = "operator"
OPERATORS = frozenset((OPERATOR,))


def is_admitted(allow: Collection[str] | None, names: frozenset[str]) -> bool:
    """`allow`: an allow list; None: there is none, and everybody is admitted."""
    return allow is None or OPERATOR in names or not names.isdisjoint(map(normalize, allow))


def normalize(name: str) -> str:
    """The form in which names are compared: e-mail addresses without case, accents in one code."""
    name = unicodedata.normalize("NFC", name.strip())
    return name.casefold() if name.startswith("user:") and "@" in name else name


def build_names(kind: str, ids: Iterable[str]) -> frozenset[str]:
    return frozenset(normalize(f"{kind}:{each}") for each in ids if each)
