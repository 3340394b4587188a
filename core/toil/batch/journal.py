"""The output file of a batch, which is also its memory: a finished row is a line, appended and synced.

Beside it lies `<output>.job`: what the batch is, so that no other is gone on with by mistake, and a lock, so that no
two runs write at once. After `kill -9` a line may be torn; it is cut off, and its row is asked again.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from core import strict_json
from core.contract import Json
from core.errors import BadRequest, StorageError
from core.runtime.atomic_files import sync_folder
from core.toil.batch.answers import Outcome
from core.toil.batch.recovery import CodeOf, NumberOf, Recovered, recover

VERSION = 1


class OtherJob(BadRequest):
    """The output belongs to another batch; `differs` names in what."""

    def __init__(self, message: str, differs: tuple[str, ...]) -> None:
        super().__init__(message)
        self.differs = differs


class InUse(BadRequest):
    """Another run writes this output."""


class Journal:
    """Open until `close`. `record` may be called from any thread."""

    def __init__(self, output: BinaryIO, job: BinaryIO, recovered: Recovered, digests: dict[int, str]) -> None:
        self.recovered = recovered
        self._output = output
        self._job = job
        self._digests = digests
        self._writing = threading.Lock()

    def check(self, number: int, digest: str) -> None:
        """That a row, where it cannot be told beforehand, is the one of the run before. Raises OtherJob."""
        if self._digests.pop(number, digest) != digest:
            raise OtherJob(f"row {number} is not the row that was answered before", ("rows",))
        if number not in self.recovered.done:
            self._digests[number] = digest

    def record(self, outcomes: Sequence[Outcome]) -> None:
        """Returns when they are on disk. Raises StorageError."""
        lines = b"".join(strict_json.dump(outcome.line) + b"\n" for outcome in outcomes)
        known = ((outcome.number, self._digests.pop(outcome.number, "")) for outcome in outcomes)
        marks = "".join(f"{number} {digest}\n" for number, digest in known if digest)
        with self._writing:
            try:
                write_all(self._job, marks.encode())
                write_all(self._output, lines)
                os.fsync(self._output.fileno())
            except OSError as exc:
                raise StorageError(f"the output cannot be written: {exc.strerror}") from exc

    def close(self) -> None:
        """Waits for what is being recorded; the lock goes with the file."""
        with self._writing:
            self._output.close()
            self._job.close()


def open_journal(
    path: Path, job: Mapping[str, Json], number_of: NumberOf, code_of: CodeOf, *, anew: bool = False
) -> Journal:
    """Begins, or goes on where a run of the same `job` ended. `anew`: whatever is there is thrown away.

    Raises OtherJob, InUse, BadRequest for an output that is not ours, StorageError.
    """
    try:
        return opened(path, dict(job), number_of, code_of, anew=anew)
    except OSError as exc:
        raise StorageError(f"{path} cannot be written: {exc.strerror}") from exc


def opened(path: Path, job: dict[str, Json], number_of: NumberOf, code_of: CodeOf, *, anew: bool) -> Journal:
    beside = path.with_name(path.name + ".job")
    held = open(beside, "a+b", buffering=0)  # noqa: SIM115, PTH123 - closed by the journal
    output = None
    try:
        lock(held, path)
        output = open(path, "a+b", buffering=0)  # noqa: SIM115, PTH123
        if anew:
            output.truncate(0)
            held.truncate(0)
        digests = settle(held, output, path, {"version": VERSION, **job})
        with path.open("rb") as lines:
            recovered = recover(lines, number_of, code_of)
        output.truncate(recovered.size)
        sync_folder(path.parent)
    except BaseException:
        held.close()
        if output is not None:
            output.close()
        raise
    return Journal(output, held, recovered, digests)


def lock(held: BinaryIO, path: Path) -> None:
    """Held until the file is closed, and so also until the process is gone, however it goes."""
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        raise InUse(f"another run is writing {path}") from exc


def settle(held: BinaryIO, output: BinaryIO, path: Path, job: dict[str, Json]) -> dict[int, str]:
    """Compares the job with the one that is noted, or notes it; the digests of rows that were noted."""
    held.seek(0)
    first, *marks = held.read().split(b"\n")
    if not marks:  # empty, or the note itself was torn: then nothing was answered yet
        if output.seek(0, os.SEEK_END):
            raise OtherJob(f"{path} is there already and is not the output of a batch", ("output",))
        held.truncate(0)
        write_all(held, strict_json.dump(job) + b"\n")
        os.fsync(held.fileno())
        return {}
    before = noted(first)
    if differs := tuple(sorted(key for key in job.keys() | before.keys() if job.get(key) != before.get(key))):
        raise OtherJob(f"{path} belongs to another batch: {', '.join(differs)} differ", differs)
    held.truncate(len(b"\n".join([first, *marks[:-1]])) + 1)
    return dict(filter(None, map(mark_of, marks)))


def noted(line: bytes) -> dict[str, Json]:
    try:
        job = json.loads(line)
    except ValueError:
        job = None
    return job if isinstance(job, dict) else {}


def mark_of(mark: bytes) -> tuple[int, str] | None:
    number, _, digest = mark.decode(errors="replace").partition(" ")
    return (int(number), digest) if number.isdecimal() and digest else None


def write_all(file: BinaryIO, data: bytes) -> None:
    """The kernel may take less than it was given, as when the disk is nearly full."""
    while data:
        data = data[os.write(file.fileno(), data) :]
