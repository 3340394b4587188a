"""What the model and people see of a message, from the webhook call to the answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bindings.selftest.microsoft_server import FakeMicrosoft
from core.contract import Attachment
from tests.bindings.teams.conftest import TeamsBot
from tests.bindings.teams.test_end_to_end import ANSWER, run_bot
from tests.support.fake_engine import FakeEngine

SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}}


def rich(bot: TeamsBot, name: str, html: str, *attachments: dict[str, Any], **changes: Any) -> dict[str, Any]:
    body = {"contentType": "text/html", "content": html}
    return bot.activity(name, text="", attachments=[body, *attachments], **changes)


async def test_a_pasted_schema_is_answered_with_json(microsoft: FakeMicrosoft, tmp_path: Path) -> None:
    """It was pasted from an editor, as lines indented with U+00A0."""
    lines = json.dumps(SCHEMA, indent=2).replace(" ", "&nbsp;").split("\n")
    engine = FakeEngine(ANSWER, toiled={"name": "Ada"})
    async with run_bot(microsoft, tmp_path, engine) as bot:
        await bot.send(rich(bot, "personal", "".join(f"<p>{line}</p>" for line in ["Ada asks.", *lines])))
        message = await microsoft.wait_for_text("Ada")

    (task,) = engine.tasks
    assert (SCHEMA, "Ada asks.") == (task.schema, task.prompt)
    assert '"name": "Ada"' in message["text"]


async def test_quoted_and_forwarded_words_stay_apart(microsoft: FakeMicrosoft, tmp_path: Path) -> None:
    """The model is shown them as data; a part that cannot be read is named to it and to the person."""
    forwarded = {
        "contentType": "forwardedMessageReference",
        "content": json.dumps(
            {"originalMessageContent": "Due Friday", "originalMessageSender": {"user": {"displayName": "Adele Vance"}}}
        ),
    }
    clip = {"contentType": "audio/mp4", "name": "voice.m4a"}
    engine = FakeEngine(ANSWER)
    async with run_bot(microsoft, tmp_path, engine) as bot:
        await bot.send(rich(bot, "personal", '<p>Is <a href="https://x.ca">this</a> so?</p>', forwarded, clip))
        message = await microsoft.wait_for_text("Model: fake-model")

    (prompt,) = engine.prompts
    assert "Is [this](https://x.ca) so?" == prompt.text
    assert Attachment("forwarded message from Adele Vance", "Due Friday") == prompt.attachments[0]
    assert "an audio recording (voice.m4a)" in prompt.attachments[1].text
    assert "an audio recording (voice.m4a)" in message["text"]


async def test_a_withheld_file_alone_gets_a_notice(microsoft: FakeMicrosoft, tmp_path: Path) -> None:
    """The model is not asked about a file that it cannot see."""
    engine = FakeEngine(ANSWER)
    html = (
        '<span itemtype="http://schema.skype.com/Mention" itemid="0">Whisper</span><attachment id="a-b"></attachment>'
    )
    async with run_bot(microsoft, tmp_path, engine) as bot:
        await bot.send(rich(bot, "group_bare", html))
        await microsoft.wait_for_text("Not read: a file.")

    assert [] == engine.prompts


async def test_an_edit_that_adds_the_mention_is_answered_once(microsoft: FakeMicrosoft, tmp_path: Path) -> None:
    """Further edits of the message change nothing."""
    engine = FakeEngine(ANSWER)
    async with run_bot(microsoft, tmp_path, engine) as bot:
        mention = bot.activity("channel")
        await bot.send({**mention, "entities": [], "text": "what is due?", "attachments": []})
        edit = {**mention, "type": "messageUpdate"}
        edit["channelData"] = {**mention["channelData"], "eventType": "editMessage"}
        for _ in range(3):
            assert 202 == (await bot.send(edit)).status
        await microsoft.wait_for_text("Model: fake-model")

    assert ["what is due on Friday?"] == [prompt.text for prompt in engine.prompts]
    assert 1 == len(microsoft.messages)


async def test_a_person_of_another_organisation_is_refused(microsoft: FakeMicrosoft, tmp_path: Path) -> None:
    """Unless the settings name them."""
    engine = FakeEngine(ANSWER)
    async with run_bot(microsoft, tmp_path, engine) as bot:
        sender = {**bot.activity("channel")["from"], "tenantId": "partner"}
        await bot.send(bot.activity("channel", **{"from": sender}))
        await microsoft.until(lambda: microsoft.messages)
    assert [] == engine.prompts

    async with run_bot(microsoft, tmp_path / "allowed", engine, TEAMS_ALLOW="home, partner") as bot:
        await bot.send(bot.activity("channel", **{"from": sender}))
        await microsoft.wait_for_text("Model: fake-model")
    assert 1 == len(engine.prompts)
