"""The files of a job: its rows, what is asked of each, and the answers. They are what a job survives a kill by.

A folder per job, named for the answer. The plan is written last and at once, so that where it is, all is there.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from core.contract import Json
from core.errors import BadRequest, StorageError
from core.runtime.atomic_files import write_atomically
from core.toil.batch.job import Job, Placeholder, Template
from core.toil.batch.journal import Journal, open_journal, toil_code, toil_number
from core.toil.batch.row_input import Survey, read_chunks, survey
from core.toil.batch.rows import AnyRow, csv_rows, json_rows

Form = Literal["csv", "jsonl"]
Part = tuple[Literal["text", "column"], str]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked of each row. `parts`: of the prompt, words and columns."""

    personality: str
    schema: Mapping[str, Json]
    parts: tuple[Part, ...]
    form: Form
    total: int
    user: str

    def job(self) -> Job:
        parts = tuple(Placeholder(text) if kind == "column" else text for kind, text in self.parts)
        return Job(self.personality, dict(self.schema), Template(parts), user=self.user)

    @classmethod
    def of_json(cls, value: dict[str, Any]) -> Plan:
        return cls(**{**value, "parts": tuple((kind, text) for kind, text in value["parts"])})


class JobFiles:
    """Of one platform: `folder` is its own. Methods block; all raise StorageError where the disk refuses."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def plan(self, answer: str) -> Plan | None:
        """None: it was not planned to the end."""
        try:
            return Plan.of_json(json.loads(self._plan(answer).read_bytes()))
        except FileNotFoundError:
            return None
        except OSError as exc:
            raise refused_by_disk(exc) from exc

    def keep_rows(self, answer: str, rows: str) -> None:
        write(self._rows(answer), rows.encode("utf-8", "replace"))

    def keep_plan(self, answer: str, plan: Plan) -> None:
        write(self._plan(answer), json.dumps(asdict(plan)).encode())

    def survey(self, answer: str, form: Form, limit: int) -> Survey:
        """Counts the rows. Raises BadRequest where they are not what they should be, or more than `limit`."""
        return survey(self._rows(answer), partial(rows_of, form=form), Counted(limit).check)

    def rows(self, answer: str, form: Form) -> Iterator[AnyRow]:
        return rows_of(read_chunks(self._rows(answer)), form=form)

    def journal(self, answer: str, plan: Plan) -> Journal:
        """Goes on where a process that is gone ended."""
        identity: dict[str, Json] = {"form": "conversation", "rows": plan.total}
        return open_journal(self.output(answer), identity, toil_number, toil_code)

    def output(self, answer: str) -> Path:
        return self._folder / answer / "answers.jsonl"

    def answers(self, answer: str) -> bytes:
        """None yet, if there is nothing."""
        try:
            return self.output(answer).read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as exc:
            raise refused_by_disk(exc) from exc

    def remove(self, answer: str) -> None:
        """Nothing is there, or nothing is left."""
        shutil.rmtree(self._folder / answer, ignore_errors=True)

    def sweep(self, keep: Collection[str]) -> None:
        """Removes what no job that is under way needs: what a process left behind that was killed at the very end."""
        try:
            names = [entry.name for entry in os.scandir(self._folder)]
        except FileNotFoundError:
            return
        for name in names:
            if name not in keep:
                self.remove(name)

    def _rows(self, answer: str) -> Path:
        return self._folder / answer / "rows"

    def _plan(self, answer: str) -> Path:
        return self._folder / answer / "plan.json"


class TooManyRows(BadRequest):
    """More than the limit."""


class Counted:
    def __init__(self, limit: int) -> None:
        self._left = limit

    def check(self, _row: AnyRow) -> None:
        self._left -= 1
        if self._left < 0:
            raise TooManyRows("more rows than are answered at once")


def rows_of(chunks: Iterable[bytes], form: Form) -> Iterator[AnyRow]:
    return csv_rows(chunks, encoding="utf-8") if form == "csv" else json_rows(chunks)


def write(path: Path, data: bytes) -> None:
    """Raises StorageError."""
    try:
        write_atomically(path, data, durable=True)
    except OSError as exc:
        raise refused_by_disk(exc) from exc


def refused_by_disk(exc: OSError) -> StorageError:
    return StorageError(f"a job's file cannot be used: {exc.strerror}")
