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
from core.cli.toil import Messages, ProgressDisplay, ProgressLines
from core.cli.toil_plan import BatchOptions, build_plan
from core.configuration.settings import Settings
from core.contract import Task
from core.errors import BadRequest, NonConforming
from core.toil.batch.answers import Outcome
from core.toil.batch.journal import BatchProgress, RecoveredRows
from tests.core.rag.reading.support_workbooks import sheet_of
from tests.support.fake_engine import FakeEngine
from tests.support.fake_model import Body, FakeModel, Step

SCHEMA = {"type": "object"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A batch of 24 rows, as CSV and as JSON lines."""
    (tmp_path / "s.json").write_text(json.dumps(SCHEMA))
    (tmp_path / "t.txt").write_text("Say {word} twice.\n")
    rows = [{"id": f"r{number}", "word": f"été {number}"} for number in range(1, 25)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "rows.csv").write_text("id;word\n" + "".join(f"{row['id']};{row['word']}\n" for row in rows))
    return tmp_path


def options(folder: Path, rows: str = "rows.csv", **changes: Any) -> BatchOptions:
    given: dict[str, Any] = {"schema": folder / "s.json", "template": folder / "t.txt", "personality": "whisper"}
    return BatchOptions(folder / rows, folder / "out.jsonl", **{**given, **changes})


def run(given: BatchOptions, settings: Settings, engine: FakeEngine) -> int:
    """Runs a batch in this process, with a fake engine."""

    @asynccontextmanager
    async def open_engine(_settings: Settings) -> AsyncIterator[FakeEngine]:
        yield engine

    return toil.run(given, settings, "en", open_engine)


def output(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "out.jsonl").read_bytes().splitlines()]


def test_an_unsupported_schema_is_refused_before_the_start(folder: Path, own_settings: Settings) -> None:
    """No row is sent, and no output is written."""
    (folder / "s.json").write_text('{"$ref": "https://example.org/s.json"}')

    assert 2 == run(options(folder), own_settings, engine := FakeEngine())
    assert [] == engine.tasks
    assert not (folder / "out.jsonl").exists()


@pytest.mark.parametrize("rows", ["rows.csv", "rows.jsonl"])
def test_every_row_is_answered(
    folder: Path, own_settings: Settings, rows: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Answers are in the order of the rows, by the schema. Messages go to stderr, and the status is 0."""
    engine = FakeEngine(toiled=lambda task: {"said": task.prompt})

    assert 0 == run(options(folder, rows), own_settings, engine)
    assert [
        {"row": number, "id": f"r{number}", "value": {"said": f"Say été {number} twice."}} for number in range(1, 25)
    ] == output(folder)
    assert [SCHEMA] == [dict(task.schema) for task in engine.tasks[:1] if isinstance(task.schema, dict)]
    shown = capsys.readouterr()
    assert ("", True) == (shown.out, "24 rows, all answered" in shown.err)


def test_rows_may_be_a_workbook(folder: Path, own_settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """Its first table counts. A message says what of it became no row."""
    rows = [["id", "word"], *([f"r{number}", f"été {number}"] for number in range(1, 4)), [], ["A note"]]
    (folder / "rows.xlsx").write_bytes(sheet_of(rows))
    engine = FakeEngine(toiled=lambda task: {"said": task.prompt})

    assert 0 == run(options(folder, "rows.xlsx"), own_settings, engine)
    assert [
        {"row": number, "id": f"r{number}", "value": {"said": f"Say été {number} twice."}} for number in range(1, 4)
    ] == output(folder)
    assert "rows.xlsx only in part: the first 3 of 4 rows" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(("body", "problem"), [(b"no workbook", "cannot be read"), (sheet_of([]), "no rows")])
def test_a_workbook_without_readable_rows_is_refused(folder: Path, body: bytes, problem: str) -> None:
    """The command says so before the start."""
    (folder / "rows.xlsx").write_bytes(body)

    with pytest.raises(BadRequest, match=problem):
        build_plan(options(folder, "rows.xlsx"), "en")


def test_failed_rows_are_counted(folder: Path, own_settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """Each has a line in the output. The summary counts them by code, and the status is 3, also of the next run."""

    def toiled(task: Task) -> Any:
        return NonConforming("it does not") if "7" in task.prompt else {}

    assert 3 == run(options(folder), own_settings, FakeEngine(toiled=toiled))
    assert [7, 17] == [line["row"] for line in output(folder) if line.get("error", {}).get("code") == "non_conforming"]
    assert "2 of them failed (non_conforming 2)" in capsys.readouterr().err

    unused = FakeEngine()
    assert 3 == run(options(folder), own_settings, unused)
    assert [] == unused.tasks


def test_openai_requests(folder: Path, own_settings: Settings) -> None:
    """Input and output are both in OpenAI's Batch format."""
    body = {"model": "whisper", "messages": [{"role": "user", "content": "Hi"}]}
    line = {"method": "POST", "url": "/v1/chat/completions", "body": body}
    requests = [{"custom_id": f"c{number}", **line} for number in range(3)]
    (folder / "requests.jsonl").write_text("".join(json.dumps(request) + "\n" for request in requests))
    given = options(folder, "requests.jsonl", openai=True, schema=None, template=None)

    assert 0 == run(given, own_settings, FakeEngine())
    lines = output(folder)
    assert ["c0", "c1", "c2"] == [each["custom_id"] for each in lines]
    assert {"Hello world."} == {each["response"]["body"]["choices"][0]["message"]["content"] for each in lines}
    again = FakeEngine()
    assert (0, []) == (run(given, own_settings, again), again.prompts)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"template": "{Word}"}, "did you mean `word`"),
        ({"template": "{"}, "line 1"),
        ({"schema": "[]"}, "JSON Schema"),
        ({"schema": '{"a": NaN}'}, "NaN"),
        ({"rows": "rows.pdf"}, "--format"),
        ({"rows": "missing.csv"}, "No such file"),
        ({"template": None}, "`prompt`"),
        ({"twice": True}, "lines 1 and 2"),
        ({"same": True}, "the file that contains the rows"),
        ({"personality": "nobody"}, "whisper, chuchotte"),
    ],
)
def test_mistakes_are_refused_before_the_start(
    folder: Path, own_settings: Settings, change: dict[str, Any], error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2 with the reason. No row is sent, and no output is written."""
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

    assert 2 == run(given, own_settings, engine)
    assert error in capsys.readouterr().err
    assert (0, False) == (len(engine.tasks), (folder / "out.jsonl").exists())


def test_changed_options_are_another_job(
    folder: Path, own_settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error names the changes. --force-new starts again."""
    assert 0 == run(options(folder), own_settings, FakeEngine())
    (folder / "t.txt").write_text("Shout {word}.")
    changed = options(folder, in_order=False)

    assert 2 == run(changed, own_settings, FakeEngine())
    message = capsys.readouterr().err
    assert "order, template differ" in message
    assert "--force-new" in message
    assert 0 == run(options(folder, in_order=False, force_new=True), own_settings, FakeEngine())
    assert list(range(1, 25)) == sorted(line["row"] for line in output(folder))


def test_format_delimiter_and_encoding_of_the_rows(folder: Path) -> None:
    """A file with an unknown suffix needs --format."""
    (folder / "rows.txt").write_bytes("id|word\n1|été\n".encode("cp1252"))
    given = options(folder, "rows.txt", format="csv", encoding="cp1252", delimiter="|")

    assert 1 == build_plan(given, "en").total
    with pytest.raises(BadRequest, match="cp1252"):
        build_plan(options(folder, "rows.txt", format="csv"), "en")


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
def test_invalid_command_lines(arguments: list[str]) -> None:
    """Status 2, as for any command."""
    assert 2 == CliRunner().invoke(app, ["toil", "run", *arguments]).exit_code


# ---------------------------------------------------------------- as a process


class CountingModel:
    """A model that repeats the words of each row. `reached` is set at the `count`-th request."""

    def __init__(self, count: int) -> None:
        self.requests = 0
        self.reached = asyncio.Event()
        self._count = count

    def answer(self, body: Body) -> Sequence[Step]:
        if body.get("max_tokens") == 1:  # the prefix of a personality is being computed
            return ("x",)
        self.requests += 1
        if self.requests == self._count:
            self.reached.set()
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
async def test_a_killed_run_is_resumed(folder: Path, order: str) -> None:
    """After each kill -9 the same command continues. In the end the output has every row exactly once."""
    command = ("rows.csv", "-o", "out.jsonl", "--prompt-template", "t.txt", "--concurrency", "3", order)
    for count in (2, 9):
        model_calls = CountingModel(count)
        async with FakeModel(answer=model_calls.answer).serving() as model:
            process = await started(folder, model, *command)
            async with asyncio.timeout(60):
                await model_calls.reached.wait()
            process.send_signal(signal.SIGKILL)
            assert -signal.SIGKILL == (await ended(process))[0]
    with (folder / "out.jsonl").open("ab") as torn:
        torn.write(b'{"row": 24, "va')
    last = CountingModel(0)
    async with FakeModel(answer=last.answer).serving() as model:
        status, err = await ended(await started(folder, model, *command))

    assert (0, True) == (status, "24 rows, all answered" in err), err
    lines = output(folder)
    numbers = [line["row"] for line in lines]
    assert list(range(1, 25)) == (numbers if order == "--in-order" else sorted(numbers))
    assert all(f"Say été {line['row']}" == line["value"]["said"] for line in lines)
    assert last.requests < 24


async def test_ctrl_c_keeps_finished_rows(folder: Path) -> None:
    """Status 130, and a message on how to continue. The same rows from a pipe continue; other rows are refused."""
    gate = asyncio.Event()
    calls = CountingModel(6)

    def answer(body: Body) -> Sequence[Step]:
        steps = calls.answer(body)
        return (gate, *steps) if calls.reached.is_set() else steps

    command = ("-", "-o", "out.jsonl", "--prompt-template", "t.txt", "--concurrency", "2")
    rows = (folder / "rows.jsonl").read_bytes()
    async with FakeModel(answer=answer).serving() as model:
        process = await started(folder, model, *command, stdin=asyncio.subprocess.PIPE)
        assert process.stdin
        process.stdin.write(rows)  # stdin stays open: Ctrl+C must not wait for its end
        async with asyncio.timeout(60):
            await calls.reached.wait()
            await recorded(folder, 5)  # the other requests wait at the gate
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(60):
            assert 130 == await process.wait()
        assert process.stderr
        err = (await process.stderr.read()).decode()
    assert "To continue, give the same command again." in err
    kept = len(output(folder))
    assert 5 == kept

    async with FakeModel(answer=CountingModel(0).answer).serving() as model:
        other = await started(folder, model, *command, stdin=asyncio.subprocess.PIPE)
        _, error = await other.communicate(rows.replace(b'r1"', b'x1"'))
        assert (1, kept) == (other.returncode, len(output(folder)))
        assert b"row 1 is not" in error
        again = await started(folder, model, *command, stdin=asyncio.subprocess.PIPE)
        await again.communicate(rows)

    assert 0 == again.returncode
    assert list(range(1, 25)) == [line["row"] for line in output(folder)]


@pytest.mark.parametrize("piped", [False, True])
async def test_without_a_model_nothing_starts(folder: Path, piped: bool) -> None:
    """Status 2 at once, and a message on how to start a model. With rows from a pipe it once never ended."""
    command = ["-" if piped else "rows.csv", "-o", "out.jsonl", "--prompt-template", "t.txt"]
    stdin = asyncio.subprocess.PIPE if piped else None
    process = await started(folder, FakeModel(), *command, stdin=stdin)
    status, err = await ended(process)

    assert (2, True) == (status, "csps-llm up" in err), err
    assert "nothing listens there" in err
    assert not (folder / "out.jsonl").exists()


@pytest.mark.parametrize("option", ["--schema", "--prompt-template"])
def test_a_missing_file_is_named_once(folder: Path, option: str) -> None:
    """The error has the reason."""
    arguments = [str(folder / "rows.csv"), "-o", str(folder / "out.jsonl"), option, str(folder / "nothere")]
    outcome = CliRunner().invoke(app, ["toil", "run", *arguments])
    assert outcome.exit_code == 2
    assert outcome.output.count("nothere") == 1
    assert "No such file" in outcome.output


# ---------------------------------------------------------------- progress


def test_progress_in_lines_and_as_a_bar() -> None:
    """Both show rows, rate and failures; lines also show the time left. The rate is of this run only."""
    now = 100.0
    recovered = RecoveredRows()
    recovered.done.add(1)
    progress = BatchProgress(recovered, 11, clock=lambda: now)
    console = Console(record=True, width=120)
    terminal = Console(record=True, width=120, force_terminal=True)
    lines = ProgressLines(progress, Messages(console, "en"), clock=lambda: now)
    display = ProgressDisplay(progress, Messages(terminal, "fr"))
    lines.show()
    now += 10
    progress.add([Outcome(2, {}), Outcome(3, {}), Outcome(4, {}), Outcome(5, {}, "overloaded"), Outcome(6, {})])
    lines.show()
    display.show()
    display.end()

    assert "6 of 11 rows, 0.5 rows/s, 10 seconds left, 1 failed" == console.export_text().strip()
    assert "1 en échec" in terminal.export_text()


def test_progress_without_a_total() -> None:
    """Rows from a pipe have no total."""
    progress = BatchProgress(RecoveredRows(), None, clock=lambda: 0)
    progress.add([Outcome(1, {})])

    assert "1 ligne," in ProgressLines(progress, Messages(Console(), "fr")).line()
