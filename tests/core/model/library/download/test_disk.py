"""Disks that are full, read-only, without locks, or in two parts end a download with a reason, and lose nothing."""

from __future__ import annotations

import errno
import threading
from pathlib import Path

import pytest

from core.model.library.download import model_download
from core.model.library.download.failures import DownloadFailed
from core.model.library.download.partial_file import PartialFile
from core.model.library.download.progress import read_progress
from tests.core.model.library.download.support import FAST, NAME, PLACE, SEGMENT_BYTES, SOURCE, fetch_from, files_in
from tests.support.fake_hub import FakeHub


async def test_too_little_room_is_found_before_the_download(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says how much is missing, and where. No byte is fetched."""
    usage = type("Usage", (), {"free": FAST.disk_reserve_bytes + 50_000})
    monkeypatch.setattr(model_download.shutil, "disk_usage", lambda _folder: usage)
    with pytest.raises(DownloadFailed, match=r"150 kB are missing") as failure:
        await fetch_from(hub, tmp_path)

    assert str(tmp_path / PLACE) in failure.value.message
    assert failure.value.transient
    assert [] == hub.sent


async def test_a_disk_that_fills_up_is_explained_and_the_download_continues(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others may fill the disk meanwhile. The next attempt continues."""
    write = PartialFile.write

    def fill(partial: PartialFile, index: int, block: bytes) -> None:
        if index > 5:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(partial, index, block)

    with monkeypatch.context() as patched:
        patched.setattr(PartialFile, "write", fill)
        with pytest.raises(DownloadFailed) as failure:
            await fetch_from(hub, tmp_path)
    assert failure.value.reason == "disk"
    seen = read_progress(tmp_path, SOURCE)
    assert seen is not None
    assert ("failed", "disk", failure.value.message) == (seen.state, seen.fault, seen.problem)

    assert hub.files[NAME] == (await fetch_from(hub, tmp_path)).read_bytes()


async def test_a_disk_that_others_fill_ends_the_download_before_it_is_full(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database on the same disk must still be able to write."""
    checks, checked_again = [10**12, 0], threading.Event()

    def usage(_folder: object) -> object:
        if len(checks) == 1:
            checked_again.set()
        return type("Usage", (), {"free": checks.pop(0) if checks else 0})

    hub.before_block = lambda _request, position: checked_again.wait(60) if position > SEGMENT_BYTES else None
    with monkeypatch.context() as patched:
        patched.setattr(model_download.shutil, "disk_usage", usage)
        with pytest.raises(DownloadFailed) as failure:
            await fetch_from(hub, tmp_path)

    assert ("disk", True) == (failure.value.reason, failure.value.transient)
    assert hub.files[NAME] == (await fetch_from(hub, tmp_path)).read_bytes()


async def test_a_download_on_another_disk_than_the_models(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link may lead there. The file is copied, and has its name only when it is whole."""
    replace_file = Path.replace

    def refuse(path: Path, target: Path) -> Path:
        if path.parent != Path(target).parent:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return replace_file(path, target)

    monkeypatch.setattr(Path, "replace", refuse)
    found = await fetch_from(hub, tmp_path)

    assert hub.files[NAME] == found.read_bytes()
    assert [f"{PLACE}/{NAME}"] == files_in(tmp_path)


async def test_a_folder_that_cannot_be_written_is_named(hub: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("in the way")
    with pytest.raises(DownloadFailed, match=str(tmp_path / "models")) as failure:
        await fetch_from(hub, tmp_path / "models")

    assert failure.value.reason == "unwritable"


async def test_a_folder_without_locks_is_named(hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some network file systems have none. Nobody waits there for a process that does not exist."""

    def refuse(_file: object, _operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(DownloadFailed, match="No locks available") as failure:
        await fetch_from(hub, tmp_path)

    assert "unwritable" == failure.value.reason
