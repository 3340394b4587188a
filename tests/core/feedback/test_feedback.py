"""People's verdicts of all channels in one list, and its files."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import pytest

from bindings.incoming import IncomingMessage, Place
from bindings.store import Store
from core.configuration.settings import Settings
from core.contract import Done, Rating
from core.engine import ChatEngine
from core.errors import BadRequest
from core.feedback.entries import FeedbackEntry, load_feedback
from core.feedback.filters import FeedbackFilter, parse_since
from core.feedback.formats import disarm, write_feedback
from core.storage.database import Database
from tests.core.support_chatting import ask, serving

NOW = datetime(2026, 11, 30, 14, 5, tzinfo=UTC)
ENTRY = FeedbackEntry(NOW, "web", "good", "clear: =1+1", "whisper", "M", "r1", "How long?", "18 months.")


async def rate_on_all_channels(chat: ChatEngine, database: Database) -> str:
    """A bad rating of the page, then a good one of Slack. Returns the receipt of Slack's answer."""
    name = await chat.open("whisper")
    await ask(chat, "Page?", name)
    await chat.rate(Rating(name, 1, "bad", "incorrect: No."))
    place = Place("slack", "T1", "C1", thread="1.0", kind="group", threaded=True)
    store = Store(database)
    delivery = await store.take(IncomingMessage("slack:T1:C1:1.0", place, "1.0", "U1", "Slack?"), "message")
    assert delivery is not None
    events = await ask(chat, "Slack?", "slack:T1:C1:1.0", receipt=delivery.answer_id)
    assert isinstance(events[-1], Done)
    assert await store.save_feedback(delivery.answer_id, "slack:T1:U1", "good", "")
    return delivery.answer_id


async def test_all_channels_are_one_list(chat: ChatEngine, own_settings: Settings) -> None:
    """The newest comes first; each has its question, personality and model, also a bot's."""
    database = Database(own_settings.database_url)
    async with serving(own_settings):
        receipt = await rate_on_all_channels(chat, database)
    entries = await load_feedback(database, FeedbackFilter())
    await database.close()

    found = [(each.channel, each.verdict, each.comment, each.question, each.answer) for each in entries]
    assert found == [
        ("slack", "good", "", "Slack?", "Hello there."),
        ("web", "bad", "incorrect: No.", "Page?", "Hello there."),
    ]
    assert {(each.personality, each.model) for each in entries} == {("whisper", "fake-model")}
    assert entries[0].receipt == receipt


@pytest.mark.parametrize(
    ("chosen", "channels"),
    [
        (FeedbackFilter(channel="slack"), ["slack"]),
        (FeedbackFilter(channel="discord"), []),
        (FeedbackFilter(verdict="bad"), ["web"]),
        (FeedbackFilter(personality="chuchotte"), []),
        (FeedbackFilter(model="Fake-Model"), ["slack", "web"]),
        (FeedbackFilter(model="other"), []),
        (FeedbackFilter(since=9e9), []),
    ],
)
async def test_filters(chat: ChatEngine, own_settings: Settings, chosen: FeedbackFilter, channels: list[str]) -> None:
    """Each leaves the entries that it names."""
    database = Database(own_settings.database_url)
    async with serving(own_settings):
        await rate_on_all_channels(chat, database)
    entries = await load_feedback(database, chosen)
    await database.close()

    assert [each.channel for each in entries] == channels


async def test_a_rating_is_a_part_of_its_turn(chat: ChatEngine, own_settings: Settings) -> None:
    """The page shows it again after a reload; the latest one counts, and a new answer has none."""
    async with serving(own_settings):
        name = await chat.open("whisper", "visitor:1")
        await ask(chat, "Hi", name, owner="visitor:1")
        await chat.rate(Rating(name, 1, "good"), "visitor:1")
        await chat.rate(Rating(name, 1, "bad", "unclear"), "visitor:1")
        rated = (await chat.conversation(name, "visitor:1"))[1]
        await ask(chat, "Hi again", name, owner="visitor:1", revises=True)
        anew = await chat.resume(name, "whisper", "visitor:1")

    assert [turn.rating for turn in rated] == [None, "bad"]
    assert [turn.rating for turn in anew] == [None, None]


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =cmd|' /C calc'!A0", "＝1+1", "\u00a0=1"]
)
def test_a_spreadsheet_runs_no_cell(cell: str) -> None:
    """An apostrophe makes a text of what it would take for a formula."""
    assert disarm(cell) == f"'{cell}"


def test_other_cells_stay() -> None:
    """A sign inside a text is no formula."""
    assert [disarm(each) for each in ("a=b", "", "18 months", "(-1)")] == ["a=b", "", "18 months", "(-1)"]


def test_csv_has_a_header_and_one_row_for_each_verdict() -> None:
    """Excel knows the encoding by the mark at its start."""
    content = write_feedback([ENTRY, FeedbackEntry(NOW, "slack", "bad", '"=2"\nno')], "csv")

    assert content.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(content.removeprefix("\ufeff"), newline="")))
    assert [row["comment"] for row in rows] == ["clear: =1+1", '"=2"\nno']
    assert (rows[0]["at"], rows[1]["model"]) == ("2026-11-30T14:05:00+00:00", "")


def test_json_lines_are_an_evaluation_set() -> None:
    """A helpful answer is expected again; another one is not; a deleted conversation has no row."""
    bad = FeedbackEntry(NOW, "web", "bad", "", "whisper", "M", "r2", "Who?", "Nobody.")
    content = write_feedback([ENTRY, bad, FeedbackEntry(NOW, "slack", "good", "")], "jsonl")

    rows = [json.loads(line) for line in content.splitlines()]
    assert [(row["id"], row.get("expected"), row.get("rejected")) for row in rows] == [
        ("r1", "18 months.", None),
        ("r2", None, "Nobody."),
    ]


@pytest.mark.parametrize(
    ("words", "moment"),
    [
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("7d", datetime(2026, 11, 23, 14, 5, tzinfo=UTC)),
        ("12h", datetime(2026, 11, 30, 2, 5, tzinfo=UTC)),
    ],
)
def test_since(words: str, moment: datetime) -> None:
    """A day begins in the service's time zone; an age ends now."""
    assert parse_since(words, NOW) == moment.timestamp()


@pytest.mark.parametrize("words", ["", "yesterday", "2026-13-01", "7", "d"])
def test_since_that_is_no_date(words: str) -> None:
    """The message says how to write one."""
    with pytest.raises(BadRequest, match="2026-11-30"):
        parse_since(words, NOW)
