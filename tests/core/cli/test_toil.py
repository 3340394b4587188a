"""`csps-llm toil run`: refusals before the start, exit statuses, and `kill -9` at any moment."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner
from watchfiles import awatch

from core import PROJECT_ROOT
from core.cli import app, toil
from core.cli.toil_plan import Options, plan_of
from core.cli.toil_progress import Bar, Lines
from core.cli.words import Words
from core.configuration.settings import Settings
from core.contract import Task
from core.errors import BadRequest, NonConforming
from core.toil.batch.answers import Outcome
from core.toil.batch.journal import BatchProgress, RecoveredRows
from tests.support.fakes import Body, FakeEngine, FakeModel, Step

SCHEMA = {"type": "object"}
ENGLISH = Words(toil.WORDS, "en")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A batch of 24 rows, as CSV and as JSON lines."""
    (tmp_path / "s.json").write_text(json.dumps(SCHEMA))
    (tmp_path / "t.txt").write_text("Say {word} twice.\n")
    rows = [{"id": f"r{number}", "word": f"été {number}"} for number in range(1, 25)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "rows.csv").write_text("id;word\n" + "".join(f"{row['id']};{row['word']}\n" for row in rows))
    return tmp_path


def options(folder: Path, rows: str = "rows.csv", **changes: Any) -> Options:
    given: dict[str, Any] = {"schema": folder / "s.json", "template": folder / "t.txt", "personality": "whisper"}
    return Options(folder / rows, folder / "out.jsonl", **{**given, **changes})


def ran(given: Options, settings: Settings, engine: FakeEngine) -> int:
    """In this process, on a fake engine."""

    @asynccontextmanager
    async def opened(_settings: Settings) -> AsyncIterator[FakeEngine]:
        yield engine

    return toil.run(given, settings, ENGLISH, opened)


def output(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "out.jsonl").read_bytes().splitlines()]


def test_a_refused_schema_is_told_at_once(folder: Path, own_settings: Settings) -> None:
    """A schema that no row could be answered by is refused before the first one, and nothing is written."""
    (folder / "s.json").write_text('{"$ref": "https://example.org/s.json"}')

    assert 2 == ran(options(folder), own_settings, engine := FakeEngine())
    assert [] == engine.tasks
    assert not (folder / "out.jsonl").exists()


@pytest.mark.parametrize("rows", ["rows.csv", "rows.jsonl"])
def test_every_row_is_answered(
    folder: Path, own_settings: Settings, rows: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the order of the rows, by the schema, and status 0; what is shown goes to stderr."""
    engine = FakeEngine(toiled=lambda task: {"said": task.prompt})

    assert 0 == ran(options(folder, rows), own_settings, engine)
    assert [
        {"row": number, "id": f"r{number}", "value": {"said": f"Say été {number} twice."}} for number in range(1, 25)
    ] == output(folder)
    assert [SCHEMA] == [dict(task.schema) for task in engine.tasks[:1] if isinstance(task.schema, dict)]
    shown = capsys.readouterr()
    assert ("", True) == (shown.out, "24 rows, all answered" in shown.err)


def test_failed_rows_are_told(folder: Path, own_settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """They are lines like the others, counted by their reason, and the status is 3; so it is when nothing is left."""

    def toiled(task: Task) -> Any:
        return NonConforming("it does not") if "7" in task.prompt else {}

    assert 3 == ran(options(folder), own_settings, FakeEngine(toiled=toiled))
    assert [7, 17] == [line["row"] for line in output(folder) if line.get("error", {}).get("code") == "non_conforming"]
    assert "2 of them failed (non_conforming 2)" in capsys.readouterr().err

    nobody = FakeEngine()
    assert 3 == ran(options(folder), own_settings, nobody)
    assert [] == nobody.tasks


def test_openai_requests(folder: Path, own_settings: Settings) -> None:
    """A file in, a file out, both in OpenAI's Batch format."""
    body = {"model": "whisper", "messages": [{"role": "user", "content": "Hi"}]}
    line = {"method": "POST", "url": "/v1/chat/completions", "body": body}
    requests = [{"custom_id": f"c{number}", **line} for number in range(3)]
    (folder / "requests.jsonl").write_text("".join(json.dumps(request) + "\n" for request in requests))
    given = options(folder, "requests.jsonl", openai=True, schema=None, template=None)

    assert 0 == ran(given, own_settings, FakeEngine())
    lines = output(folder)
    assert ["c0", "c1", "c2"] == [each["custom_id"] for each in lines]
    assert {"Hello world."} == {each["response"]["body"]["choices"][0]["message"]["content"] for each in lines}
    again = FakeEngine()
    assert (0, []) == (ran(given, own_settings, again), again.prompts)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"template": "{Word}"}, "did you mean `word`"),
        ({"template": "{"}, "line 1"),
        ({"schema": "[]"}, "JSON Schema"),
        ({"schema": '{"a": NaN}'}, "NaN"),
        ({"rows": "rows.xlsx"}, "--format"),
        ({"rows": "missing.csv"}, "No such file"),
        ({"template": None}, "`prompt`"),
        ({"twice": True}, "lines 1 and 2"),
        ({"same": True}, "the file that the rows are in"),
        ({"personality": "nobody"}, "whisper, chuchotte"),
    ],
)
def test_what_is_refused_before_the_start(
    folder: Path, own_settings: Settings, change: dict[str, Any], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2, with what to put right; nothing is asked and nothing written."""
    for name, file in (("template", "t.txt"), ("schema", "s.json")):
        if isinstance(change.get(name), str):
            (folder / file).write_text(change.pop(name))
    rows = change.pop("rows", "rows.csv")
    if change.pop("twice", False):
        (folder / "twice.jsonl").write_text('{"custom_id": "a"}\n{"custom_id": "a"}\n')
        rows, change = "twice.jsonl", {"openai": True}
    same = change.pop("same", False)
    given = options(folder, rows, **change)
    given = replace(given, output=given.rows) if same and given.rows else given
    engine = FakeEngine()

    assert 2 == ran(given, own_settings, engine)
    assert said in capsys.readouterr().err
    assert (0, False) == (len(engine.tasks), (folder / "out.jsonl").exists())


def test_an_option_changed_is_another_job(
    folder: Path, own_settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said which; --force-new begins anew."""
    assert 0 == ran(options(folder), own_settings, FakeEngine())
    (folder / "t.txt").write_text("Shout {word}.")
    changed = options(folder, in_order=False)

    assert 2 == ran(changed, own_settings, FakeEngine())
    message = capsys.readouterr().err
    assert "order, template differ" in message
    assert "--force-new" in message
    assert 0 == ran(options(folder, in_order=False, anew=True), own_settings, FakeEngine())
    assert list(range(1, 25)) == sorted(line["row"] for line in output(folder))


def test_the_rows_are_read_as_they_are_named(folder: Path) -> None:
    """An unknown name needs --format; a delimiter and an encoding may be given."""
    (folder / "rows.txt").write_bytes("id|word\n1|été\n".encode("cp1252"))
    given = options(folder, "rows.txt", format="csv", encoding="cp1252", delimiter="|")

    assert 1 == plan_of(given).total
    with pytest.raises(BadRequest, match="cp1252"):
        plan_of(options(folder, "rows.txt", format="csv"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["-o", "x"],
        ["rows.csv", "--openai", "r.jsonl", "-o", "x"],
        ["rows.csv"],
        ["--openai", "r.jsonl", "--schema", "s.json", "-o", "x"],
        ["rows.csv", "-o", "x", "--delimiter", "::"],
        ["rows.csv", "-o", "x", "--format", "xml"],
    ],
)
def test_commands_that_are_none(arguments: list[str]) -> None:
    """Status 2, as for any command."""
    assert 2 == CliRunner().invoke(app, ["toil", "run", *arguments]).exit_code


# ---------------------------------------------------------------- as a process


class Moment:
    """A model that answers every row by its words, and says when it was asked for the `count`-th time."""

    def __init__(self, count: int) -> None:
        self.asked = 0
        self.come = asyncio.Event()
        self._count = count

    def answer(self, body: Body) -> Sequence[Step]:
        if body.get("max_tokens") == 1:  # a personality's prefix is being computed
            return ("x",)
        self.asked += 1
        if self.asked == self._count:
            self.come.set()
        words = body["messages"][-1]["content"].split(" twice.")[0]
        return ('{"said": ', json.dumps(words[words.index("Say") :]), "}")


async def started(folder: Path, model: FakeModel, *arguments: str, **options: Any) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from core.cli import main; main()", "toil", "run", *arguments),
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(PROJECT_ROOT),
            "LC_ALL": "C.UTF-8",
            "LLM_URL": model.url or "http://127.0.0.1:1",
            "CSPS_LLM_DATA": str(folder / "var"),
            "CSPS_LLM_CONFIG": str(PROJECT_ROOT / "config"),
        },
        stderr=asyncio.subprocess.PIPE,
        **options,
    )


async def recorded(folder: Path, rows: int) -> None:
    """Returns when the output has at least `rows` lines. The timeout covers lines written before the watch began."""
    async for _ in awatch(folder, step=10, debounce=20, rust_timeout=500, yield_on_timeout=True):
        if len((folder / "out.jsonl").read_bytes().splitlines()) >= rows:
            return


async def ended(process: asyncio.subprocess.Process) -> tuple[int, str]:
    async with asyncio.timeout(60):
        _, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, err.decode()


@pytest.mark.parametrize("order", ["--in-order", "--as-they-come"])
async def test_kill_9_at_several_moments(folder: Path, order: str) -> None:
    """However often it is killed, the same command goes on, and in the end every row is there exactly once."""
    command = ("rows.csv", "-o", "out.jsonl", "--prompt-template", "t.txt", "--concurrency", "3", order)
    for count in (2, 9):
        moment = Moment(count)
        async with FakeModel(answer=moment.answer).serving() as model:
            process = await started(folder, model, *command)
            async with asyncio.timeout(60):
                await moment.come.wait()
            process.send_signal(signal.SIGKILL)
            assert -signal.SIGKILL == (await ended(process))[0]
    with (folder / "out.jsonl").open("ab") as torn:
        torn.write(b'{"row": 24, "va')
    last = Moment(0)
    async with FakeModel(answer=last.answer).serving() as model:
        status, err = await ended(await started(folder, model, *command))

    assert (0, True) == (status, "24 rows, all answered" in err), err
    lines = output(folder)
    numbers = [line["row"] for line in lines]
    assert list(range(1, 25)) == (numbers if order == "--in-order" else sorted(numbers))
    assert all(f"Say été {line['row']}" == line["value"]["said"] for line in lines)
    assert last.asked < 24


async def test_ctrl_c_keeps_what_is_done(folder: Path) -> None:
    """Status 130 and how to go on, from a pipe; the rows piped again are gone on with, other rows refused."""
    gate = asyncio.Event()
    seen = Moment(6)

    def answer(body: Body) -> Sequence[Step]:
        steps = seen.answer(body)
        return (gate, *steps) if seen.come.is_set() else steps

    command = ("-", "-o", "out.jsonl", "--prompt-template", "t.txt", "--concurrency", "2")
    rows = (folder / "rows.jsonl").read_bytes()
    async with FakeModel(answer=answer).serving() as model:
        process = await started(folder, model, *command, stdin=asyncio.subprocess.PIPE)
        assert process.stdin
        process.stdin.write(rows)  # and stays open: nobody waits for its end
        async with asyncio.timeout(60):
            await seen.come.wait()
            await recorded(folder, 5)  # the others wait at the gate
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(60):
            assert 130 == await process.wait()
        assert process.stderr
        err = (await process.stderr.read()).decode()
    assert "the same command goes on" in err
    kept = len(output(folder))
    assert 5 == kept

    async with FakeModel(answer=Moment(0).answer).serving() as model:
        other = await started(folder, model, *command, stdin=asyncio.subprocess.PIPE)
        _, told = await other.communicate(rows.replace(b'r1"', b'x1"'))
        assert (1, kept) == (other.returncode, len(output(folder)))
        assert b"row 1 is not" in told
        again = await started(folder, model, *command, stdin=asyncio.subprocess.PIPE)
        await again.communicate(rows)

    assert 0 == again.returncode
    assert list(range(1, 25)) == [line["row"] for line in output(folder)]


@pytest.mark.parametrize("piped", [False, True])
async def test_without_a_model_nothing_is_begun(folder: Path, piped: bool) -> None:
    """Status 2 and how to start one, at once: with rows from a pipe it stayed for ever after saying so."""
    command = ["-" if piped else "rows.csv", "-o", "out.jsonl", "--prompt-template", "t.txt"]
    stdin = asyncio.subprocess.PIPE if piped else None
    process = await started(folder, FakeModel(), *command, stdin=stdin)
    status, err = await ended(process)

    assert (2, True) == (status, "csps-llm up" in err), err
    assert "nothing listens there" in err
    assert not (folder / "out.jsonl").exists()


@pytest.mark.parametrize("option", ["--schema", "--prompt-template"])
def test_a_file_that_is_not_there_is_named_once(folder: Path, option: str) -> None:
    """With the reason."""
    arguments = [str(folder / "rows.csv"), "-o", str(folder / "out.jsonl"), option, str(folder / "nothere")]
    outcome = CliRunner().invoke(app, ["toil", "run", *arguments])
    assert outcome.exit_code == 2
    assert outcome.output.count("nothere") == 1
    assert "No such file" in outcome.output


# ---------------------------------------------------------------- how far it is


def test_progress_in_lines_and_as_a_bar() -> None:
    """Rows, rate, time left and failures, of this run's rate alone."""
    now = 100.0
    recovered = RecoveredRows()
    recovered.done.add(1)
    tally = BatchProgress(recovered, 11, clock=lambda: now)
    told = Console(record=True, width=120)
    lines = Lines(tally, told, Words({}, "en"), clock=lambda: now)
    bar = Bar(tally, Console(record=True, width=120, force_terminal=True), Words({}, "fr"))
    lines.show()
    now += 10
    tally.add([Outcome(2, {}), Outcome(3, {}), Outcome(4, {}), Outcome(5, {}, "overloaded"), Outcome(6, {})])
    lines.show()
    bar.show()
    bar.end()

    assert "6 of 11 rows, 0.5 rows/s, 0:10 left, 1 failed" == told.export_text().strip()
    assert "1 en échec" in bar._progress.console.export_text()


def test_progress_without_an_end_in_sight() -> None:
    """What comes through a pipe has no total."""
    tally = BatchProgress(RecoveredRows(), None, clock=lambda: 0)
    tally.add([Outcome(1, {})])

    assert "1 lignes" in Lines(tally, Console(), Words({}, "fr")).line()
