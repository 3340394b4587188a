"""What an output file that a run left behind says: which rows are done, and where the file is whole. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from core.errors import BadRequest

NUMBER_LIMIT = 10**9  # a file that says more is none of ours
NumberOf = Callable[[dict[str, object]], object]  # the row's, in a line of the output
CodeOf = Callable[[dict[str, object]], str | None]  # of the line's error, None if it has none


class Done:
    """Row numbers, in a bit each: a million rows are 125 kB, in whatever order they come."""

    def __init__(self) -> None:
        self._bits = bytearray()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, number: int) -> bool:
        byte = number >> 3
        return byte < len(self._bits) and bool(self._bits[byte] >> (number & 7) & 1)

    def add(self, number: int) -> None:
        if number in self:
            return
        byte = number >> 3
        if byte >= len(self._bits):
            self._bits.extend(bytes(byte + 1 - len(self._bits)))
        self._bits[byte] |= 1 << (number & 7)
        self._count += 1


@dataclass(slots=True)
class Recovered:
    """`size`: bytes of whole lines; what comes after is torn and has to go."""

    done: Done = field(default_factory=Done)
    failures: Counter[str] = field(default_factory=Counter)
    size: int = 0


def recover(lines: Iterable[bytes], number_of: NumberOf, code_of: CodeOf) -> Recovered:
    """From the file's lines with their ends. Raises BadRequest for a line that no run of ours wrote.

    A crash may tear what was written last, and nothing else. A torn line lacks its line feed; where the machine lost
    power, it may also hold anything.
    """
    found = Recovered()
    torn_at: int | None = None
    for place, line in enumerate(lines, 1):
        if torn_at is not None:
            raise BadRequest(f"line {torn_at} of the output is not one that a batch wrote")
        entry = entry_of(line)
        number = number_of(entry) if entry is not None else None
        if entry is None or not isinstance(number, int) or not 0 < number < NUMBER_LIMIT:
            torn_at = place
            continue
        if number in found.done:
            raise BadRequest(f"line {place} of the output is about row {number}, as another is")
        found.done.add(number)
        found.size += len(line)
        if code := code_of(entry):
            found.failures[code] += 1
    return found


def entry_of(line: bytes) -> dict[str, object] | None:
    """None for what is not a whole line of ours."""
    if not line.endswith(b"\n"):
        return None
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None


def toil_number(entry: dict[str, object]) -> object:
    return entry.get("row") if "value" in entry or "error" in entry else None


def toil_code(entry: dict[str, object]) -> str | None:
    error = entry.get("error")
    return str(error.get("code")) if isinstance(error, dict) else None
