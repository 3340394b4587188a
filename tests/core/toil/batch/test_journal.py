"""The output file as a memory: whatever was torn, each row is there once in the end."""

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
from core.toil.batch.journal import InUse, Journal, OtherJob, open_journal
from core.toil.batch.recovery import Done, recover, toil_code, toil_number

JOB: dict[str, Json] = {"rows": "abc", "order": "in order"}
VALUES: list[Json] = ['é\n"{}', {"a": [1, None]}, 0, "\ud800", ""]


def opened(path: Path, job: dict[str, Json] = JOB, *, anew: bool = False) -> Journal:
    return open_journal(path, job, toil_number, toil_code, anew=anew)


def outcome(number: int) -> Outcome:
    if number % 4 == 0:
        return Outcome(number, {"row": number, "error": {"code": "non_conforming", "message": "no"}}, "non_conforming")
    return Outcome(number, {"row": number, "value": VALUES[number % len(VALUES)]})


def rows_in(path: Path) -> list[int]:
    return [json.loads(line)["row"] for line in path.read_bytes().splitlines()]


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """An output of 12 rows, in an order of its own."""
    path = tmp_path / "out.jsonl"
    journal = opened(path)
    numbers = random.Random(4).sample(range(1, 13), 12)
    for group in (numbers[:5], numbers[5:6], numbers[6:]):
        journal.record([outcome(number) for number in group])
    journal.close()
    return path


def test_a_file_cut_at_any_byte_is_gone_on_with(whole: Path) -> None:
    """What is whole stays as it is, what is torn goes, and in the end every row is there once."""
    data = whole.read_bytes()
    for size in range(len(data) + 1):
        whole.write_bytes(data[:size])
        journal = opened(whole)
        kept = data[: data.rfind(b"\n", 0, size) + 1]
        assert kept == whole.read_bytes()
        assert len(kept.splitlines()) == len(journal.recovered.done)
        journal.record([outcome(number) for number in range(1, 13) if number not in journal.recovered.done])
        journal.close()
        assert list(range(1, 13)) == sorted(rows_in(whole))


@given(st.binary(max_size=40).filter(lambda tail: toil_free(tail)))
def test_a_tail_of_anything_is_torn(tail: bytes) -> None:
    """After a power cut the last line may hold any bytes."""
    good = b'{"row": 1, "value": 2}\n'
    found = recover([good, *tail.splitlines(keepends=True)[:1]], toil_number, toil_code)

    assert (len(good), 1) == (found.size, len(found.done))


def toil_free(tail: bytes) -> bool:
    return b"row" not in tail


def test_failures_are_remembered(whole: Path) -> None:
    """So that a run that goes on tells of them too."""
    journal = opened(whole)
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
def test_what_no_run_of_ours_wrote_is_refused(lines: list[bytes]) -> None:
    """By its line, rather than guessed at."""
    with pytest.raises(BadRequest, match="line"):
        recover(lines, toil_number, toil_code)


@given(st.sets(st.integers(1, 10_000)))
def test_done_is_a_set(numbers: set[int]) -> None:
    """Of row numbers, in bits."""
    done = Done()
    for number in [*numbers, *numbers]:
        done.add(number)

    assert len(numbers) == len(done)
    assert numbers == {number for number in range(10_020) if number in done}


def test_another_job_is_not_gone_on_with(whole: Path) -> None:
    """It is said in what it differs, and nothing is touched."""
    before = whole.read_bytes()
    with pytest.raises(OtherJob) as caught:
        opened(whole, {**JOB, "rows": "xyz", "seed": 4})

    assert ("rows", "seed") == caught.value.differs
    assert before == whole.read_bytes()


def test_a_file_of_somebody_else_is_not_touched(tmp_path: Path) -> None:
    """Nothing says that it is a batch's."""
    path = tmp_path / "thesis.jsonl"
    path.write_text('{"row": 1, "value": 2}\n')
    with pytest.raises(OtherJob, match="not the output of a batch"):
        opened(path)

    assert '{"row": 1, "value": 2}\n' == path.read_text()


def test_anew(whole: Path) -> None:
    """On request, what is there is thrown away."""
    journal = opened(whole, {"rows": "xyz"}, anew=True)
    journal.record([outcome(1)])
    journal.close()

    assert [1] == rows_in(whole)
    opened(whole, {"rows": "xyz"}).close()


def test_one_run_at_a_time(whole: Path) -> None:
    """The second is refused, also with `anew`; afterwards there is no lock left."""
    before = whole.read_bytes()
    journal = opened(whole)
    for anew in (False, True):
        with pytest.raises(InUse):
            opened(whole, anew=anew)
    journal.close()

    assert before == whole.read_bytes()
    opened(whole).close()


def test_a_torn_note_is_no_job(tmp_path: Path) -> None:
    """Killed while it noted what the batch is: nothing was answered yet."""
    path = tmp_path / "out.jsonl"
    opened(path).close()
    note = tmp_path / "out.jsonl.job"
    data = note.read_bytes()
    for size in range(len(data)):
        note.write_bytes(data[:size])
        opened(path).close()
        assert data == note.read_bytes()


def test_rows_from_a_pipe_are_told_apart(tmp_path: Path) -> None:
    """Each was noted before its answer was written; another row in its place is refused."""
    path = tmp_path / "out.jsonl"
    journal = opened(path)
    journal.check(1, "aa")
    journal.check(2, "bb")
    journal.record([outcome(1)])
    journal.close()

    again = opened(path)
    again.check(1, "aa")
    again.check(2, "other")  # was not answered
    again.close()
    last = opened(path)
    with pytest.raises(OtherJob, match="row 1"):
        last.check(1, "xx")
    last.close()


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    """As an error of ours; what was on disk before stays whole."""
    path = tmp_path / "out.jsonl"
    journal = opened(path)
    journal.record([outcome(1)])
    full = os.open("/dev/full", os.O_WRONLY)
    file = journal._output.fileno()  # the one way to a full disk that needs no root
    kept = os.dup(file)
    os.dup2(full, file)
    with pytest.raises(StorageError, match="No space left"):
        journal.record([outcome(2)])
    os.dup2(kept, file)
    journal.close()

    assert [1] == rows_in(path)


def test_a_folder_is_no_output(tmp_path: Path) -> None:
    """Told with the reason."""
    with pytest.raises(StorageError, match="directory"):
        opened(tmp_path)
