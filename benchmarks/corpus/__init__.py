"""Documents with known text, made in code. A module for each kind; each has `samples()`.

The known text of a sample is what a reader of the document sees, in reading order: with tracked changes accepted, and
without what repeats on each page. It does not depend on how a reader renders tables or lists.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules


@dataclass(frozen=True, slots=True)
class Sample:
    """A document. `words`: its text in reading order."""

    name: str  # the file's name, with its suffix
    media_type: str
    body: bytes
    words: str


def corpus_kinds() -> list[str]:
    """Returns the kinds of documents: the modules of this package."""
    return sorted(module.name for module in iter_modules(__path__))


def samples_of_kind(kind: str) -> Iterator[Sample]:
    """Yields the samples of one module, such as "word"."""
    module = import_module(f"{__name__}.{kind}")
    yield from module.samples()
