"""Files in Teams: offered, accepted or declined, put where the person's files are, and fetched from there."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bindings.delivery.context import RetryPolicy
from bindings.delivery.outlet import Gone, Refused, Upload
from bindings.incoming import AttachedFile
from bindings.teams import adapter as adapter_module
from bindings.teams.adapter import TeamsPlatform
from bindings.teams.files import KEEP_S, PendingFile, PendingFiles
from tests.bindings.teams.conftest import Served, serving
from tests.bindings.teams.support_answering import CHAT, Intake, place
from tests.bindings.teams.support_fake_microsoft import FakeMicrosoft

ROWS = Upload("rows.jsonl", "application/jsonl", b'{"a": 1}\n')


async def accepting(served: Served, **context: str) -> dict[str, Any]:
    """That a person lets a file in which was offered, and where it is then to be put."""
    activity = served.activity("file_consent_accept")
    name = await served.adapter._pending.add(PendingFile(ROWS, activity["conversation"]["id"]))
    activity["value"]["context"] = {"parcel": name, **context}
    activity["value"]["uploadInfo"]["uploadUrl"] = f"{served.microsoft.url}/files/rows.jsonl"
    served.microsoft.messages["1:98"] = {"text": "the offer"}
    return activity


def parcel_of(activity: dict[str, Any]) -> str:
    return str(activity["value"]["context"]["parcel"])


async def test_a_file_that_is_accepted_is_put_and_shown(served: Served) -> None:
    """To the address that Teams gives, without our token; the offer goes, the file's card comes."""
    activity = await accepting(served)
    assert 200 == (await served.send(activity)).status
    card, deleted = await served.microsoft.until(calls=2)

    assert {"rows.jsonl": b'{"a": 1}\n'} == served.microsoft.files
    assert [None] == served.microsoft.file_tokens
    assert "application/vnd.microsoft.teams.card.file.info" == card.activity["attachments"][0]["contentType"]
    assert ("DELETE", "1:98") == (deleted.method, deleted.at)
    assert await served.adapter._pending.find(parcel_of(activity), activity["conversation"]["id"]) is None


@pytest.mark.parametrize("url", ["https://evil.example/put", "http://169.254.169.254/", "", "file:///etc/passwd"])
async def test_a_file_is_put_nowhere_else(served: Served, url: str) -> None:
    """The person is told that it failed."""
    activity = await accepting(served)
    activity["value"]["uploadInfo"]["uploadUrl"] = url
    await served.send(activity)

    assert "could not be saved" in (await served.microsoft.until_said("could not"))["text"]
    assert {} == served.microsoft.files
    assert await served.adapter._pending.find(parcel_of(activity), activity["conversation"]["id"]) is None


async def test_a_onedrive_that_is_busy_is_asked_again(served: Served) -> None:
    """The person accepted once, and has nothing else to press."""
    activity = await accepting(served)
    served.microsoft.file_answers = [503, 429]
    await served.send(activity)
    await served.microsoft.until(calls=2)

    assert {"rows.jsonl": ROWS.body} == served.microsoft.files


async def test_a_onedrive_that_stays_away_is_told(
    microsoft: FakeMicrosoft, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the language of the offer, whatever the client's is; and nothing is kept that nobody can get."""
    monkeypatch.setattr(adapter_module, "UPLOAD_RETRY", RetryPolicy(first_s=0.0, limit_s=0.0, give_up_after_s=-1.0))
    async with serving(microsoft, tmp_path / "var") as served:
        activity = await accepting(served, language="fr")
        microsoft.file_answers = [503]
        await served.send(activity)
        said = await microsoft.until_said("OneDrive")

        assert "n’a pas pu" in said["text"]
        await microsoft.until(calls=2)
        assert await served.adapter._pending.find(parcel_of(activity), activity["conversation"]["id"]) is None


async def test_a_file_that_is_accepted_twice_is_put_once(served: Served) -> None:
    """On two devices, or by an event that comes again."""
    activity = await accepting(served)
    served.microsoft.file_answers = [503]
    await asyncio.gather(served.send(activity), served.send(activity))
    await served.microsoft.until(calls=2)

    assert 2 == len(served.microsoft.file_tokens)  # one was refused


async def test_a_file_that_is_declined_or_gone(served: Served) -> None:
    """Declined, it is thrown away; accepted after that, the person is told."""
    activity = served.activity("file_consent_decline")
    name = await served.adapter._pending.add(PendingFile(ROWS, activity["conversation"]["id"]))
    activity["value"]["context"]["parcel"] = name
    served.microsoft.messages["1:98"] = {"text": "the offer"}
    await served.send(activity)
    await served.microsoft.until(calls=1)

    accepted = served.activity("file_consent_accept")
    accepted["value"]["context"]["parcel"] = name
    await served.send(accepted)
    assert "no longer available" in (await served.microsoft.until_said("no longer"))["text"]


async def test_files_are_fetched_from_microsoft_alone(served: Served) -> None:
    """OneDrive without a token, pictures at the connector with it; nowhere else, also not by a redirect; bounded."""
    served.microsoft.files = {"report.txt": b"words", "large": b"x" * 2000}
    fetch = served.adapter.platform.fetch
    at = served.microsoft.url

    async def got(url: str) -> bytes:
        return await fetch(AttachedFile("f", url, "text/plain"), 1000)

    assert b"words" == await got(f"{at}/files/report.txt")
    assert b"words" == await got(f"{at}/moved/x?to={at}/files/report.txt")
    for url in (
        "https://evil.example/f",
        f"{at}/moved/x?to=https://evil.example/f",
        f"{at}/moved/x?to=file:///etc/passwd",
    ):
        with pytest.raises(Refused):
            await got(url)
    with pytest.raises(Refused, match="more than 1000 bytes"):
        await got(f"{at}/files/large")
    with pytest.raises(Gone):
        await got(f"{at}/files/none")


async def test_a_file_is_offered(intake: Intake, microsoft: FakeMicrosoft) -> None:
    """In a personal chat, by a consent card without words, behind a name that cannot be guessed."""
    assert await intake.outlet().upload(Upload("rows.jsonl", "application/jsonl", b"{}\n"), "n1")
    assert not await intake.outlet("channel").upload(Upload("rows.jsonl", "application/jsonl", b"{}\n"), "n2")

    (call,) = microsoft.calls
    (card,) = call.activity["attachments"]
    assert ("application/vnd.microsoft.teams.card.file.consent", "rows.jsonl") == (card["contentType"], card["name"])
    assert 3 == card["content"]["sizeInBytes"]
    assert "text" not in call.activity
    name = card["content"]["acceptContext"]["parcel"]
    parcel = await intake.pending.find(name, CHAT)
    assert parcel is not None
    assert b"{}\n" == parcel.upload.body
    assert await intake.pending.find(name, "another chat") is None
    assert await intake.pending.find("../../etc/passwd", CHAT) is None


async def test_parcels_do_not_wait_for_ever(tmp_path: Path) -> None:
    """A day, and then they are swept away when the next one comes."""
    now = [2_000_000_000.0]
    pending = PendingFiles(tmp_path, lambda: now[0])
    old = await pending.add(PendingFile(Upload("a", "text/plain", b"a"), CHAT))
    now[0] = (tmp_path / old).stat().st_mtime + KEEP_S + 1
    await pending.add(PendingFile(Upload("b", "text/plain", b"b"), CHAT))

    assert await pending.find(old, CHAT) is None


@pytest.mark.parametrize("parcels_there", [True, False])
async def test_parcels_are_swept_also_when_none_comes(tmp_path: Path, parcels_there: bool) -> None:
    """A file that nobody wanted must not outlive what was said."""
    now = [2_000_000_000.0]
    pending = PendingFiles(tmp_path / "parcels", lambda: now[0])
    platform = teams_platform(pending)
    if parcels_there:
        old = await pending.add(PendingFile(ROWS, CHAT))
        now[0] = (tmp_path / "parcels" / old).stat().st_mtime + KEEP_S + 1
    await platform.purge()

    assert [] == list(tmp_path.glob("parcels/*"))


async def test_what_waits_in_a_forgotten_conversation_goes(tmp_path: Path) -> None:
    """And nowhere else."""
    pending = PendingFiles(tmp_path)
    here, there = await pending.add(PendingFile(ROWS, CHAT)), await pending.add(PendingFile(ROWS, "a:other"))
    await teams_platform(pending).forget(place())

    assert await pending.find(here, CHAT) is None
    assert await pending.find(there, "a:other") is not None


def teams_platform(pending: PendingFiles) -> TeamsPlatform:
    none: Any = None
    return TeamsPlatform(none, none, none, pending, none)
