"""Jobs in a conversation: rows and a schema in, a file of checked answers out, whatever happens on the way."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from bindings.delivery.outlet import Unreachable, Upload
from bindings.intake.message_handler import AnswerDelivery
from core.contract import Task
from core.errors import NonConforming, StorageError
from core.toil.batch.answers import ModelGone, ToilAnswers
from core.toil.batch.journal import Journal
from tests.bindings.intake.support_intake import THREAD, Office, Switch, message
from tests.bindings.intake.test_intake_kills import lived
from tests.support.fakes import FakeEngine

WHERE = THREAD.conversation
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}}
BLOCK = f"```json\n{json.dumps(SCHEMA)}\n```"
ROWS = "name;city\n" + "".join(f"Ann {number};Ottawa\n" for number in range(1, 11))


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine(toiled={"name": "Ada"})


@pytest.fixture
def office(tmp_path: Path, engine: FakeEngine) -> Office:
    office = Office(tmp_path / "var", engine, environ={"LLM_SLOTS": "2"})
    office.channels.files = {"schema": json.dumps(SCHEMA).encode(), "rows": ROWS.encode(), "note": b"Ada wrote it."}
    return office


def lines(office: Office) -> list[dict[str, Any]]:
    """Of the one file that was sent."""
    (file,) = office.channels.channels[WHERE].files.values()
    return [json.loads(line) for line in file.body.splitlines()]


async def until_status(office: Office, part: str) -> None:
    async with asyncio.timeout(10):
        while not any(part in str(page.status) for page in office.channels.shown(WHERE)):
            await asyncio.sleep(0.005)


async def test_rows_and_a_schema_become_a_file_of_answers(office: Office, engine: FakeEngine) -> None:
    """In the order of the rows, each asked with its own values, for the person who asked."""
    engine.toiled = lambda task: {"name": task.prompt}
    await office.asked(message(f"Greet {{name}} of {{city}}. {BLOCK}", people__csv="rows"))

    assert [{"row": n, "value": {"name": f"Greet Ann {n} of Ottawa."}} for n in range(1, 11)] == lines(office)
    assert {("whisper", "slack:T1:U1", None)} == {(each.personality, each.user, each.key) for each in engine.tasks}
    (page,) = office.channels.shown(WHERE)
    assert "10 rows, all answered" in page.text
    assert "answers.jsonl" in page.text
    assert page.closing
    assert "fake-model" in page.closing.footer


async def test_rows_are_given_whole_where_no_column_is_named(office: Office, engine: FakeEngine) -> None:
    """After what came along, as data."""
    await office.asked(message(f"Greet them. {BLOCK}", people__csv="rows", note__txt="note"))

    prompt = engine.tasks[0].prompt
    assert prompt.endswith("Greet them.\n\nname: Ann 1\ncity: Ottawa")
    assert "Ada wrote it." in prompt


async def test_rows_may_be_lines_of_json(office: Office, engine: FakeEngine) -> None:
    """A line that is none is an error of that row."""
    office.channels.files["rows"] = b'{"id": 7, "name": "Ann"}\nbroken\n{"name": "Bob"}\n'
    await office.asked(message(f"Greet {{name}} {BLOCK}", people__jsonl="rows"))

    first, second, third = lines(office)
    assert {"row": 1, "id": 7, "value": {"name": "Ada"}} == first
    assert (2, "bad_request") == (second["row"], second["error"]["code"])
    assert {"row": 3, "value": {"name": "Ada"}} == third
    assert "1 of them failed (bad_request 1)" in office.channels.texts(WHERE)[0]


async def test_progress_is_shown_while_rows_are_answered(office: Office, engine: FakeEngine) -> None:
    """Done, failed, rate and time left, in the one message that the result is in afterwards."""

    def some(task: Task) -> object:
        office.clock.now += 1
        return NonConforming("no") if "Ann 1" in task.prompt else {"name": "x"}

    engine.toiled = some
    await office.asked(message(f"Please greet {{name}}. {BLOCK}", people__csv="rows"))

    shown = [call.page.status for outlet in office.channels.outlets for call in outlet.calls if call.page]
    progress = [status for status in shown if status]
    assert any("of 10 rows, 1 failed" in status and "rows/s" in status and "left" in status for status in progress)
    assert 1 == len(office.channels.shown(WHERE))


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (b"name\n", "The file has no rows."),
        (b"name\n" + b"x\n" * 4, "more than 3 rows"),
        (b'name\n"open', "not valid CSV"),
        (b"name,name\nx,y\n", "names a column twice"),
        (b"title\nx\n", "the template names 'name'"),
    ],
)
async def test_what_is_wrong_with_all_rows_is_told_before_the_first(
    office: Office, engine: FakeEngine, rows: bytes, told: str
) -> None:
    office.environ["BOT_ROW_LIMIT"] = "3"
    office.channels.files["rows"] = rows
    await office.asked(message(f"Greet {{name}} {BLOCK}", people__csv="rows"))

    assert told in office.channels.texts(WHERE)[0]
    assert [] == engine.tasks
    assert [] == office.jobs


async def test_a_schema_that_cannot_be_held_is_told_before_the_first_row(office: Office, engine: FakeEngine) -> None:
    await office.asked(message('Greet {name} ```{"$ref": "https://example.org"}```', people__csv="rows"))

    (page,) = office.channels.shown(WHERE)
    assert "/$ref" in page.text
    assert [] == engine.tasks


async def test_two_files_of_rows_are_one_too_many(office: Office, engine: FakeEngine) -> None:
    await office.asked(message(f"Greet {{name}} {BLOCK}", people__csv="rows", others__csv="rows"))

    assert ["Please send one file of rows at a time."] == office.channels.texts(WHERE)


async def test_a_job_that_is_stopped_gives_what_is_done(office: Office, engine: FakeEngine) -> None:
    """Exactly the rows that were answered."""
    gates = [asyncio.Event() for _ in range(11)]
    asked = asyncio.Event()
    toil = engine.toil

    async def gated(task: Task) -> Any:
        number = int(task.prompt.split()[-1])
        if number == 5:
            asked.set()
        if number >= 5:
            await gates[number].wait()
        return await toil(task)

    engine.toil = gated  # type: ignore[method-assign]
    async with office.process() as intake:
        await intake.take(message(f"{BLOCK} Greet {{name}}", people__csv="rows"))
        await asked.wait()
        await until_status(office, "of 10 rows")
        await intake.take(message("stop", 2))
        await office.settled()

    done = lines(office)
    assert list(range(1, len(done) + 1)) == [line["row"] for line in done]
    assert 1 <= len(done) <= 4
    assert f"Stopped after {len(done)} of 10 rows." in office.channels.texts(WHERE)[0]
    assert 1 == len(office.channels.shown(WHERE))


async def test_a_conversation_goes_on_while_its_job_does(office: Office, engine: FakeEngine) -> None:
    """A question is answered; stop ends the answer first, and the job when there is nothing else."""
    gate = asyncio.Event()
    toil = engine.toil

    async def gated(task: Task) -> Any:
        await gate.wait()
        return await toil(task)

    engine.toil = gated  # type: ignore[method-assign]
    async with office.process() as intake:
        await intake.take(message(f"{BLOCK} Greet {{name}}", people__csv="rows"))
        await until_status(office, "10 rows")
        await intake.take(message("How far is it?", 2))
        async with asyncio.timeout(10):
            while "Hello world." not in office.channels.texts(WHERE):
                await asyncio.sleep(0.005)
        await office.until_left(1)
        await intake.take(message("stop", 3))
        await office.settled()

    assert ["Stopped after 0 of 10 rows.", "Hello world."] == office.channels.texts(WHERE)


async def test_a_conversation_that_is_forgotten_forgets_its_job(office: Office, engine: FakeEngine) -> None:
    """Quietly, with its rows."""

    async def never(task: Task) -> Any:
        await asyncio.Event().wait()

    engine.toil = never  # type: ignore[method-assign]
    async with office.process() as intake:
        await intake.take(message(f"{BLOCK} Greet {{name}}", people__csv="rows"))
        await until_status(office, "10 rows")
        await intake.take(message("forget", 2))
        await office.settled()

    assert 1 == len(office.channels.shown(WHERE))
    assert "is forgotten" in office.channels.texts(WHERE)[0]


async def test_a_job_that_is_withdrawn_leaves_nothing(office: Office, engine: FakeEngine) -> None:
    asked = asyncio.Event()

    async def never(task: Task) -> Any:
        asked.set()
        await asyncio.Event().wait()

    engine.toil = never  # type: ignore[method-assign]
    async with office.process() as intake:
        await intake.take(message(f"{BLOCK} Greet {{name}}", people__csv="rows"))
        await asked.wait()
        await intake.withdraw_question(THREAD, "m1")
        await office.settled()

    assert [] == office.channels.shown(WHERE)
    assert {} == office.channels.channels[WHERE].files
    assert [] == office.jobs


async def test_a_job_goes_on_after_a_restart_with_the_rows_that_are_left(office: Office, engine: FakeEngine) -> None:
    """Without its file, which the platform no longer has; rows that were written down are not asked again."""
    first = asyncio.Event()
    toil = engine.toil

    async def gated(task: Task) -> Any:
        if int(task.prompt.split()[-1]) > 6:
            first.set()
            await asyncio.Event().wait()
        return await toil(task)

    engine.toil = gated  # type: ignore[method-assign]
    async with office.process() as intake:
        await intake.take(message(f"{BLOCK} Greet {{name}}", people__csv="rows"))
        await first.wait()
        await until_status(office, "6 of 10 rows")
    engine.toil = toil  # type: ignore[method-assign]
    engine.tasks.clear()
    office.channels.files = {}
    await lived(office, [], Switch())

    assert list(range(1, 11)) == [line["row"] for line in lines(office)]
    assert ["Greet Ann 7", "Greet Ann 8", "Greet Ann 9", "Greet Ann 10"] == [task.prompt for task in engine.tasks]
    assert 1 == len(office.channels.shown(WHERE))


async def test_a_model_that_is_away_is_waited_for(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long; the job goes on with the rows that are left, and each is there once."""
    monkeypatch.setattr("bindings.toil.jobs.MODEL_PAUSE_S", 0.0)
    answer, failures = ToilAnswers.answer, iter([True] * 10)

    async def away(answers: ToilAnswers, row: Any) -> Any:
        if row.number == 3 and next(failures, False):
            raise ModelGone("no model")
        return await answer(answers, row)

    monkeypatch.setattr(ToilAnswers, "answer", away)
    await office.asked(message(f"{BLOCK} Greet {{name}}", people__csv="rows"))

    assert list(range(1, 11)) == [line["row"] for line in lines(office)]
    assert not next(failures, False)


async def test_without_files_the_answers_are_shown(office: Office, engine: FakeEngine) -> None:
    """As many as fit into a message, and it says that there were more."""
    office.channels.takes_files = False
    engine.toiled = {"name": "x" * 900}
    await office.asked(message(f"{BLOCK} Greet {{name}}", people__csv="rows"))

    text = "".join(office.channels.texts(WHERE))
    assert "these are the first 6." in text
    assert 6 == text.count('"row"')


async def test_a_job_can_be_done_again(office: Office, engine: FakeEngine) -> None:
    """In the same message, with another file."""
    await office.asked(message(f"{BLOCK} Greet {{name}}", people__csv="rows"))
    await office.asked(message("again", 2))

    assert 20 == len(engine.tasks)
    assert 2 == len(office.channels.channels[WHERE].files)
    assert 1 == len(office.channels.shown(WHERE))


@pytest.mark.parametrize("trouble", ["disk", "upload"])
async def test_a_disk_or_a_platform_that_refuses_for_a_while_costs_no_row(
    office: Office, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    """However long; rows that are answered are not asked again."""
    monkeypatch.setattr("bindings.toil.jobs.STORAGE_PAUSE_S", 0.0)
    failures = iter([True] * 3)
    record, send = Journal.record, AnswerDelivery.send

    def refusing(journal: Journal, outcomes: Any) -> None:
        if len(engine.tasks) >= 5 and next(failures, False):
            raise StorageError("disk full")
        record(journal, outcomes)

    async def away(delivering: AnswerDelivery, upload: Upload) -> bool:
        if next(failures, False):
            raise Unreachable("503")
        return await send(delivering, upload)

    if trouble == "disk":
        monkeypatch.setattr(Journal, "record", refusing)
    else:
        monkeypatch.setattr(AnswerDelivery, "send", away)
    await office.asked(message(f"{BLOCK} Greet {{name}}", people__csv="rows"))

    assert list(range(1, 11)) == [line["row"] for line in lines(office)]
    assert not next(failures, False)
    assert "10 rows, all answered" in office.channels.texts(WHERE)[0]


async def test_a_job_that_is_done_again_after_a_restart_has_a_file_of_its_own(
    office: Office, engine: FakeEngine
) -> None:
    """The old one would be taken for it: what waits when a process ends was begun by nobody."""
    await office.asked(message(f"{BLOCK} Greet {{name}}", people__csv="rows"))
    async with office.opened() as intake:
        await intake.take(message("again", 2))
    engine.toiled = {"name": "Grace"}
    await lived(office, [], Switch())

    _, again = office.channels.channels[WHERE].files.values()
    assert {"Grace"} == {json.loads(line)["value"]["name"] for line in again.body.splitlines()}


async def test_a_job_that_is_done_again_stays_in_its_own_message(office: Office, engine: FakeEngine) -> None:
    """Though another job has ended by the time that it has its turn."""
    office.channels.files["others"] = b"name;city\nBob 1;Ottawa\n"
    gate = asyncio.Event()
    toil = engine.toil

    async def gated(task: Task) -> Any:
        if "Bob" in task.prompt:
            await gate.wait()
        return await toil(task)

    engine.toil = gated  # type: ignore[method-assign]
    await office.asked(message(f"{BLOCK} Greet {{name}}", people__csv="rows"))
    async with office.process() as intake:
        await intake.take(message(f"{BLOCK} Greet {{name}}", 2, people__csv="others"))
        await until_status(office, "1 row…")
        await intake.take(message("again", 3))
        async with asyncio.timeout(10):
            while len(office.jobs) < 2:  # it is planned, and waits behind the other
                await asyncio.sleep(0.005)
        gate.set()
        await office.settled()

    first, second = office.channels.texts(WHERE)
    assert "10 rows, all answered" in first
    assert "1 row, answered" in second
