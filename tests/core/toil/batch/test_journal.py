"""The output file as a journal: wherever it is torn, each row is there once in the end."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contract import Json
from core.errors import BadRequest, StorageError
from core.toil.batch.answers import Outcome
from core.toil.batch.journal import (
    JobMismatch,
    Journal,
    OutputLocked,
    RowNumbers,
    open_journal,
    recover_rows,
    toil_code,
    toil_number,
)

JOB: dict[str, Json] = {"rows": "abc", "order": "in order"}
VALUES: list[Json] = ['é\n"{}', {"a": [1, None]}, 0, "\ud800", ""]


def open_output(path: Path, job: dict[str, Json] = JOB, *, anew: bool = False) -> Journal:
    return open_journal(path, job, toil_number, toil_code, anew=anew)


def outcome(number: int) -> Outcome:
    if number % 4 == 0:
        return Outcome(number, {"row": number, "error": {"code": "non_conforming", "message": "no"}}, "non_conforming")
    return Outcome(number, {"row": number, "value": VALUES[number % len(VALUES)]})


def row_numbers(path: Path) -> list[int]:
    return [json.loads(line)["row"] for line in path.read_bytes().splitlines()]


@pytest.fixture
def complete_output(tmp_path: Path) -> Path:
    """An output of 12 rows in random order."""
    path = tmp_path / "out.jsonl"
    journal = open_output(path)
    numbers = random.Random(4).sample(range(1, 13), 12)
    for group in (numbers[:5], numbers[5:6], numbers[6:]):
        journal.record([outcome(number) for number in group])
    journal.close()
    return path


def test_output_cut_at_any_byte_is_resumed(complete_output: Path) -> None:
    """Complete lines stay, a torn line goes, and in the end every row is there once."""
    data = complete_output.read_bytes()
    for size in range(len(data) + 1):
        complete_output.write_bytes(data[:size])
        journal = open_output(complete_output)
        complete = data[: data.rfind(b"\n", 0, size) + 1]
        assert complete == complete_output.read_bytes()
        assert len(complete.splitlines()) == len(journal.recovered.done)
        journal.record([outcome(number) for number in range(1, 13) if number not in journal.recovered.done])
        journal.close()
        assert list(range(1, 13)) == sorted(row_numbers(complete_output))


@given(st.binary(max_size=40).filter(lambda tail: has_no_row(tail)))
def test_any_last_line_counts_as_torn(tail: bytes) -> None:
    """After a power loss, the last line may hold any bytes."""
    good = b'{"row": 1, "value": 2}\n'
    recovered = recover_rows([good, *tail.splitlines(keepends=True)[:1]], toil_number, toil_code)

    assert (len(good), 1) == (recovered.size_bytes, len(recovered.done))


def has_no_row(tail: bytes) -> bool:
    return b"row" not in tail


def test_failures_are_recovered(complete_output: Path) -> None:
    """A resumed run counts the failures of earlier runs."""
    journal = open_output(complete_output)
    journal.close()

    assert {"non_conforming": 3} == dict(journal.recovered.failures)


@pytest.mark.parametrize(
    "lines",
    [
        [b"nonsense\n", b'{"row": 1, "value": 2}\n'],
        [b'{"row": 1, "value": 2}\n', b'{"row": 1, "value": 2}\n'],
        [b'{"row": -1, "value": 2}\n', b'{"row": 1, "value": 2}\n'],
        [b'{"row": 99999999999999, "value": 2}\n', b'{"row": 1, "value": 2}\n'],
    ],
)
def test_lines_of_another_origin_are_refused(lines: list[bytes]) -> None:
    """The error names the line."""
    with pytest.raises(BadRequest, match="line"):
        recover_rows(lines, toil_number, toil_code)


@given(st.sets(st.integers(1, 10_000)))
def test_row_numbers_behave_like_a_set(numbers: set[int]) -> None:
    """Adding a number twice counts once."""
    done = RowNumbers()
    for number in [*numbers, *numbers]:
        done.add(number)

    assert len(numbers) == len(done)
    assert numbers == {number for number in range(10_020) if number in done}


def test_output_of_another_job_is_refused(complete_output: Path) -> None:
    """The error names the keys that differ, and the output is not changed."""
    before = complete_output.read_bytes()
    with pytest.raises(JobMismatch) as caught:
        open_output(complete_output, {**JOB, "rows": "xyz", "seed": 4})

    assert ("rows", "seed") == caught.value.differs
    assert before == complete_output.read_bytes()


def test_file_without_a_job_is_not_changed(tmp_path: Path) -> None:
    """Without a job file, the output may be any file of the user."""
    path = tmp_path / "thesis.jsonl"
    path.write_text('{"row": 1, "value": 2}\n')
    with pytest.raises(JobMismatch, match="not the output of a batch"):
        open_output(path)

    assert '{"row": 1, "value": 2}\n' == path.read_text()


def test_anew_discards_an_existing_output(complete_output: Path) -> None:
    """`anew` also accepts another job."""
    journal = open_output(complete_output, {"rows": "xyz"}, anew=True)
    journal.record([outcome(1)])
    journal.close()

    assert [1] == row_numbers(complete_output)
    open_output(complete_output, {"rows": "xyz"}).close()


def test_second_run_is_refused(complete_output: Path) -> None:
    """It is refused with `anew` too. Closing the first run releases the lock."""
    before = complete_output.read_bytes()
    journal = open_output(complete_output)
    for anew in (False, True):
        with pytest.raises(OutputLocked):
            open_output(complete_output, anew=anew)
    journal.close()

    assert before == complete_output.read_bytes()
    open_output(complete_output).close()


def test_torn_job_file_is_written_again(tmp_path: Path) -> None:
    """No row was answered before the job file was complete."""
    path = tmp_path / "out.jsonl"
    open_output(path).close()
    note = tmp_path / "out.jsonl.job"
    data = note.read_bytes()
    for size in range(len(data)):
        note.write_bytes(data[:size])
        open_output(path).close()
        assert data == note.read_bytes()


def test_changed_row_of_a_pipe_is_refused(tmp_path: Path) -> None:
    """Each row's digest is recorded before its answer; a different row in its place is refused."""
    path = tmp_path / "out.jsonl"
    journal = open_output(path)
    journal.check(1, "aa")
    journal.check(2, "bb")
    journal.record([outcome(1)])
    journal.close()

    again = open_output(path)
    again.check(1, "aa")
    again.check(2, "other")  # this row was not answered
    again.close()
    last = open_output(path)
    with pytest.raises(JobMismatch, match="row 1"):
        last.check(1, "xx")
    last.close()


def test_full_disk_raises_storage_error(tmp_path: Path) -> None:
    """Rows already on disk stay complete."""
    path = tmp_path / "out.jsonl"
    journal = open_output(path)
    journal.record([outcome(1)])
    full = os.open("/dev/full", os.O_WRONLY)
    file = journal._output.fileno()  # /dev/full needs no root, unlike a full file system
    saved = os.dup(file)
    os.dup2(full, file)
    with pytest.raises(StorageError, match="the disk is full"):
        journal.record([outcome(2)])
    os.dup2(saved, file)
    journal.close()

    assert [1] == row_numbers(path)


def test_folder_as_output_raises_storage_error(tmp_path: Path) -> None:
    """The error holds the reason."""
    with pytest.raises(StorageError, match="directory"):
        open_output(tmp_path)
