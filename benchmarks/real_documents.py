"""Real documents from packages that ship them as samples. They belong to their authors: fetched, never stored here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.packages import Package, PackageNotFetched, fetch

SUFFIXES = (".docx", ".pptx", ".pdf")
LARGEST = 10  # of each package
SIZE_LIMIT_BYTES = 3_000_000
SOURCE = ("--no-binary", ":all:")
PACKAGES = (
    Package("pypi", "python-docx", "1.2.0", "7bc9d7b7d8a69c9c02ca09216118c86552704edc23bac179283f2e38f86220ce", SOURCE),
    Package("pypi", "python-pptx", "1.0.2", "479a8af0eaf0f0d76b6f00b0887732874ad2e3188230315290cd1f9dd9cc7095", SOURCE),
    Package("pypi", "pypdf", "6.1.1", "10f44d49bf2a82e54c3c5ba3cdcbb118f2a44fc57df8ce51d6fb9b1ed9bfbe8b", SOURCE),
    Package("npm", "mammoth", "1.13.0", "fe778792e43b06dbbff93d20e22951fe1bc55a05eb04ec823961e8639c62260b"),
)


@dataclass(frozen=True, slots=True)
class RealDocument:
    name: str
    body: bytes


def real_documents() -> Iterator[RealDocument]:
    """Yields the largest documents of the packages that can be fetched; names the other packages on stderr."""
    for package in PACKAGES:
        try:
            folder = fetch(package)
        except PackageNotFetched as exc:
            print(exc, file=sys.stderr)
            continue
        for file in largest_documents(folder):
            yield RealDocument(file.name, file.read_bytes())


def largest_documents(folder: Path) -> list[Path]:
    files = [file for file in folder.rglob("*") if file.suffix in SUFFIXES and file.stat().st_size < SIZE_LIMIT_BYTES]
    return sorted(files, key=lambda file: (-file.stat().st_size, file.name))[:LARGEST]
