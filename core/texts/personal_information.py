"""Says which personal information was taken out of what a person sent. Names kinds and numbers, never a value."""

from __future__ import annotations

from collections.abc import Iterable

from core.contract import Language, PersonalInformation
from core.texts.catalogue import text


def masked_text(found: Iterable[PersonalInformation], language: Language) -> str:
    return text("privacy-masked", language, items=list_found(found, language))


def list_found(found: Iterable[PersonalInformation], language: Language) -> str:
    return ", ".join(count_text(each, language) for each in found)


def count_text(found: PersonalInformation, language: Language) -> str:
    if found.titles:
        return text("privacy-count", language, title=dict(found.titles)[language], count=found.count)
    return text(f"privacy-count-{found.kind}", language, count=found.count)


def add_counts(*several: Iterable[PersonalInformation]) -> tuple[PersonalInformation, ...]:
    """The kinds of all of them, each once, with the sum of its counts."""
    sums: dict[str, PersonalInformation] = {}
    for found in several:
        for each in found:
            before = sums.get(each.kind)
            count = each.count + (before.count if before else 0)
            sums[each.kind] = PersonalInformation(each.kind, count, each.titles)
    return tuple(sums.values())
