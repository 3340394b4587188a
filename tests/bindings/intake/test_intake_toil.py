"""JSON answers: a schema in, checked JSON out, in the message or as a file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bindings.delivery.outlet import Closing, Refused
from bindings.incoming import ThreadMessages
from core.contract import Attachment, Turn
from core.errors import NonConforming, Overloaded
from tests.bindings.intake.support_intake import DIRECT, THREAD, BotHarness, message
from tests.support.fake_engine import FakeEngine

WHERE = THREAD.conversation
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}}
BLOCK = f"```json\n{json.dumps(SCHEMA)}\n```"


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine(toiled={"name": "Ada"})


@pytest.fixture
def harness(tmp_path: Path, engine: FakeEngine) -> BotHarness:
    harness = BotHarness(tmp_path / "var", engine)
    harness.channels.files = {"schema": json.dumps(SCHEMA).encode(), "note": b"Ada wrote it."}
    return harness


async def test_a_schema_in_a_code_block_is_answered_with_json(harness: BotHarness, engine: FakeEngine) -> None:
    """Attachments become material, the task belongs to the conversation, and the answer has a footer."""
    harness.channels.thread = ThreadMessages((Turn("user", "It was Ada", "Ann"),))
    asked = replace(message(f"Who wrote it?\n{BLOCK}", note__txt="note"), quoted=(Attachment("quoted", "a quote"),))
    await harness.answer_all(asked)

    (page,) = harness.channels.shown(WHERE)
    assert '```json\n{\n  "name": "Ada"\n}\n```' == page.text
    assert page.closing
    assert "fake-model" in page.closing.footer
    (task,) = engine.tasks
    assert ("whisper", "Who wrote it?", SCHEMA) == (task.personality, task.prompt, task.schema)
    assert (WHERE, asked.event, "slack:T1:U1") == (task.conversation, task.key, task.user)
    assert [
        Attachment("quoted", "a quote"),
        Attachment("note.txt", "Ada wrote it."),
        Attachment("said before", "Ann: It was Ada"),
    ] == list(task.attachments)


async def test_a_schema_in_a_file_is_answered_with_json(harness: BotHarness, engine: FakeEngine) -> None:
    """Without any text, the schema is filled in from the attachments."""
    await harness.answer_all(message("", 1, schema__json="schema", note__txt="note"))

    (task,) = engine.tasks
    assert (SCHEMA, "Fill this in from the material provided.") == (task.schema, task.prompt)
    assert (Attachment("note.txt", "Ada wrote it."),) == task.attachments


async def test_sample_data_is_a_question(harness: BotHarness, engine: FakeEngine) -> None:
    await harness.answer_all(message('What is wrong here? ```{"name": "Ada"}```'))

    assert [] == engine.tasks
    assert 1 == len(engine.prompts)


async def test_a_long_value_becomes_a_file(harness: BotHarness, engine: FakeEngine) -> None:
    """Where files cannot be sent, it is shown in several messages."""
    engine.toiled = {"names": ["Ada"] * 500}
    await harness.answer_all(message(f"All of them {BLOCK}"))
    harness.channels.takes_files = False
    await harness.answer_all(message(f"All of them {BLOCK}", 2, DIRECT))

    (file,) = harness.channels.channels[WHERE].files.values()
    assert ("answer.json", "application/json") == (file.name, file.media_type)
    assert {"names": ["Ada"] * 500} == json.loads(file.body)
    assert 500 == "".join(harness.channels.texts(DIRECT.conversation)).count('"Ada"')


async def test_a_refused_file_is_shown_as_text(harness: BotHarness, engine: FakeEngine) -> None:
    engine.toiled = {"names": ["Ada"] * 500}
    outlet_of = harness.channels.outlet

    def refusing(incoming: Any) -> Any:
        outlet = outlet_of(incoming)

        async def upload(*_: object) -> bool:
            raise Refused("missing scope files:write")

        outlet.upload = upload  # type: ignore[assignment, method-assign]
        return outlet

    harness.channels.outlet = refusing  # type: ignore[method-assign]
    await harness.answer_all(message(f"All of them {BLOCK}"))

    assert 500 == "".join(harness.channels.texts(WHERE)).count('"Ada"')


async def test_json_cannot_end_its_code_block(harness: BotHarness, engine: FakeEngine) -> None:
    """Its value does not change."""
    engine.toiled = {"name": "``` <!channel> ````"}
    await harness.answer_all(message(f"Who? {BLOCK}"))

    (text,) = harness.channels.texts(WHERE)
    inside = text.removeprefix("```json\n").removesuffix("\n```")
    assert "```" not in inside
    assert engine.toiled == json.loads(inside)


@pytest.mark.parametrize(
    ("failure", "detail", "notice"),
    [
        (NonConforming("the root fails `minLength`"), "the root fails 'minLength'", "did not manage to answer"),
        (Overloaded("full"), "", "Many people are asking"),
    ],
)
async def test_a_failure_includes_the_detail_for_the_schema_author(
    harness: BotHarness, engine: FakeEngine, failure: Exception, detail: str, notice: str
) -> None:
    engine.toiled = failure
    await harness.answer_all(message(f"Who? {BLOCK}"))

    (page,) = harness.channels.shown(WHERE)
    shown = f"{page.text} {page.closing and page.closing.note}"
    assert detail in shown
    assert notice in shown


async def test_the_toil_command_reports_the_place_of_a_schema_error(harness: BotHarness, engine: FakeEngine) -> None:
    """It gives line and column. The same message without the command is a question."""
    broken = '```{\n  "type": object\n}```'
    await harness.answer_all(message(f"Who is it, please? {broken}", 1, toil=True))
    await harness.answer_all(message(f"Who is it, please? {broken}", 2, DIRECT))

    (page,) = harness.channels.shown(WHERE)
    assert "line 2, column 11" in page.text
    assert 1 == len(engine.prompts)
    assert [] == engine.tasks


@pytest.mark.parametrize(
    ("text", "notice"),
    [
        ("Who is it?", "I found no JSON Schema"),
        ("C’est qui, ça ?", "Je n’ai pas trouvé"),
        (BLOCK, "Please also write or attach"),
    ],
)
async def test_the_toil_command_asks_for_missing_parts(
    harness: BotHarness, engine: FakeEngine, text: str, notice: str
) -> None:
    await harness.answer_all(message(text, toil=True))

    (page,) = harness.channels.shown(WHERE)
    assert notice in page.text
    assert page.closing == Closing("", "")
    assert [] == engine.tasks
