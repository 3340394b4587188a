"""The playground for answers as JSON: the schema's report, runs, programs, history, and the rows of a CSV file."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Download, Page, expect

from core.contract import Task, Text, ToilEvent
from core.errors import NonConforming, Overloaded
from tests.support.fake_engine import FakeEngine
from tests.web.pages.support_visit import Visit, Visiting
from tests.web.pages.test_access import violations

pytestmark = pytest.mark.asyncio(loop_scope="package")  # the browser lives in that loop

HARD = "L’équipe? \"Ici\" 'là' $HOME `id` \\n\nREQUEST\n😀"
BIG = 12345678901234567890
BAD_REQUEST = "400 (Bad Request)"


class GatedEngine(FakeEngine):
    """Writes half of a value, then waits for `gate`. Texts with "now" are answered at once."""

    def __init__(self) -> None:
        super().__init__(toiled={"team": "pay"})
        self.gate = asyncio.Event()

    async def toil_events(self, task: Task) -> AsyncGenerator[ToilEvent, None]:
        self.started.set()
        yield Text('{"team": ')
        if not any("now" in each.text for each in task.attachments):
            try:
                await self.gate.wait()
            except asyncio.CancelledError:
                self.cancelled.set()
                raise
        yield await self.toil(task)

    async def toil(self, task: Task) -> Any:
        if self.gate.is_set() or any("now" in each.text for each in task.attachments):
            return await super().toil(task)
        self.started.set()
        await self.gate.wait()
        return await super().toil(task)


async def play(visit: Visit) -> Page:
    """Opens the playground, with its first example."""
    await visit.page.goto(f"{visit.origin}/toil")
    await expect(visit.page.locator("#prompt")).not_to_have_value("")
    await expect(visit.page.locator("#verdict")).to_contain_text("ccept")
    return visit.page


async def test_a_task_runs_and_stays_in_the_history(visiting: Visiting) -> None:
    """The schema reaches the engine as written, numbers are not rounded, and a reload keeps the task and its answer."""
    schema = '{"type": "object",\n "maximum": ' + str(BIG) + "}"
    async with visiting(FakeEngine(toiled={"n": BIG}), permissions=["clipboard-read", "clipboard-write"]) as visit:
        await visit.page.get_by_role("link", name="Answers as JSON").click()
        page = await play(visit)
        await page.locator("#prompt").fill("How many?")
        await page.locator("#text").fill("Many.")
        await page.locator("#schema").fill(schema)
        await expect(page.locator("#verdict")).to_have_text("Accepted, with 2 keywords.")
        await expect(page.locator("#keywords li")).to_have_text(["/type", "/maximum"])
        await page.locator("#schema").press("Control+Enter")

        await expect(page.locator("#result-status")).to_contain_text("fake-model answered in")
        await expect(page.locator("#value")).to_have_text(f'{{\n  "n": {BIG}\n}}')
        [task] = visit.engine.tasks
        assert ("How many?", "Many.", json.loads(schema)) == (task.prompt, task.attachments[0].text, task.schema)
        await page.get_by_role("button", name="Copy the answer").click()
        await expect(page.locator("#copied")).to_have_text("Copied.")
        assert {"n": BIG} == json.loads(await page.evaluate("navigator.clipboard.readText()"))

        await page.reload()
        await expect(page.locator("#prompt")).to_have_value("How many?")
        await page.get_by_role("button", name="Use this example").click()
        await page.get_by_text("History in this browser (1)").click()
        await page.get_by_role("button", name="How many?").click()
        await expect(page.locator("#prompt")).to_be_focused()
        await expect(page.locator("#schema")).to_have_value(schema)
        await expect(page.locator("#value")).to_contain_text(str(BIG))
        await page.get_by_role("button", name="Delete the history").click()
        await expect(page.locator("#history")).to_be_hidden()
        await expect(page.locator("#prompt")).to_be_focused()
        assert "How many?" not in await page.evaluate("JSON.stringify(localStorage)")


async def test_a_faulty_schema_is_explained_beside_it(visiting: Visiting) -> None:
    """A syntax error leads to its line, also at the end; a refused keyword is named; an empty schema is allowed.

    The browser finds a syntax error by itself: no refused request stands in its console.
    """
    async with visiting(FakeEngine()) as visit:
        page, schema = await play(visit), visit.page.locator("#schema")
        for text, line in (('{\n  "type": "object",\n  "a" 1\n}', 3), ('{\n  "a": [1', 2)):
            await schema.fill(text)
            await expect(page.locator("#verdict")).to_have_text("The schema is not valid JSON.")
            await expect(schema).to_have_attribute("aria-invalid", "true")
            await page.get_by_role("button", name=f"Go to line {line}").click()
            await expect(schema).to_be_focused()
            caret = await schema.evaluate("field => field.selectionStart")
            assert line == text[:caret].count("\n") + 1

        await schema.fill('{"$ref": "https://elsewhere.example/", "type": "object"}')
        await expect(page.locator("#verdict")).to_have_text("This schema cannot be used: see the refused keywords.")
        await expect(page.locator("#keywords h3").first).to_have_text("Refused (1)")
        await expect(page.locator("#keywords li").first).to_have_text("/$ref")
        await schema.fill("")
        await expect(page.locator("#verdict")).to_have_text("Without a schema, any JSON object can be the answer.")
        await expect(schema).to_have_attribute("aria-invalid", "false")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"a": object}', (1, 7, "o")),
        ('{"a": 1,}', (1, 9, "}")),
        ("[1 2]", (1, 4, "2")),
        ('{"a": [1', (1, 9, "")),
        ('{"a"\n: "b', (2, 3, '"')),
        ("{'a': 1}", (1, 2, "'")),
        ("[01]", (1, 2, "0")),
        ("[1]]", (1, 4, "]")),
        ("{}\n\n{}", (3, 1, "{")),
        ('["\\x"]', (1, 2, '"')),
        ("[😀]", (1, 2, "😀")),
        ("", (1, 1, "")),
    ],
)
async def test_a_syntax_error_has_its_place(visiting: Visiting, text: str, place: tuple[int, int, str]) -> None:
    """The line, the column and the sign that JSON does not allow there."""
    async with visiting(FakeEngine()) as visit:
        found = await visit.page.evaluate(
            "async (text) => (await import('/static/toil/json_syntax.js')).findSyntaxError(text)", text
        )
    assert place == (found["line"], found["column"], found["sign"])


async def test_a_failed_or_stopped_task_leaves_no_answer(visiting: Visiting) -> None:
    """The person reads why, in a sentence and in the service's detail. Unchecked text does not stay."""
    outcomes: list[Exception] = [NonConforming("/team: expected one of 5 values"), Overloaded("full", retry_after_s=1)]
    async with visiting(FakeEngine(toiled=lambda _task: outcomes.pop(0))) as visit:
        visit.expected = "Failed to load resource"
        page = await play(visit)
        await page.locator("#run").click()
        await expect(page.locator("#result-status")).to_contain_text("did not fit the schema in three attempts")
        await expect(page.locator("#result-detail")).to_have_text("/team: expected one of 5 values")
        await page.locator("#run").click()
        await expect(page.locator("#result-status")).to_contain_text("The service is busy.")
        await expect(page.locator("#value")).to_be_hidden()

    engine = GatedEngine()
    async with visiting(engine) as visit:
        page = await play(visit)
        await page.locator("#text").fill("later")
        await page.locator("#run").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("#value")).to_have_text('{"team": ')
        await expect(page.locator("#stop")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator("#result-status")).to_have_text("The task was stopped.")
        await expect(page.locator("#run")).to_be_focused()
        await expect(page.locator("#value")).to_be_hidden()
        await engine.cancelled.wait()


async def test_the_programs_send_the_same_task(visiting: Visiting) -> None:
    """curl in a shell and Python each get the answer, whatever signs the task has."""
    async with visiting(FakeEngine(toiled={"ok": True})) as visit:
        page = await play(visit)
        await page.locator("#prompt").fill(HARD)
        await page.locator("#text").fill("a 'b' \"c\" true null")
        await page.locator("#schema").fill(
            '{"type": "object", "properties": {"ok": true}, "description": "null \\"x\\""}'
        )
        await page.get_by_text("The same request as a program").click()
        for program, command in (("curl", ["sh", "-c"]), ("python", [sys.executable, "-c"])):
            await expect(page.locator(f"#{program}")).not_to_be_empty()
            code = await page.locator(f"#{program}").text_content()
            done = await asyncio.to_thread(subprocess.run, [*command, code], capture_output=True, text=True)
            assert "ok" in done.stdout, done.stderr

    first, second = visit.engine.tasks
    assert (HARD, 'null "x"') == (first.prompt, first.schema["description"])  # type: ignore[index,call-overload]
    assert (first.prompt, first.schema, first.attachments) == (second.prompt, second.schema, second.attachments)


# ---------------------------------------------------------------- a CSV file

MESSAGES = 'id;message;team\n1;"Le chauffage;\nne ""marche"" pas";x\n2;bad;y\n3;été;z\n'


def answer_row(task: Task) -> Any:
    text = task.attachments[0].text
    return NonConforming("/team: expected a text") if text == "bad" else {"team": "=1+1", "words": len(text), "n": -5}


async def choose(page: Page, content: str | bytes, name: str = "messages.csv") -> None:
    buffer = content.encode() if isinstance(content, str) else content
    await page.locator("#csv").set_input_files(files=[{"name": name, "mimeType": "text/csv", "buffer": buffer}])


async def save(page: Page, button: str) -> str:
    async with page.expect_download() as downloading:
        await page.get_by_role("button", name=button).click()
    download: Download = await downloading.value
    return await asyncio.to_thread(Path(await download.path()).read_bytes().decode)


async def test_a_csv_file_is_answered_row_by_row(visiting: Visiting) -> None:
    """Excel's signs and separators are read. The downloads have the answers beside the rows, and a row's error."""
    async with visiting(FakeEngine(toiled=answer_row)) as visit:
        page = await play(visit)
        await choose(page, MESSAGES.encode("cp1252"))
        await expect(page.locator("#file")).to_have_text("messages.csv: 3 rows, 3 columns.")
        await expect(page.locator("#column")).to_have_value("1")
        await expect(page.locator("#start")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator("#batch-status")).to_contain_text("All rows are done.")
        await expect(page.locator("#progress")).to_have_text("3 of 3 rows are done; one error.")
        await page.get_by_text("One row without an answer").click()
        await expect(page.locator("#failures li")).to_have_text("Row 2: /team: expected a text")
        as_csv, as_ndjson = await save(page, "Download as CSV"), await save(page, "Download as NDJSON")

        texts = {task.attachments[0].text for task in visit.engine.tasks}
        assert {'Le chauffage;\nne "marche" pas', "bad", "été"} == texts
        assert as_csv.startswith("\ufeffid;message;team;result.team;words;n;error\r\n")
        assert "3;été;z;'=1+1;3;-5;\r\n" in as_csv
        assert "2;bad;y;;;;/team: expected a text\r\n" in as_csv
        lines = [json.loads(line) for line in as_ndjson.splitlines()]
        assert [1, 2, 3] == [line["row"] for line in lines]
        assert ("non_conforming", {"team": "=1+1", "words": 3, "n": -5}) == (
            lines[1]["error"]["code"],
            lines[2]["value"],
        )
        await expect(page.locator("#start")).to_have_text("Run the remaining row")


async def test_a_batch_is_cancelled_and_goes_on(visiting: Visiting) -> None:
    """What was done stays, can be downloaded, and is not asked again."""
    engine = GatedEngine()
    async with visiting(engine) as visit:
        page = await play(visit)
        await choose(page, "text\nnow\nlater\nlater\n")
        await page.locator("#start").click()
        await expect(page.locator("#progress")).to_contain_text("1 of 3")
        await expect(page.locator("#cancel")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator("#batch-status")).to_have_text("Cancelled. One row is done and can be downloaded.")
        await expect(page.locator("#as-csv")).to_be_focused()
        assert "now,pay\r\nlater,\r\n" in await save(page, "Download as CSV")

        engine.gate.set()
        await page.get_by_role("button", name="Run the 2 remaining rows").click()
        await expect(page.locator("#batch-status")).to_contain_text("All rows are done.")
        assert ["now", "later", "later"] == [task.attachments[0].text for task in engine.tasks]


async def test_many_rows_go_in_requests_that_fit(visiting: Visiting) -> None:
    """A browser sends a body before it reads the answer, so no request has more rows than the network holds."""
    async with visiting(FakeEngine()) as visit:
        page = await play(visit)
        await choose(page, "text\n" + "".join(f"{number} {'x' * 300}\n" for number in range(250)))
        await page.locator("#start").click()
        await expect(page.locator("#batch-status")).to_contain_text("All rows are done.")

        assert list(range(250)) == sorted(int(task.attachments[0].text.split()[0]) for task in visit.engine.tasks)
        assert 3 == sum(url.endswith("/batch") for url in visit.requests)


async def test_a_faulty_file_is_explained(visiting: Visiting) -> None:
    """The sentence names the row. The next file is read."""
    async with visiting(FakeEngine()) as visit:
        page, status = await play(visit), visit.page.locator("#batch-status")
        for content, sentence in (
            ("", "no rows"),
            ("a,b\n", "no rows"),
            ('a,b\n1,2\n"3,4\n', "Row 2 of this file has a quotation mark"),
            ('a,b\n1,"2"x\n', "Row 1 of this file has a quotation mark"),
            ("a,b\n1,2\n\n3,4,5\n", "Row 2 of this file has more cells"),
        ):
            await choose(page, content)
            await expect(status).to_contain_text(sentence)
            await expect(page.locator("#batch")).to_be_hidden()
        for content, about in (
            ("a\tb\r\n1\t\r\n2", "2 rows, 2 columns."),
            ("a,b\n1\n", "one row, 2 columns."),
            ("text\n1".encode("utf-16"), "one row, one column."),
        ):
            await choose(page, content)
            await expect(page.locator("#file")).to_contain_text(about)
        await page.locator("#prompt").fill("")
        await page.locator("#start").click()
        await expect(status).to_have_text("Write the task first.")


@pytest.mark.parametrize(
    "options",
    [
        {"color_scheme": "light"},
        {"color_scheme": "dark", "locale": "fr-CA", "viewport": {"width": 320, "height": 640}},
    ],
    ids=["en light", "fr dark 320px"],
)
async def test_every_state_is_accessible(visiting: Visiting, options: dict[str, Any]) -> None:
    """axe finds nothing, the page needs no horizontal scrolling, and the other language keeps what was written."""
    async with visiting(FakeEngine(toiled=answer_row), **options) as visit:
        visit.expected = BAD_REQUEST
        page = await play(visit)
        assert await violations(page) == []
        await page.locator("#text").fill("ok")
        await page.locator("#run").click()
        await expect(page.locator("#copy-value")).to_be_visible()
        await choose(page, MESSAGES)
        await page.locator("#start").click()
        await expect(page.locator("#as-csv")).to_be_visible()
        for summary in ("#program", "#failures", "#history"):
            await page.locator(f"{summary} > summary").click()
        await page.locator("#schema").fill("{\n]")
        await expect(page.locator("#place button")).to_be_visible()

        assert await violations(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert await page.evaluate("document.querySelector('header').offsetWidth === document.body.clientWidth")
        before = await page.locator("html").get_attribute("lang")
        await page.locator("#language").click()
        await expect(page.locator("html")).not_to_have_attribute("lang", str(before))
        await expect(page.locator("#text")).to_have_value("ok")
        await expect(page.locator("#schema")).to_have_value("{\n]")
        await expect(page.locator("#language")).to_be_focused()


async def test_the_personality_is_chosen_for_the_next_request(visiting: Visiting) -> None:
    """The one in the address comes first; the choice is in the request, in the program, and in the link to the chat."""
    async with visiting(FakeEngine(toiled={"team": "pay"})) as visit:
        await visit.page.goto(f"{visit.origin}/toil?personality=chuchotte")
        personality = visit.page.locator("#personality")
        await expect(personality).to_have_value("chuchotte")
        await personality.select_option("whisper")
        await expect(visit.page.locator("#chat")).to_have_attribute("href", re.compile(r"personality=whisper$"))
        await visit.page.locator("#prompt").press("Control+Enter")

        await expect(visit.page.locator("#value")).to_contain_text("pay")
        assert ["whisper"] == [task.personality for task in visit.engine.tasks]
