"""Toil in a conversation: a schema in, checked JSON out, in the message or as a file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bindings.delivery.outlet import Closing, Refused
from core.contract import Attachment, Turn
from core.errors import NonConforming, Overloaded
from tests.bindings.intake.support_intake import DIRECT, THREAD, Office, message
from tests.support.fakes import FakeEngine

WHERE = THREAD.conversation
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}}
BLOCK = f"```json\n{json.dumps(SCHEMA)}\n```"


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine(toiled={"name": "Ada"})


@pytest.fixture
def office(tmp_path: Path, engine: FakeEngine) -> Office:
    office = Office(tmp_path / "var", engine)
    office.channels.files = {"schema": json.dumps(SCHEMA).encode(), "note": b"Ada wrote it."}
    return office


async def test_a_schema_in_a_block_is_answered_by_json(office: Office, engine: FakeEngine) -> None:
    """With what came along as material, as a turn of the conversation, and with the footer of an answer."""
    office.channels.said = (Turn("user", "It was Ada", "Ann"),)
    asked = replace(message(f"Who wrote it?\n{BLOCK}", note__txt="note"), quoted=(Attachment("quoted", "a quote"),))
    await office.asked(asked)

    (page,) = office.channels.shown(WHERE)
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


async def test_a_schema_in_a_file_is_answered_by_json(office: Office, engine: FakeEngine) -> None:
    """Without a word, the schema is filled in from what came along."""
    await office.asked(message("", 1, schema__json="schema", note__txt="note"))

    (task,) = engine.tasks
    assert (SCHEMA, "Fill this in from the material provided.") == (task.schema, task.prompt)
    assert (Attachment("note.txt", "Ada wrote it."),) == task.attachments


async def test_a_sample_of_data_is_a_question(office: Office, engine: FakeEngine) -> None:
    await office.asked(message('What is wrong here? ```{"name": "Ada"}```'))

    assert [] == engine.tasks
    assert 1 == len(engine.prompts)


async def test_a_long_value_becomes_a_file_where_there_are_files(office: Office, engine: FakeEngine) -> None:
    """Otherwise it is shown, over several messages."""
    engine.toiled = {"names": ["Ada"] * 500}
    await office.asked(message(f"All of them {BLOCK}"))
    office.channels.takes_files = False
    await office.asked(message(f"All of them {BLOCK}", 2, DIRECT))

    (file,) = office.channels.channels[WHERE].files.values()
    assert ("answer.json", "application/json") == (file.name, file.media_type)
    assert {"names": ["Ada"] * 500} == json.loads(file.body)
    assert 500 == "".join(office.channels.texts(DIRECT.conversation)).count('"Ada"')


async def test_a_file_that_the_platform_refuses_is_shown(office: Office, engine: FakeEngine) -> None:
    engine.toiled = {"names": ["Ada"] * 500}
    outlet_of = office.channels.outlet

    def refusing(incoming: Any) -> Any:
        outlet = outlet_of(incoming)

        async def upload(*_: object) -> bool:
            raise Refused("missing scope files:write")

        outlet.upload = upload  # type: ignore[assignment, method-assign]
        return outlet

    office.channels.outlet = refusing  # type: ignore[method-assign]
    await office.asked(message(f"All of them {BLOCK}"))

    assert 500 == "".join(office.channels.texts(WHERE)).count('"Ada"')


async def test_json_cannot_break_out_of_its_block(office: Office, engine: FakeEngine) -> None:
    """And is the same value still."""
    engine.toiled = {"name": "``` <!channel> ````"}
    await office.asked(message(f"Who? {BLOCK}"))

    (text,) = office.channels.texts(WHERE)
    inside = text.removeprefix("```json\n").removesuffix("\n```")
    assert "```" not in inside
    assert engine.toiled == json.loads(inside)


@pytest.mark.parametrize(
    ("failure", "detail", "told"),
    [
        (NonConforming("the root fails `minLength`"), "the root fails 'minLength'", "did not manage to answer"),
        (Overloaded("full"), "", "Many people are asking"),
    ],
)
async def test_a_failure_is_told_with_what_its_author_can_mend(
    office: Office, engine: FakeEngine, failure: Exception, detail: str, told: str
) -> None:
    engine.toiled = failure
    await office.asked(message(f"Who? {BLOCK}"))

    (page,) = office.channels.shown(WHERE)
    shown = f"{page.text} {page.closing and page.closing.note}"
    assert detail in shown
    assert told in shown


async def test_a_command_says_where_its_schema_is_broken(office: Office, engine: FakeEngine) -> None:
    """In both languages, with line and column; a message without the command is a question."""
    broken = '```{\n  "type": object\n}```'
    await office.asked(message(f"Who is it, please? {broken}", 1, toil=True))
    await office.asked(message(f"Who is it, please? {broken}", 2, DIRECT))

    (page,) = office.channels.shown(WHERE)
    assert "line 2, column 11" in page.text
    assert 1 == len(engine.prompts)
    assert [] == engine.tasks


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Who is it?", "I found no JSON Schema"),
        ("C’est qui, ça ?", "Je n’ai pas trouvé"),
        (BLOCK, "Please also write or attach"),
    ],
)
async def test_what_is_missing_is_asked_for(office: Office, engine: FakeEngine, text: str, told: str) -> None:
    await office.asked(message(text, toil=True))

    (page,) = office.channels.shown(WHERE)
    assert told in page.text
    assert page.closing == Closing("", "")
    assert [] == engine.tasks
