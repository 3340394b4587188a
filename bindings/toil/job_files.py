"""The files of a job: its rows, its plan and its answers. With them a job survives a crash.

Each job has a folder with its answer's id as name. The plan is written last, so that a plan proves that all is there.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from bindings.incoming import parse_masked
from core.contract import Channel, Json, Omission, PersonalInformation
from core.errors import BadRequest, StorageError
from core.runtime.atomic_files import write_atomically
from core.runtime.disk_faults import explain_disk_fault
from core.toil.batch.job import Job, Placeholder, Template
from core.toil.batch.journal import Journal, OutputLocked, open_journal, toil_code, toil_number
from core.toil.batch.row_input import Survey, read_chunks, survey
from core.toil.batch.rows import AnyRow, csv_rows, json_rows

RowFormat = Literal["csv", "jsonl"]
RowPromptPart = tuple[Literal["text", "column"], str]


@dataclass(frozen=True, slots=True)
class JobPlan:
    """The request for each row. `parts`: the prompt as texts and column names. Stored as JSON under these names.

    `rows_name`, `omissions`: the file of the rows, and what of it became no row.
    """

    personality: str
    schema: Mapping[str, Json]
    parts: tuple[RowPromptPart, ...]
    form: RowFormat
    total: int
    user: str
    rows_name: str = ""
    omissions: tuple[Omission, ...] = ()
    channel: Channel = "cli"
    names: tuple[str, ...] = ()  # of the person who asked, as in Prompt
    masked: tuple[PersonalInformation, ...] = ()  # taken out of the rows and the request

    def job(self) -> Job:
        parts = tuple(Placeholder(text) if kind == "column" else text for kind, text in self.parts)
        names = frozenset(self.names)
        return Job(
            self.personality, dict(self.schema), Template(parts), user=self.user, channel=self.channel, names=names
        )

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> JobPlan:
        parts = tuple((kind, text) for kind, text in value["parts"])
        omissions = tuple(Omission(**each) for each in value.get("omissions", ()))
        return cls(
            **{
                **value,
                "parts": parts,
                "omissions": omissions,
                "masked": parse_masked(value),
                "names": tuple(value.get("names", ())),
            }
        )


class JobFiles:
    """The job folders of one platform, in `folder`. Methods block and raise StorageError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load_plan(self, answer: str) -> JobPlan | None:
        """The plan of a job; None if the plan was not stored completely."""
        try:
            return JobPlan.from_json(json.loads(self._plan(answer).read_bytes()))
        except FileNotFoundError:
            return None
        except OSError as exc:
            raise storage_error(exc) from exc

    def save_rows(self, answer: str, rows: str) -> None:
        write(self._rows(answer), rows.encode("utf-8", "replace"))

    def save_plan(self, answer: str, plan: JobPlan) -> None:
        write(self._plan(answer), json.dumps(asdict(plan)).encode())

    def survey(self, answer: str, form: RowFormat, limit: int) -> Survey:
        """Counts the rows. Raises BadRequest if they are malformed, TooManyRows if there are more than `limit`."""
        return survey(self._rows(answer), partial(parse_rows, form=form), RowCounter(limit).check)

    def rows(self, answer: str, form: RowFormat) -> Iterator[AnyRow]:
        return parse_rows(read_chunks(self._rows(answer)), form=form)

    def journal(self, answer: str, plan: JobPlan) -> Journal:
        """Opens the journal, and continues one that an earlier process began. Raises StorageError."""
        identity: dict[str, Json] = {"form": "conversation", "rows": plan.total}
        try:
            return open_journal(self.output(answer), identity, toil_number, toil_code)
        except OutputLocked as exc:
            raise StorageError("a process that no longer runs this job still has its file open") from exc

    def output(self, answer: str) -> Path:
        return self._folder / answer / "answers.jsonl"

    def read_answers(self, answer: str) -> bytes:
        """The answers so far; b"" if there are none."""
        try:
            return self.output(answer).read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as exc:
            raise storage_error(exc) from exc

    def remove(self, answer: str) -> None:
        """Removes a job. Ignores errors and unknown jobs."""
        shutil.rmtree(self._folder / answer, ignore_errors=True)

    def stored(self) -> set[str]:
        """The jobs in the folder, finished ones included, which crashed processes did not remove."""
        try:
            return {entry.name for entry in os.scandir(self._folder)}
        except FileNotFoundError:
            return set()

    def _rows(self, answer: str) -> Path:
        return self._folder / answer / "rows"

    def _plan(self, answer: str) -> Path:
        return self._folder / answer / "plan.json"


class TooManyRows(BadRequest):
    """The file has more rows than the limit."""


class RowCounter:
    """Counts rows up to a limit."""

    def __init__(self, limit: int) -> None:
        self._left = limit

    def check(self, _row: AnyRow) -> None:
        self._left -= 1
        if self._left < 0:
            raise TooManyRows("the file has more rows than the limit")


def parse_rows(chunks: Iterable[bytes], form: RowFormat) -> Iterator[AnyRow]:
    return csv_rows(chunks, encoding="utf-8") if form == "csv" else json_rows(chunks)


def write(path: Path, data: bytes) -> None:
    """Raises StorageError."""
    try:
        write_atomically(path, data, durable=True)
    except OSError as exc:
        raise storage_error(exc) from exc


def storage_error(exc: OSError) -> StorageError:
    return StorageError(f"a job's file is not accessible: {explain_disk_fault(exc)}")
