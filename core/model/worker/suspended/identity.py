"""The identity of a state: llama.cpp restores a state only into the model and the settings that computed it.

It refuses some others and computes nonsense with the rest, so a state of another identity is never offered to it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

HEAD_BYTES = 1024 * 1024  # metadata, vocabulary and the table of tensors
SAMPLE_BYTES = 64 * 1024
SAMPLES = 64
PART = re.compile(r"-\d{5}-of-(\d{5})(?=\.gguf$)")


def fingerprint(path: Path) -> str:
    """Returns a digest of a model's content: its size, its head, and samples from its whole length.

    A digest of all bytes would take seconds for each gigabyte at every start. A model that was trained further differs
    in every tensor, so samples tell it from the one before. A moved or copied file stays the same model. Raises
    OSError.
    """
    digest = hashlib.sha256()
    for part in parts_of(path):
        size = part.stat().st_size
        digest.update(size.to_bytes(8, "little"))
        with part.open("rb") as file:
            digest.update(file.read(HEAD_BYTES))
            for number in range(1, SAMPLES + 1):
                file.seek(max(0, number * size // SAMPLES - SAMPLE_BYTES))
                digest.update(file.read(SAMPLE_BYTES))
    return digest.hexdigest()


def parts_of(path: Path) -> Iterator[Path]:
    """Yields the files of a model: one, or all parts of a split one."""
    found = PART.search(path.name)
    if not found:
        yield path
        return
    for number in range(1, int(found[1]) + 1):
        part = path.with_name(PART.sub(f"-{number:05d}-of-{found[1]}", path.name))
        if part.exists():
            yield part
