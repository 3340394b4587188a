"""Bots take personal information out of messages before they record them, and tell the person."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bindings.incoming import AttachedFile, IncomingMessage, ThreadMessages
from core.contract import Attachment, Masked, PersonalInformation, Turn
from core.privacy.policy import Policy
from core.screening import FixedPolicy, Screener
from tests.bindings.intake.support_intake import THREAD, BotHarness, message
from tests.support.fake_engine import HELLO, FakeEngine

WHERE = THREAD.conversation
SIN = "193 456 787"
MASKED = "[social insurance number removed]"
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}}
BLOCK = f"```json\n{json.dumps(SCHEMA)}\n```"


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine(toiled={"name": "Ada"})


@pytest.fixture
def harness(tmp_path: Path, engine: FakeEngine) -> BotHarness:
    return BotHarness(tmp_path / "var", engine)


def stored_bytes(harness: BotHarness) -> bytes:
    return b"".join(file.read_bytes() for file in harness.folder.rglob("*") if file.is_file())


def notice(harness: BotHarness) -> str:
    closing = harness.channels.shown(WHERE)[-1].closing
    return (closing and closing.notice) or ""


async def test_a_message_is_masked_before_it_is_recorded(harness: BotHarness, engine: FakeEngine) -> None:
    """Also quotes, names of files, and the thread's messages; the person reads what was removed."""
    harness.channels.thread = ThreadMessages((Turn("user", f"or {SIN}", "Ann"),))
    harness.channels.files = {"note": b"Ada"}
    asked = replace(
        message(f"Mine is {SIN}"),
        quoted=(Attachment("quoted", SIN),),
        files=(AttachedFile(f"{SIN}.txt", "note", "text/plain"),),
    )
    await harness.answer_all(asked)

    (prompt,) = engine.prompts
    assert f"Mine is {MASKED}" == prompt.text
    assert SIN not in repr(prompt)
    assert SIN.encode() not in stored_bytes(harness)
    assert "Personal information was removed: 4 social insurance numbers." in notice(harness)


async def test_what_the_engine_finds_in_files_is_named_too(harness: BotHarness, engine: FakeEngine) -> None:
    """The counts of the message and of its files are one sum."""
    engine.replies = (Masked((PersonalInformation("sin", 2),)), *HELLO)
    await harness.answer_all(message(f"Mine is {SIN}"))

    assert "3 social insurance numbers" in notice(harness)


async def test_a_blocked_message_is_refused_without_a_trace(harness: BotHarness, engine: FakeEngine) -> None:
    """The person learns the kinds; the event is known, so that a repeat is recognised."""
    harness.screener = Screener(FixedPolicy(Policy(channels={"slack": {"sin": "block"}})))
    await harness.answer_all(message(f"Mon NAS est le {SIN}, merci beaucoup"))
    async with harness.process() as intake:
        assert not await intake.take(message(f"Mon NAS est le {SIN}, merci beaucoup"))

    (page,) = harness.channels.shown(WHERE)
    assert "1 numéro d’assurance sociale" in page.text
    assert SIN not in page.text
    assert [] == engine.prompts
    assert SIN.encode() not in stored_bytes(harness)


async def test_the_rows_of_a_job_are_masked_before_they_are_on_disk(harness: BotHarness, engine: FakeEngine) -> None:
    engine.toiled = lambda task: {"name": task.prompt}
    harness.channels.files = {"rows": f"name;sin\nAnn;{SIN}\nBob;193456787\n".encode()}
    plans: list[bytes] = []

    def copy_files(task: object) -> dict[str, str]:
        plans.extend(file.read_bytes() for file in harness.folder.rglob("jobs/**/*") if file.is_file())
        return {"name": str(task)}

    engine.toiled = copy_files
    await harness.answer_all(message(f"Greet {{name}}, {{sin}}. {BLOCK}", people__csv="rows"))

    assert plans
    assert all(b"193" not in content for content in plans)
    assert all(MASKED in task.prompt for task in engine.tasks)
    assert "2 social insurance numbers" in notice(harness)


async def test_the_comment_of_feedback_is_masked(harness: BotHarness) -> None:
    await harness.answer_all(message("Hi"))
    async with harness.process() as intake:
        answer = await intake.find_answer(THREAD, next(iter(harness.channels.channels[WHERE].messages)))
        assert answer
        await intake.record_feedback(answer, "slack:T1:U1", "bad", f"It is {SIN}")

    assert SIN.encode() not in stored_bytes(harness)
    assert MASKED.encode() in stored_bytes(harness)


async def test_a_message_keeps_what_was_removed_over_a_restart() -> None:
    """Its stored form has kinds and numbers, and no value."""
    incoming = replace(message("Hi"), masked=(PersonalInformation("pri", 2, (("en", "PRI"), ("fr", "CIDP"))),))

    assert incoming == IncomingMessage.from_json(json.loads(json.dumps(incoming.to_json())))
