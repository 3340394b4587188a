"""The output file of a batch, which is also its journal: each finished row is a line, appended and synced to disk.

Beside it, `<output>.job` describes the batch, so that no other batch is resumed by mistake. It also holds a lock, so
that no two runs write at once. After `kill -9` the last line may be torn: it is cut off, and its row is asked again.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from core import strict_json
from core.contract import Json
from core.errors import BadRequest, StorageError
from core.runtime.atomic_files import sync_folder
from core.runtime.disk_faults import explain_disk_fault
from core.toil.batch.answers import Outcome

VERSION = 1
ROW_NUMBER_LIMIT = 10**9  # a file with a larger number is no output of a batch
NumberOf = Callable[[dict[str, object]], object]  # the row number of an output line
CodeOf = Callable[[dict[str, object]], str | None]  # the error code of an output line


class JobMismatch(BadRequest):
    """The output belongs to another batch. `differs`: the keys that differ."""

    def __init__(self, message: str, differs: tuple[str, ...]) -> None:
        super().__init__(message)
        self.differs = differs


class OutputLocked(BadRequest):
    """Another run writes this output."""


class RowNumbers:
    """A set of row numbers, one bit each: a million rows take 125 kB, in any order."""

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
class RecoveredRows:
    """The rows in an output file. `size_bytes`: of its complete lines; the rest is torn and must go."""

    done: RowNumbers = field(default_factory=RowNumbers)
    failures: Counter[str] = field(default_factory=Counter)
    size_bytes: int = 0


def recover_rows(lines: Iterable[bytes], number_of: NumberOf, code_of: CodeOf) -> RecoveredRows:
    """Reads an output file's lines, with their line feeds. Raises BadRequest for a line that no batch wrote.

    A crash tears at most the last line: its line feed is missing or, after a power loss, it holds anything.
    """
    recovered = RecoveredRows()
    torn_at: int | None = None
    for place, line in enumerate(lines, 1):
        if torn_at is not None:
            raise BadRequest(f"line {torn_at} of the output was not written by a batch; choose another output file")
        entry = parse_entry(line)
        number = number_of(entry) if entry is not None else None
        if entry is None or not isinstance(number, int) or not 0 < number < ROW_NUMBER_LIMIT:
            torn_at = place
            continue
        if number in recovered.done:
            raise BadRequest(f"line {place} of the output repeats row {number}; choose another output file")
        recovered.done.add(number)
        recovered.size_bytes += len(line)
        if code := code_of(entry):
            recovered.failures[code] += 1
    return recovered


def parse_entry(line: bytes) -> dict[str, object] | None:
    """The entry of a line; None unless the line is a complete JSON object."""
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


class BatchProgress:
    """Counts finished rows, in this run and in those before."""

    def __init__(
        self, recovered: RecoveredRows, total: int | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.total = total
        self.before = len(recovered.done)
        self.done = self.before
        self.failures: Counter[str] = Counter(recovered.failures)
        self._clock = clock
        self._began_s = clock()

    def add(self, outcomes: Sequence[Outcome]) -> None:
        self.done += len(outcomes)
        self.failures.update(outcome.code for outcome in outcomes if outcome.code is not None)

    @property
    def failed(self) -> int:
        return self.failures.total()

    @property
    def rate(self) -> float:
        """Rows per second in this run."""
        return (self.done - self.before) / max(self._clock() - self._began_s, 1e-3)

    @property
    def left_s(self) -> float | None:
        return None if self.total is None or not self.rate else (self.total - self.done) / self.rate


class Journal:
    """Open until `close`. `record` may be called from any thread."""

    def __init__(self, output: BinaryIO, job_file: BinaryIO, recovered: RecoveredRows, digests: dict[int, str]) -> None:
        self.recovered = recovered
        self._output = output
        self._job_file = job_file
        self._digests = digests
        self._writing = threading.Lock()

    def check(self, number: int, digest: str) -> None:
        """Compares a row to that of the earlier run, for input that cannot be read twice. Raises JobMismatch."""
        if self._digests.pop(number, digest) != digest:
            raise JobMismatch(f"row {number} is not the row that was answered before", ("rows",))
        if number not in self.recovered.done:
            self._digests[number] = digest

    def record(self, outcomes: Sequence[Outcome]) -> None:
        """Returns when the outcomes are on disk. Raises StorageError."""
        lines = b"".join(strict_json.dump(outcome.line) + b"\n" for outcome in outcomes)
        digests_by_row = ((outcome.number, self._digests.pop(outcome.number, "")) for outcome in outcomes)
        digests = "".join(f"{number} {digest}\n" for number, digest in digests_by_row if digest)
        with self._writing:
            try:
                write_all(self._job_file, digests.encode())
                write_all(self._output, lines)
                os.fsync(self._output.fileno())
            except OSError as exc:
                raise StorageError(f"the output cannot be written: {explain_disk_fault(exc)}") from exc

    def close(self) -> None:
        """Waits for a running `record`. Closing the job file releases the lock."""
        with self._writing:
            self._output.close()
            self._job_file.close()


def open_journal(
    path: Path, job: Mapping[str, Json], number_of: NumberOf, code_of: CodeOf, *, anew: bool = False
) -> Journal:
    """Starts an output, or resumes the one of an earlier run of the same `job`. `anew` discards an existing output.

    Raises JobMismatch, OutputLocked, BadRequest for an output that no batch wrote, StorageError.
    """
    try:
        return open_files(path, dict(job), number_of, code_of, anew=anew)
    except OSError as exc:
        raise StorageError(f"{path} cannot be written: {explain_disk_fault(exc)}") from exc


def open_files(path: Path, job: dict[str, Json], number_of: NumberOf, code_of: CodeOf, *, anew: bool) -> Journal:
    job_path = path.with_name(path.name + ".job")
    job_file = open(job_path, "a+b", buffering=0)  # noqa: SIM115, PTH123 - closed by the journal
    output = None
    try:
        lock(job_file, path)
        output = open(path, "a+b", buffering=0)  # noqa: SIM115, PTH123
        if anew:
            output.truncate(0)
            job_file.truncate(0)
        digests = match_job(job_file, output, path, {"version": VERSION, **job})
        with path.open("rb") as lines:
            recovered = recover_rows(lines, number_of, code_of)
        output.truncate(recovered.size_bytes)
        sync_folder(path.parent)
    except BaseException:
        job_file.close()
        if output is not None:
            output.close()
        raise
    return Journal(output, job_file, recovered, digests)


def lock(job_file: BinaryIO, path: Path) -> None:
    """The kernel releases the lock when the file is closed, also by a process that is killed."""
    try:
        fcntl.flock(job_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        raise OutputLocked(f"another run is writing {path}") from exc


def match_job(job_file: BinaryIO, output: BinaryIO, path: Path, job: dict[str, Json]) -> dict[int, str]:
    """Compares the job to the recorded one, or records it. Returns the recorded digests by row number."""
    job_file.seek(0)
    first, *marks = job_file.read().split(b"\n")
    if not marks:  # empty or torn, so no row was answered yet
        if output.seek(0, os.SEEK_END):
            raise JobMismatch(f"{path} exists and is not the output of a batch; choose another file", ("output",))
        job_file.truncate(0)
        write_all(job_file, strict_json.dump(job) + b"\n")
        os.fsync(job_file.fileno())
        return {}
    before = parse_job(first)
    if differs := tuple(sorted(key for key in job.keys() | before.keys() if job.get(key) != before.get(key))):
        raise JobMismatch(f"{path} belongs to another batch: {', '.join(differs)} differ", differs)
    job_file.truncate(len(b"\n".join([first, *marks[:-1]])) + 1)
    return dict(filter(None, map(parse_digest, marks)))


def parse_job(line: bytes) -> dict[str, Json]:
    try:
        job = json.loads(line)
    except ValueError:
        job = None
    return job if isinstance(job, dict) else {}


def parse_digest(mark: bytes) -> tuple[int, str] | None:
    number, _, digest = mark.decode(errors="replace").partition(" ")
    return (int(number), digest) if number.isdecimal() and digest else None


def write_all(file: BinaryIO, data: bytes) -> None:
    """Repeats the write: the kernel may take only a part, for example on a nearly full disk."""
    while data:
        data = data[os.write(file.fileno(), data) :]
