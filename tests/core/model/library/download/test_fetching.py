"""A model is fetched once, in parts, and continued after any stop. Nothing else is left on the disk."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from core.model.library.download.progress import DownloadProgress, part_bytes, read_progress
from core.model.library.download.repository_files import download_folder
from core.model.library.specs import HubFile
from core.runtime.lock_file import hold_lock
from tests.core.model.library.download.support import (
    FAST,
    NAME,
    PLACE,
    SEGMENT_BYTES,
    SOURCE,
    fetch_a_part,
    fetch_from,
    files_in,
    model_bytes,
)
from tests.support.fake_hub import REPO, FakeHub, HubRequest


async def test_a_file_is_downloaded_once(hub: FakeHub, tmp_path: Path) -> None:
    """The second call finds it on disk and sends no request."""
    first = await fetch_from(hub, tmp_path)
    requests = len(hub.requests)
    second = await fetch_from(hub, tmp_path)

    assert first == second == tmp_path / PLACE / NAME
    assert first.read_bytes() == hub.files[NAME]
    assert requests == len(hub.requests)


async def test_nothing_else_is_left(hub: FakeHub, tmp_path: Path) -> None:
    """Parts, records, locks and folders of the download are gone."""
    await fetch_from(hub, tmp_path)

    assert [f"{PLACE}/{NAME}"] == files_in(tmp_path)
    assert [tmp_path / PLACE] == list(tmp_path.iterdir())


async def test_each_byte_is_fetched_once_in_parts(hub: FakeHub, tmp_path: Path) -> None:
    await fetch_from(hub, tmp_path)

    assert -(-len(hub.files[NAME]) // SEGMENT_BYTES) == len({request.byte_range for request in hub.body_requests})
    assert (len(hub.files[NAME]), 0) == (hub.sent_bytes, hub.bytes_sent_twice())


async def test_parts_are_fetched_at_the_same_time(hub: FakeHub, tmp_path: Path) -> None:
    """As many connections as the policy has send the first byte before any sends the second block."""
    together = threading.Barrier(FAST.connections)
    hub.before_block = lambda _request, position: together.wait(60) if position < 3 * SEGMENT_BYTES else None

    assert hub.files[NAME] == (await fetch_from(hub, tmp_path)).read_bytes()


async def test_connections_are_opened_one_after_the_other(hub: FakeHub, tmp_path: Path) -> None:
    """A process that is killed again and again loses what one connection had on its way each time, not all."""
    second = threading.Event()

    def hold(_request: HubRequest, position: int) -> None:
        if position < SEGMENT_BYTES:
            second.wait(0.2)
        else:
            second.set()

    hub.before_block = hold
    found = await fetch_from(hub, tmp_path, policy=replace(FAST, open_every_s=3600.0))

    assert hub.files[NAME] == found.read_bytes()
    assert [start for _name, start, _end in hub.sent] == sorted(start for _name, start, _end in hub.sent)


async def test_all_parts_of_a_split_model_are_downloaded(hub: FakeHub, tmp_path: Path) -> None:
    """A pattern that matches only the first part is enough. The first one is returned."""
    hub.files = {f"big/b-0000{n}-of-00003.gguf": model_bytes(40_000, seed=n) for n in (3, 1, 2)} | {"s.gguf": b"GGUF"}
    found = await fetch_from(hub, tmp_path, HubFile(REPO, "big/b-00001-*"))

    assert found == tmp_path / PLACE / "big" / "b-00001-of-00003.gguf"
    assert sorted(f"{PLACE}/{name}" for name in hub.files if name != "s.gguf") == files_in(tmp_path)
    assert all(hub.files[f"big/{path.name}"] == path.read_bytes() for path in found.parent.iterdir())


async def test_a_split_model_is_in_its_place_as_a_whole_only(hub: FakeHub, tmp_path: Path) -> None:
    """While the last part is missing, none is among the models."""
    hub.files = {f"b-0000{n}-of-00002.gguf": model_bytes(40_000, seed=n) for n in (1, 2)}
    await fetch_a_part(hub, tmp_path, HubFile(REPO, "b-*"))

    assert not (tmp_path / PLACE).exists()


async def test_a_split_model_with_parts_in_place_is_completed(hub: FakeHub, tmp_path: Path) -> None:
    """A kill between two moves leaves some parts at their place. They are checked, and fetched again only if wrong."""
    hub.files = {f"b-0000{n}-of-00002.gguf": model_bytes(40_000, seed=n) for n in (1, 2)}
    (first, one), second = next(iter(hub.files.items())), list(hub.files)[1]
    await fetch_from(hub, tmp_path, HubFile(REPO, "b-*"))
    (tmp_path / PLACE / second).unlink()
    hub.sent.clear()
    await fetch_from(hub, tmp_path, HubFile(REPO, "b-*"))
    assert {second} == {name for name, _start, _end in hub.sent}

    (tmp_path / PLACE / second).unlink()
    (tmp_path / PLACE / first).write_bytes(bytes(40_000))
    await fetch_from(hub, tmp_path, HubFile(REPO, "b-*"))
    assert one == (tmp_path / PLACE / first).read_bytes()


# --- stops -----------------------------------------------------------------------------------------------------------


async def test_a_broken_download_continues(hub: FakeHub, tmp_path: Path) -> None:
    """What arrived is not fetched again, and no file is among the models before the end."""
    await fetch_a_part(hub, tmp_path)
    assert not (tmp_path / PLACE).exists()
    arrived = hub.sent_bytes

    assert hub.files[NAME] == (await fetch_from(hub, tmp_path)).read_bytes()
    assert arrived > 4 * SEGMENT_BYTES
    assert hub.bytes_sent_twice() <= 2 * SEGMENT_BYTES  # of connections that another one's failure ended
    assert [f"{PLACE}/{NAME}"] == files_in(tmp_path)


async def test_a_cancelled_download_continues(hub: FakeHub, tmp_path: Path) -> None:
    """Ctrl+C, SIGTERM and the end of the host cancel it. Others see it as paused."""
    reached, release = threading.Event(), threading.Event()

    def hold(_request: HubRequest, position: int) -> None:
        if position >= 8 * SEGMENT_BYTES:
            reached.set()
            release.wait(60)

    hub.before_block = hold
    task = asyncio.create_task(fetch_from(hub, tmp_path))
    await asyncio.to_thread(reached.wait, 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    stopped = read_progress(tmp_path, SOURCE)
    release.set()

    assert stopped is not None
    assert ("paused", 200_000, None) == (stopped.state, stopped.total_bytes, stopped.expected_s)
    assert hub.files[NAME] == (await fetch_from(hub, tmp_path)).read_bytes()
    assert [f"{PLACE}/{NAME}"] == files_in(tmp_path)


async def test_a_changed_file_begins_anew(hub: FakeHub, tmp_path: Path) -> None:
    """Bytes of the old file are dropped."""
    await fetch_a_part(hub, tmp_path)
    hub.files[NAME] = model_bytes(seed=8)

    assert hub.files[NAME] == (await fetch_from(hub, tmp_path)).read_bytes()
    assert [f"{PLACE}/{NAME}"] == files_in(tmp_path)


async def test_bytes_that_the_disk_lost_are_fetched_again(hub: FakeHub, tmp_path: Path) -> None:
    """After a power failure the record may name bytes that are not on the disk: that segment alone is repeated."""
    await fetch_a_part(hub, tmp_path)
    (part,) = tmp_path.rglob("1.part")
    with part.open("r+b") as file:
        file.write(bytes(100))
    hub.sent.clear()

    assert hub.files[NAME] == (await fetch_from(hub, tmp_path)).read_bytes()
    assert (NAME, 0, SEGMENT_BYTES) in hub.sent


# --- several processes -----------------------------------------------------------------------------------------------


async def test_two_that_want_the_same_model_fetch_it_once(hub: FakeHub, tmp_path: Path) -> None:
    """The second one watches the progress of the first, and returns with it."""
    watched: list[DownloadProgress] = []
    seen = threading.Event()
    hub.before_block = lambda _request, position: None if position < 4 * SEGMENT_BYTES else seen.wait(60)

    def on_progress(progress: DownloadProgress) -> None:
        watched.append(progress)
        seen.set()

    first = asyncio.create_task(fetch_from(hub, tmp_path))
    while not hub.sent:
        await asyncio.sleep(0)
    second = asyncio.create_task(fetch_from(hub, tmp_path, on_progress=on_progress))

    assert await first == await second
    assert (200_000, "downloading") == (watched[0].total_bytes, watched[0].state)
    assert (len(hub.files[NAME]), 0) == (hub.sent_bytes, hub.bytes_sent_twice())
    assert [f"{PLACE}/{NAME}"] == files_in(tmp_path)


async def test_one_that_watches_takes_over(hub: FakeHub, tmp_path: Path) -> None:
    """When the process that downloads ends without the file, the next one continues."""
    folder = download_folder(tmp_path, REPO, NAME)
    with hold_lock(folder / "lock"):
        waiting = asyncio.create_task(fetch_from(hub, tmp_path))
        while not hub.requests:
            await asyncio.sleep(0)
        assert [] == hub.body_requests

    assert hub.files[NAME] == (await waiting).read_bytes()


async def test_the_lock_of_a_killed_process_does_not_block(hub: FakeHub, tmp_path: Path) -> None:
    """The kernel releases it; the file alone means nothing."""
    folder = download_folder(tmp_path, REPO, NAME)
    folder.mkdir(parents=True)
    (folder / "lock").write_text("4194304\n")

    assert hub.files[NAME] == (await fetch_from(hub, tmp_path)).read_bytes()


# --- progress --------------------------------------------------------------------------------------------------------


async def test_a_hub_that_lists_no_sizes(hub: FakeHub, tmp_path: Path) -> None:
    """Some mirrors state them with a file's address only. Progress has them as soon as they are known."""
    reported: list[DownloadProgress] = []
    hub.listed = lambda entry: {"rfilename": entry["rfilename"]}
    await fetch_from(hub, tmp_path, on_progress=reported.append)

    assert {("downloading", 0)} >= {(each.state, each.total_bytes) for each in reported if each.total_bytes == 0}
    assert 200_000 == reported[-1].total_bytes


async def test_progress_is_reported_and_readable_by_others(hub: FakeHub, tmp_path: Path) -> None:
    """It grows to the size of the file. After the end there is none."""
    reported: list[DownloadProgress] = []
    read: list[DownloadProgress | None] = []

    def on_progress(progress: DownloadProgress) -> None:
        reported.append(progress)
        read.append(read_progress(tmp_path, SOURCE))

    hub.bytes_per_s = 1_000_000
    await fetch_from(hub, tmp_path, on_progress=on_progress)

    done = [progress.done_bytes for progress in reported]
    assert done == sorted(done)
    assert all(progress.total_bytes == 200_000 for progress in reported)
    assert any(progress.bytes_per_s > 0 and progress.expected_s is not None for progress in reported)
    assert "downloading" in {progress.state for progress in read if progress}
    assert read_progress(tmp_path, SOURCE) is None


async def test_progress_of_another_model_is_not_taken_for_ones_own(hub: FakeHub, tmp_path: Path) -> None:
    await fetch_a_part(hub, tmp_path)

    assert read_progress(tmp_path, HubFile(REPO, "*Q8_0.gguf")) is None
    assert read_progress(tmp_path, HubFile("someone/else", "*Q4_K_M.gguf")) is None


async def test_a_part_that_has_just_been_moved_takes_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Progress is read while the download moves its parts to their place."""
    (tmp_path / "1.part").write_bytes(bytes(100_000))
    monkeypatch.setattr(Path, "glob", lambda folder, _pattern: iter([folder / "1.part", folder / "2.part"]))

    assert 100_000 <= part_bytes(tmp_path)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"files": 1}', b'{"files": ["a.gguf"], "state": "x"}'])
async def test_a_damaged_progress_file_is_no_progress(tmp_path: Path, content: bytes) -> None:
    folder = download_folder(tmp_path, REPO, NAME)
    folder.mkdir(parents=True)
    (folder / "progress.json").write_bytes(content)

    assert read_progress(tmp_path, SOURCE) is None


async def test_an_earlier_failure_stays_visible(hub: FakeHub, tmp_path: Path) -> None:
    """`models list` of another process says why there is no file."""
    await fetch_a_part(hub, tmp_path)
    seen = read_progress(tmp_path, SOURCE)

    assert seen is not None
    assert ("failed", "unreachable") == (seen.state, seen.fault)
    assert "127.0.0.1 cannot be reached" in seen.explain("en")
    assert "127.0.0.1 ne peut pas être joint" in seen.explain("fr")


async def test_the_log_has_the_beginning_and_the_end(hub: FakeHub, tmp_path: Path) -> None:
    """With sizes; without the token or a signed address."""
    with capture_logs() as logs:
        await fetch_from(hub, tmp_path, environ={"HF_TOKEN": "hf_secret"})

    assert ["model_download_started", "model_download_finished"] == [entry["event"] for entry in logs]
    assert "hf_secret" not in json.dumps(logs)
    assert "signature" not in json.dumps(logs)
