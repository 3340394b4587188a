"""Reads pip's lock files. Knows nothing of pip."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path


def blocks(text: str) -> list[tuple[str, str]]:
    """(distribution, its lines) for each pin; one that differs by Python version appears more than once."""
    pins = re.split(r"\n(?=[A-Za-z0-9])", text.strip())
    return [(re.split(r"[=\s;]", pin, maxsplit=1)[0], pin + "\n") for pin in pins if pin]


def without(text: str, distribution: str) -> str:
    return "".join(pin for name, pin in blocks(text) if name != distribution)


def only(text: str, distribution: str) -> str:
    return "".join(pin for name, pin in blocks(text) if name == distribution)


def hashes(pins: str) -> list[str]:
    """The sha256 sums that a pin allows."""
    return sorted(re.findall(r"--hash=sha256:([0-9a-f]{64})", pins))


def digest(*files: Path) -> str:
    """One sum over the contents of `files`, to see whether anything changed."""
    sums = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
    return hashlib.sha256(" ".join(sums).encode()).hexdigest()
