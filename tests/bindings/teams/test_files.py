"""Files in Teams: offers, replies to offers, uploads to OneDrive, and downloads."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bindings.delivery.context import RetryPolicy
from bindings.delivery.outlet import Gone, Refused, Upload
from bindings.incoming import AttachedFile
from bindings.selftest.microsoft_server import FakeMicrosoft
from bindings.teams import adapter as adapter_module
from bindings.teams.adapter import TeamsPlatform
from bindings.teams.files import KEEP_S, PendingFile, PendingFiles
from tests.bindings.teams.conftest import TeamsBot, serve_adapter
from tests.bindings.teams.support_outlets import CHAT, OutletFactory, place

ROWS = Upload("rows.jsonl", "application/jsonl", b'{"a": 1}\n')


async def build_acceptance(bot: TeamsBot, **context: str) -> dict[str, Any]:
    """Returns the activity of a person who accepts a file, with an upload URL of FakeMicrosoft."""
    activity = bot.activity("file_consent_accept")
    name = await bot.adapter._pending.add(PendingFile(ROWS, activity["conversation"]["id"]))
    activity["value"]["context"] = {"parcel": name, **context}
    activity["value"]["uploadInfo"]["uploadUrl"] = f"{bot.microsoft.url}/files/rows.jsonl"
    bot.microsoft.messages["1:98"] = {"text": "the offer"}
    return activity


def file_name(activity: dict[str, Any]) -> str:
    return str(activity["value"]["context"]["parcel"])


async def test_an_accepted_file_is_uploaded_and_its_card_shown(bot: TeamsBot) -> None:
    """The upload goes to Teams' URL without the bot's token; the offer is deleted."""
    activity = await build_acceptance(bot)
    assert 200 == (await bot.send(activity)).status
    card, deleted = await bot.microsoft.wait_for_calls(2)

    assert {"rows.jsonl": b'{"a": 1}\n'} == bot.microsoft.files
    assert [None] == bot.microsoft.file_tokens
    assert "application/vnd.microsoft.teams.card.file.info" == card.activity["attachments"][0]["contentType"]
    assert ("DELETE", "1:98") == (deleted.method, deleted.at)
    assert await bot.adapter._pending.find(file_name(activity), activity["conversation"]["id"]) is None


@pytest.mark.parametrize("url", ["https://evil.example/put", "http://169.254.169.254/", "", "file:///etc/passwd"])
async def test_a_file_is_not_uploaded_to_an_untrusted_host(bot: TeamsBot, url: str) -> None:
    """The person gets a message that it failed."""
    activity = await build_acceptance(bot)
    activity["value"]["uploadInfo"]["uploadUrl"] = url
    await bot.send(activity)

    assert "could not be saved" in (await bot.microsoft.wait_for_text("could not"))["text"]
    assert {} == bot.microsoft.files
    assert await bot.adapter._pending.find(file_name(activity), activity["conversation"]["id"]) is None


async def test_an_upload_to_a_busy_onedrive_is_retried(bot: TeamsBot) -> None:
    """The person need not accept again."""
    activity = await build_acceptance(bot)
    bot.microsoft.file_answers = [503, 429]
    await bot.send(activity)
    await bot.microsoft.wait_for_calls(2)

    assert {"rows.jsonl": ROWS.body} == bot.microsoft.files


async def test_a_failed_upload_is_reported_in_the_language_of_the_offer(
    microsoft: FakeMicrosoft, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client's language does not matter; the file is removed."""
    monkeypatch.setattr(adapter_module, "UPLOAD_RETRY", RetryPolicy(first_s=0.0, limit_s=0.0, give_up_after_s=-1.0))
    async with serve_adapter(microsoft, tmp_path / "var") as bot:
        activity = await build_acceptance(bot, language="fr")
        microsoft.file_answers = [503]
        await bot.send(activity)
        message = await microsoft.wait_for_text("OneDrive")

        assert "n’a pas pu" in message["text"]
        await microsoft.wait_for_calls(2)
        assert await bot.adapter._pending.find(file_name(activity), activity["conversation"]["id"]) is None


async def test_a_file_accepted_twice_is_uploaded_once(bot: TeamsBot) -> None:
    """A person may accept on two devices, and events may be repeated."""
    activity = await build_acceptance(bot)
    bot.microsoft.file_answers = [503]
    await asyncio.gather(bot.send(activity), bot.send(activity))
    await bot.microsoft.wait_for_calls(2)

    assert 2 == len(bot.microsoft.file_tokens)  # one failed with 503


async def test_a_declined_file_is_deleted(bot: TeamsBot) -> None:
    """Accepting it later brings a message that it is no longer available."""
    activity = bot.activity("file_consent_decline")
    name = await bot.adapter._pending.add(PendingFile(ROWS, activity["conversation"]["id"]))
    activity["value"]["context"]["parcel"] = name
    bot.microsoft.messages["1:98"] = {"text": "the offer"}
    await bot.send(activity)
    await bot.microsoft.wait_for_calls(1)

    accepted = bot.activity("file_consent_accept")
    accepted["value"]["context"]["parcel"] = name
    await bot.send(accepted)
    assert "no longer available" in (await bot.microsoft.wait_for_text("no longer"))["text"]


async def test_files_are_downloaded_only_from_microsoft(bot: TeamsBot) -> None:
    """Other hosts are refused, after a redirect too; so is a file above the limit."""
    bot.microsoft.files = {"report.txt": b"words", "large": b"x" * 2000}
    fetch = bot.adapter.platform.fetch
    at = bot.microsoft.url

    async def download(url: str) -> bytes:
        return await fetch(AttachedFile("f", url, "text/plain"), 1000)

    assert b"words" == await download(f"{at}/files/report.txt")
    assert b"words" == await download(f"{at}/moved/x?to={at}/files/report.txt")
    for url in (
        "https://evil.example/f",
        f"{at}/moved/x?to=https://evil.example/f",
        f"{at}/moved/x?to=file:///etc/passwd",
    ):
        with pytest.raises(Refused):
            await download(url)
    with pytest.raises(Refused, match="more than 1000 bytes"):
        await download(f"{at}/files/large")
    with pytest.raises(Gone):
        await download(f"{at}/files/none")


async def test_a_file_is_offered_in_a_personal_chat(outlets: OutletFactory, microsoft: FakeMicrosoft) -> None:
    """The consent card has no text; the file is found only by its name and conversation."""
    assert await outlets.build().upload(Upload("rows.jsonl", "application/jsonl", b"{}\n"), "n1")
    assert not await outlets.build("channel").upload(Upload("rows.jsonl", "application/jsonl", b"{}\n"), "n2")

    (call,) = microsoft.calls
    (card,) = call.activity["attachments"]
    assert ("application/vnd.microsoft.teams.card.file.consent", "rows.jsonl") == (card["contentType"], card["name"])
    assert 3 == card["content"]["sizeInBytes"]
    assert "text" not in call.activity
    name = card["content"]["acceptContext"]["parcel"]
    file = await outlets.pending.find(name, CHAT)
    assert file is not None
    assert b"{}\n" == file.upload.body
    assert await outlets.pending.find(name, "another chat") is None
    assert await outlets.pending.find("../../etc/passwd", CHAT) is None


async def test_pending_files_expire_after_a_day(tmp_path: Path) -> None:
    """Adding a file removes the expired ones."""
    now = [2_000_000_000.0]
    pending = PendingFiles(tmp_path, lambda: now[0])
    old = await pending.add(PendingFile(Upload("a", "text/plain", b"a"), CHAT))
    now[0] = (tmp_path / old).stat().st_mtime + KEEP_S + 1
    await pending.add(PendingFile(Upload("b", "text/plain", b"b"), CHAT))

    assert await pending.find(old, CHAT) is None


@pytest.mark.parametrize("has_file", [True, False])
async def test_purge_removes_expired_files(tmp_path: Path, has_file: bool) -> None:
    """It also works without a folder."""
    now = [2_000_000_000.0]
    pending = PendingFiles(tmp_path / "parcels", lambda: now[0])
    platform = teams_platform(pending)
    if has_file:
        old = await pending.add(PendingFile(ROWS, CHAT))
        now[0] = (tmp_path / "parcels" / old).stat().st_mtime + KEEP_S + 1
    await platform.purge()

    assert [] == list(tmp_path.glob("parcels/*"))


async def test_forgetting_a_conversation_removes_its_pending_files(tmp_path: Path) -> None:
    """Files of other conversations stay."""
    pending = PendingFiles(tmp_path)
    here, there = await pending.add(PendingFile(ROWS, CHAT)), await pending.add(PendingFile(ROWS, "a:other"))
    await teams_platform(pending).forget(place())

    assert await pending.find(here, CHAT) is None
    assert await pending.find(there, "a:other") is not None


def teams_platform(pending: PendingFiles) -> TeamsPlatform:
    none: Any = None
    return TeamsPlatform(none, none, none, pending, none)
