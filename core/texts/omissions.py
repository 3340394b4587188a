"""Says in words which part of a document was read, for the person and for the model."""

from __future__ import annotations

from collections.abc import Iterable

from core.contract import Language, Omission
from core.texts.catalogue import text


def describe_omissions(omissions: Iterable[Omission], language: Language) -> str:
    """Returns a phrase such as "the first 60 of 113 pages; pages 3 and 7 are pictures without text"."""
    return "; ".join(dict.fromkeys(describe_omission(each, language) for each in omissions))


def describe_omission(omission: Omission, language: Language) -> str:
    if omission.places:
        return text(f"source-omission-{omission.kind}", language, places=omission.places)
    if not omission.total:
        return text("source-omission-end", language)
    return text(f"source-omission-{omission.kind}", language, read=omission.read, total=omission.total)
