"""Jobs: rows and a schema in, a file of checked answers out, through failures and restarts."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from bindings.delivery.outlet import Unreachable, Upload
from bindings.intake.message_handler import AnswerDelivery
from core.contract import Attachment, Omission, Task
from core.errors import NonConforming, StorageError, UnreadableDocument
from core.toil.batch.answers import ModelGone, ToilAnswers
from core.toil.batch.journal import Journal
from tests.bindings.intake.support_intake import THREAD, BotHarness, KillSwitch, message
from tests.bindings.intake.test_intake_kills import run_until_done
from tests.support.fake_engine import FakeEngine

WHERE = THREAD.conversation
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}}
BLOCK = f"```json\n{json.dumps(SCHEMA)}\n```"
ROWS = "name;city\n" + "".join(f"Ann {number};Ottawa\n" for number in range(1, 11))
WORKBOOK = b"PK\x03\x04" + ROWS.encode()  # as the fake engine reads one


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine(toiled={"name": "Ada"})


@pytest.fixture
def harness(tmp_path: Path, engine: FakeEngine) -> BotHarness:
    harness = BotHarness(tmp_path / "var", engine, environ={"LLM_SLOTS": "2"})
    harness.channels.files = {"schema": json.dumps(SCHEMA).encode(), "rows": ROWS.encode(), "note": b"Ada wrote it."}
    return harness


def lines(harness: BotHarness) -> list[dict[str, Any]]:
    """The lines of the only file that was sent."""
    (file,) = harness.channels.channels[WHERE].files.values()
    return [json.loads(line) for line in file.body.splitlines()]


async def until_status(harness: BotHarness, part: str) -> None:
    await harness.until(lambda: any(part in str(page.status) for page in harness.channels.shown(WHERE)))


async def test_rows_and_a_schema_become_a_file_of_answers(harness: BotHarness, engine: FakeEngine) -> None:
    """Answers keep the order of the rows; each prompt has its row's values and the person."""
    engine.toiled = lambda task: {"name": task.prompt}
    await harness.answer_all(message(f"Greet {{name}} of {{city}}. {BLOCK}", people__csv="rows"))

    assert [{"row": n, "value": {"name": f"Greet Ann {n} of Ottawa."}} for n in range(1, 11)] == lines(harness)
    assert {("whisper", "slack:T1:U1", None)} == {(each.personality, each.user, each.key) for each in engine.tasks}
    (page,) = harness.channels.shown(WHERE)
    assert "10 rows, all answered" in page.text
    assert "answers.jsonl" in page.text
    assert page.closing
    assert "fake-model" in page.closing.footer


async def test_prompts_contain_the_whole_row_without_placeholders(harness: BotHarness, engine: FakeEngine) -> None:
    """Attachments precede the row as quoted data."""
    await harness.answer_all(message(f"Greet them. {BLOCK}", people__csv="rows", note__txt="note"))

    prompt = engine.tasks[0].prompt
    assert prompt.endswith("Greet them.\n\nname: Ann 1\ncity: Ottawa")
    assert "Ada wrote it." in prompt


async def test_rows_may_be_lines_of_json(harness: BotHarness, engine: FakeEngine) -> None:
    """An invalid line is an error of that row."""
    harness.channels.files["rows"] = b'{"id": 7, "name": "Ann"}\nbroken\n{"name": "Bob"}\n'
    await harness.answer_all(message(f"Greet {{name}} {BLOCK}", people__jsonl="rows"))

    first, second, third = lines(harness)
    assert {"row": 1, "id": 7, "value": {"name": "Ada"}} == first
    assert (2, "bad_request") == (second["row"], second["error"]["code"])
    assert {"row": 3, "value": {"name": "Ada"}} == third
    assert "1 of them failed (bad_request 1)" in harness.channels.texts(WHERE)[0]


async def test_rows_may_be_a_workbook(harness: BotHarness, engine: FakeEngine) -> None:
    """The engine reads it. The answer says which part of it became no row, also after a restart."""
    harness.channels.files["rows"] = WORKBOOK
    engine.rows_omitted = (Omission("sheets", 1, 2),)
    engine.toiled = lambda task: {"name": task.prompt}
    await harness.answer_all(message(f"Greet {{name}} of {{city}}. {BLOCK}", people__xlsx="rows"))

    assert {"row": 10, "value": {"name": "Greet Ann 10 of Ottawa."}} == lines(harness)[9]
    (answer,) = harness.channels.texts(WHERE)
    assert answer.startswith("(I read people.xlsx only in part: the first of 2 sheets.) 10 rows, all answered")


@pytest.mark.parametrize(
    ("outcome", "notice"),
    [(UnreadableDocument("it is damaged", "damaged"), "it is damaged"), (b"", "The file has no rows.")],
)
async def test_a_workbook_without_readable_rows_starts_no_job(
    harness: BotHarness, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, outcome: Exception | bytes, notice: str
) -> None:
    """The person learns why."""

    async def read_rows(name: str, _body: bytes) -> Attachment:
        if isinstance(outcome, Exception):
            raise outcome
        return Attachment(name, outcome.decode())

    harness.channels.files["rows"] = WORKBOOK
    monkeypatch.setattr(engine, "read_rows", read_rows)
    await harness.answer_all(message(f"Greet {{name}} {BLOCK}", people__xlsx="rows"))

    assert notice in harness.channels.texts(WHERE)[0]
    assert not engine.tasks


async def test_progress_is_shown_while_rows_are_answered(harness: BotHarness, engine: FakeEngine) -> None:
    """It has rows, failures, rate and remaining time, in the message that later holds the result."""

    def some(task: Task) -> object:
        harness.clock.now += 1
        return NonConforming("no") if "Ann 1" in task.prompt else {"name": "x"}

    engine.toiled = some
    await harness.answer_all(message(f"Please greet {{name}}. {BLOCK}", people__csv="rows"))

    shown = [call.page.status for outlet in harness.channels.outlets for call in outlet.calls if call.page]
    progress = [status for status in shown if status]
    assert any("of 10 rows, 1 failed" in status and "rows/s" in status and "left" in status for status in progress)
    assert 1 == len(harness.channels.shown(WHERE))


@pytest.mark.parametrize(
    ("rows", "notice"),
    [
        (b"name\n", "The file has no rows."),
        (b"name\n" + b"x\n" * 4, "more than 3 rows"),
        (b'name\n"open', "not valid CSV"),
        (b"name,name\nx,y\n", "names a column twice"),
        (b"title\nx\n", "the template names 'name'"),
    ],
)
async def test_an_error_of_all_rows_is_reported_before_the_first(
    harness: BotHarness, engine: FakeEngine, rows: bytes, notice: str
) -> None:
    harness.environ["BOT_ROW_LIMIT"] = "3"
    harness.channels.files["rows"] = rows
    await harness.answer_all(message(f"Greet {{name}} {BLOCK}", people__csv="rows"))

    assert notice in harness.channels.texts(WHERE)[0]
    assert [] == engine.tasks
    assert [] == harness.jobs


async def test_a_refused_schema_is_reported_before_the_first_row(harness: BotHarness, engine: FakeEngine) -> None:
    await harness.answer_all(message('Greet {name} ```{"$ref": "https://example.org"}```', people__csv="rows"))

    (page,) = harness.channels.shown(WHERE)
    assert "/$ref" in page.text
    assert [] == engine.tasks


async def test_two_files_of_rows_are_refused(harness: BotHarness, engine: FakeEngine) -> None:
    await harness.answer_all(message(f"Greet {{name}} {BLOCK}", people__csv="rows", others__csv="rows"))

    assert ["Please send one file of rows at a time."] == harness.channels.texts(WHERE)


async def test_a_stopped_job_delivers_its_finished_rows(harness: BotHarness, engine: FakeEngine) -> None:
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
    async with harness.process() as intake:
        await intake.take(message(f"{BLOCK} Greet {{name}}", people__csv="rows"))
        await asked.wait()
        await until_status(harness, "of 10 rows")
        await intake.take(message("stop", 2))
        await harness.until_finished()

    done = lines(harness)
    assert list(range(1, len(done) + 1)) == [line["row"] for line in done]
    assert 1 <= len(done) <= 4
    assert f"Stopped after {len(done)} of 10 rows." in harness.channels.texts(WHERE)[0]
    assert 1 == len(harness.channels.shown(WHERE))


async def test_a_conversation_continues_during_its_job(harness: BotHarness, engine: FakeEngine) -> None:
    """Stops ends a running answer first, and the job if there is none."""
    gate = asyncio.Event()
    toil = engine.toil

    async def gated(task: Task) -> Any:
        await gate.wait()
        return await toil(task)

    async def only_the_job_is_left() -> bool:
        return await harness.unfinished() <= 1

    engine.toil = gated  # type: ignore[method-assign]
    async with harness.process() as intake:
        await intake.take(message(f"{BLOCK} Greet {{name}}", people__csv="rows"))
        await until_status(harness, "10 rows")
        await intake.take(message("How far is it?", 2))
        await harness.until(lambda: "Hello world." in harness.channels.texts(WHERE))
        await harness.until(only_the_job_is_left)
        await intake.take(message("stop", 3))
        await harness.until_finished()

    assert ["Stopped after 0 of 10 rows.", "Hello world."] == harness.channels.texts(WHERE)


async def test_forget_ends_the_job_silently(harness: BotHarness, engine: FakeEngine) -> None:
    """Its rows are deleted."""

    async def never(task: Task) -> Any:
        await asyncio.Event().wait()

    engine.toil = never  # type: ignore[method-assign]
    async with harness.process() as intake:
        await intake.take(message(f"{BLOCK} Greet {{name}}", people__csv="rows"))
        await until_status(harness, "10 rows")
        await intake.take(message("forget", 2))
        await harness.until_finished()

    assert 1 == len(harness.channels.shown(WHERE))
    assert "is forgotten" in harness.channels.texts(WHERE)[0]


async def test_a_withdrawn_job_leaves_nothing(harness: BotHarness, engine: FakeEngine) -> None:
    asked = asyncio.Event()

    async def never(task: Task) -> Any:
        asked.set()
        await asyncio.Event().wait()

    engine.toil = never  # type: ignore[method-assign]
    async with harness.process() as intake:
        await intake.take(message(f"{BLOCK} Greet {{name}}", people__csv="rows"))
        await asked.wait()
        await intake.withdraw_question(THREAD, "m1")
        await harness.until_finished()

    assert [] == harness.channels.shown(WHERE)
    assert {} == harness.channels.channels[WHERE].files
    assert [] == harness.jobs


async def test_a_job_continues_after_a_restart_with_the_remaining_rows(harness: BotHarness, engine: FakeEngine) -> None:
    """It does not need the platform's file, and does not repeat finished rows."""
    first = asyncio.Event()
    toil = engine.toil

    async def gated(task: Task) -> Any:
        if int(task.prompt.split()[-1]) > 6:
            first.set()
            await asyncio.Event().wait()
        return await toil(task)

    engine.toil = gated  # type: ignore[method-assign]
    async with harness.process() as intake:
        await intake.take(message(f"{BLOCK} Greet {{name}}", people__csv="rows"))
        await first.wait()
        await until_status(harness, "6 of 10 rows")
    engine.toil = toil  # type: ignore[method-assign]
    engine.tasks.clear()
    harness.channels.files = {}
    await run_until_done(harness, [], KillSwitch())

    assert list(range(1, 11)) == [line["row"] for line in lines(harness)]
    assert ["Greet Ann 7", "Greet Ann 8", "Greet Ann 9", "Greet Ann 10"] == [task.prompt for task in engine.tasks]
    assert 1 == len(harness.channels.shown(WHERE))


async def test_a_job_waits_while_the_model_is_down(harness: BotHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """It then continues, and each row is answered once."""
    monkeypatch.setattr("bindings.toil.jobs.MODEL_PAUSE_S", 0.0)
    answer, failures = ToilAnswers.answer, iter([True] * 10)

    async def away(answers: ToilAnswers, row: Any) -> Any:
        if row.number == 3 and next(failures, False):
            raise ModelGone("no model")
        return await answer(answers, row)

    monkeypatch.setattr(ToilAnswers, "answer", away)
    await harness.answer_all(message(f"{BLOCK} Greet {{name}}", people__csv="rows"))

    assert list(range(1, 11)) == [line["row"] for line in lines(harness)]
    assert not next(failures, False)


async def test_answers_are_shown_where_files_cannot_be_sent(harness: BotHarness, engine: FakeEngine) -> None:
    """As many as fit are shown, with a note if there are more."""
    harness.channels.takes_files = False
    engine.toiled = {"name": "x" * 900}
    await harness.answer_all(message(f"{BLOCK} Greet {{name}}", people__csv="rows"))

    text = "".join(harness.channels.texts(WHERE))
    assert "these are the first 6." in text
    assert 6 == text.count('"row"')


async def test_a_job_can_be_repeated(harness: BotHarness, engine: FakeEngine) -> None:
    """It uses the same message and sends another file."""
    await harness.answer_all(message(f"{BLOCK} Greet {{name}}", people__csv="rows"))
    await harness.answer_all(message("again", 2))

    assert 20 == len(engine.tasks)
    assert 2 == len(harness.channels.channels[WHERE].files)
    assert 1 == len(harness.channels.shown(WHERE))


@pytest.mark.parametrize("trouble", ["disk", "upload"])
async def test_a_failing_disk_or_platform_costs_no_row(
    harness: BotHarness, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    """Finished rows are not repeated."""
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
    await harness.answer_all(message(f"{BLOCK} Greet {{name}}", people__csv="rows"))

    assert list(range(1, 11)) == [line["row"] for line in lines(harness)]
    assert not next(failures, False)
    assert "10 rows, all answered" in harness.channels.texts(WHERE)[0]


async def test_a_repeated_job_sends_its_own_file_after_a_restart(harness: BotHarness, engine: FakeEngine) -> None:
    """The first file must not count as its file."""
    await harness.answer_all(message(f"{BLOCK} Greet {{name}}", people__csv="rows"))
    async with harness.open() as intake:
        await intake.take(message("again", 2))
    engine.toiled = {"name": "Grace"}
    await run_until_done(harness, [], KillSwitch())

    _, again = harness.channels.channels[WHERE].files.values()
    assert {"Grace"} == {json.loads(line)["value"]["name"] for line in again.body.splitlines()}


async def test_a_repeated_job_stays_in_its_own_message(harness: BotHarness, engine: FakeEngine) -> None:
    """Another job ends before it runs."""
    harness.channels.files["others"] = b"name;city\nBob 1;Ottawa\n"
    gate = asyncio.Event()
    toil = engine.toil

    async def gated(task: Task) -> Any:
        if "Bob" in task.prompt:
            await gate.wait()
        return await toil(task)

    engine.toil = gated  # type: ignore[method-assign]
    await harness.answer_all(message(f"{BLOCK} Greet {{name}}", people__csv="rows"))
    async with harness.process() as intake:
        await intake.take(message(f"{BLOCK} Greet {{name}}", 2, people__csv="others"))
        await until_status(harness, "1 row…")
        await intake.take(message("again", 3))
        await harness.until(lambda: len(harness.jobs) == 2)  # it is planned and waits for the other job
        gate.set()
        await harness.until_finished()

    first, second = harness.channels.texts(WHERE)
    assert "10 rows, all answered" in first
    assert "1 row, answered" in second
