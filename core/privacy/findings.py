"""The kinds of personal information, and the passages that have it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple, get_args

BuiltInKind = Literal[
    "sin",
    "payment_card",
    "email",
    "telephone",
    "postal_code",
    "passport",
    "health_card",
    "birth_date",
]
BUILT_IN_KINDS: tuple[BuiltInKind, ...] = get_args(BuiltInKind)


class Finding(NamedTuple):
    """A passage with personal information. `kind`: a built-in one, or the name of an operator's pattern.

    A tuple, because a long text can have 100,000 of them.
    """

    kind: str
    start: int
    end: int


def without_overlaps(findings: Iterable[Finding]) -> list[Finding]:
    """Joins findings that overlap into one, of the longest one's kind. Returns them by their place."""
    joined: list[Finding] = []
    longest = 0
    for finding in sorted(findings, key=lambda each: (each.start, -each.end)):
        length = finding.end - finding.start
        if not joined or finding.start >= joined[-1].end:
            joined.append(finding)
            longest = length
            continue
        last = joined[-1]
        kind = finding.kind if length > longest else last.kind
        longest = max(longest, length)
        joined[-1] = Finding(kind, last.start, max(last.end, finding.end))
    return joined
