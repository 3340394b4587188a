"""The whole bot between a strict stand-in for Slack and a scripted engine: what it hears, and from whom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bindings.selftest.slack_faults import Trouble
from bindings.selftest.slack_server import BOT_USER, FakeSlack
from core.contract import Done, Text, Usage
from tests.bindings.slack.support_fakes import payload
from tests.bindings.slack.test_end_to_end import add_question, run_bot
from tests.support.fake_engine import FakeEngine

MENTION = f"<@{BOT_USER}>"


def build_engine() -> FakeEngine:
    return FakeEngine((Text("Yes."), Done("stop", "m", Usage())))


def as_bot(body: dict[str, Any]) -> dict[str, Any]:
    del body["event"]["user"]
    return {**body, "event": {**body["event"], "type": "message", "subtype": "bot_message", "bot_id": "B0CI"}}


async def test_what_about_this_shows_the_model_the_alert_above(slack: FakeSlack, tmp_path: Path) -> None:
    """The alert of an app has attachments and no text. The question comes with the names of those it mentions."""
    engine = build_engine()
    slack.users["U0BOB"] = {"id": "U0BOB", "name": "bob", "real_name": "Bob Roy"}
    alert = {"title": "Disk full", "text": "91 % on <https://host.example|db-1>"}
    slack.add_message("C0001", "", user="", bot_id="B0CI", username="ci", attachments=[alert])
    async with run_bot(slack, engine, tmp_path, "socket") as bot:
        await bot.deliver(add_question(slack, text=f"{MENTION} what about this, <@U0BOB>?", blocks=[]))
        await bot.finished("C0001")

    [prompt] = engine.prompts
    assert "what about this, @Bob Roy?" == prompt.text
    [turn] = prompt.thread_messages
    assert ("ci", "[embedded content: Disk full]\nDisk full\n91 % on db-1 (https://host.example)") == (
        turn.speaker,
        turn.text,
    )


async def test_a_forwarded_message_is_apart_from_the_question(slack: FakeSlack, tmp_path: Path) -> None:
    """The person also learns that its image was not read."""
    engine = build_engine()
    image = {"id": "F1", "name": "door.png", "mimetype": "image/png", "url_private": "https://files.slack.com/d"}
    forward = {"is_share": True, "author_name": "Bob", "text": "The office closes at 3.", "files": [image]}
    async with run_bot(slack, engine, tmp_path, "socket") as bot:
        await bot.deliver(add_question(slack, "message_im", "D0001", text="Is this right?", attachments=[forward]))
        [answer] = await bot.finished("D0001")

    [prompt] = engine.prompts
    assert "Is this right?" == prompt.text
    assert ("forwarded message from Bob", "The office closes at 3.") == (
        prompt.attachments[0].name,
        prompt.attachments[0].text,
    )
    assert "door.png" in str(answer["blocks"])


async def test_an_edit_and_its_mention_have_one_answer(slack: FakeSlack, tmp_path: Path) -> None:
    """Slack reports such an edit as message_changed and as app_mention."""
    engine = build_engine()
    async with run_bot(slack, engine, tmp_path, "socket") as bot:
        mention = add_question(slack, "app_mention_edited")
        edit = payload("message_changed")
        edit["event"]["previous_message"] |= {"text": "I forgot to name you", "ts": mention["event"]["ts"]}
        edit["event"]["message"] |= {"text": mention["event"]["text"], "ts": mention["event"]["ts"]}
        for body in (edit, mention, edit):
            await bot.deliver(body)
        await bot.finished("C0001")
        await bot.deliver(add_question(slack, channel="C0002"))
        await bot.finished("C0002")

    assert ["I forgot to name you", "what is a pension?"] == [prompt.text for prompt in engine.prompts]


async def test_a_partner_is_refused_once_and_a_listed_bot_is_answered_once(slack: FakeSlack, tmp_path: Path) -> None:
    """A second question of the bot in that thread waits for a person. Other bots get not even a refusal."""
    engine = build_engine()
    async with run_bot(slack, engine, tmp_path, "socket", SLACK_BOTS="B0CI") as bot:
        for _ in range(2):
            await bot.deliver(add_question(slack, "app_mention_shared_channel", "C0003"))
        await slack.until(lambda: slack.answers("C0003"))
        first = as_bot(add_question(slack, channel="C0004"))
        await bot.deliver(first)
        await bot.finished("C0004")
        await bot.deliver(as_bot(add_question(slack, channel="C0004", thread_ts=first["event"]["ts"])))
        other = as_bot(add_question(slack, channel="C0005"))
        await bot.deliver({**other, "event": {**other["event"], "bot_id": "B0BAD"}})
        await bot.deliver(add_question(slack, channel="C0006"))
        await bot.finished("C0006")

    assert [1, 1, 0, 1] == [len(slack.answers(channel)) for channel in ("C0003", "C0004", "C0005", "C0006")]
    assert 2 == len(engine.prompts)


async def test_a_listed_channel_needs_no_mention(slack: FakeSlack, tmp_path: Path) -> None:
    """Except a message to somebody else."""
    engine = build_engine()
    async with run_bot(slack, engine, tmp_path, "socket", SLACK_ANSWER_WITHOUT_MENTION="C0007") as bot:
        await bot.deliver(add_question(slack, "message_channel", "C0007", text="<@U0BOB> can you take this over?"))
        await bot.deliver(add_question(slack, "message_channel", "C0008"))
        await bot.deliver(add_question(slack, "message_channel", "C0007"))
        await bot.finished("C0007")

    assert ["nothing for the bot"] == [prompt.text for prompt in engine.prompts]


async def test_the_person_learns_what_the_bot_cannot_read_above_the_question(slack: FakeSlack, tmp_path: Path) -> None:
    """The model is told in the message that has the image, the person below the answer."""
    engine = build_engine()
    image = {"id": "F1", "name": "plan.png", "mimetype": "image/png", "url_private": "https://files.slack.com/p"}
    slack.add_message("C0001", "the new office", user="U0BOB", files=[image])
    async with run_bot(slack, engine, tmp_path, "socket") as bot:
        await bot.deliver(add_question(slack, text=f"{MENTION} what about this?", blocks=[]))
        [answer] = await bot.finished("C0001")

    assert "plan.png" in engine.prompts[0].thread_messages[0].text
    assert "Not read: an image (plan.png)" in str(answer["blocks"])


async def test_while_slack_does_not_tell_who_is_a_guest_nobody_is_answered(slack: FakeSlack, tmp_path: Path) -> None:
    """Slack delivers the event again, and then the person is answered."""
    engine = build_engine()
    slack.users["U0ANN"] = {"id": "U0ANN", "name": "ann"}
    slack.trouble["users.info"].append(Trouble(500))
    async with run_bot(slack, engine, tmp_path, "http", SLACK_DENY="guests") as bot:
        body = add_question(slack)
        assert 503 == await bot.deliver(body)
        assert 200 == await bot.deliver(body)
        await bot.finished("C0001")

    assert 1 == len(engine.prompts)
