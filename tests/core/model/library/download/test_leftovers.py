"""Files that belong to nothing are removed; what a download still needs, and models, stay."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from core.model.library.download.leftovers import remove_leftovers, remove_model
from core.model.library.download.progress import read_progress
from core.model.library.download.repository_files import download_folder
from core.model.library.specs import HubFile
from core.runtime.lock_file import hold_lock
from tests.core.model.library.download.support import (
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


async def test_leftovers_of_older_versions_are_removed(hub: FakeHub, tmp_path: Path) -> None:
    """huggingface_hub left a file of a model's size at each stop, and version 0.1 an unchecked one."""
    orphans = (
        f".unchecked/{PLACE}/{NAME}",
        f".unchecked/{PLACE}/.cache/huggingface/download/{NAME}.abc.1a2b.incomplete",
        f"{PLACE}/.cache/huggingface/download/{NAME}.metadata",
        "another--repo/.cache/huggingface/download/x.abc.incomplete",
    )
    for orphan in orphans:
        (tmp_path / orphan).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / orphan).write_bytes(b"GGUF half")
    (tmp_path / "another--repo" / "x.gguf").write_bytes(b"GGUF")
    await fetch_from(hub, tmp_path)

    assert ["another--repo/x.gguf", f"{PLACE}/{NAME}"] == files_in(tmp_path)


async def test_abandoned_downloads_are_removed(hub: FakeHub, tmp_path: Path) -> None:
    """Nobody continued them for weeks. Those of this week stay, and so do those that a process is at."""
    await fetch_a_part(hub, tmp_path)
    folder = download_folder(tmp_path, REPO, NAME)
    remove_leftovers(tmp_path)
    assert read_progress(tmp_path, SOURCE) is not None

    for path in (*folder.iterdir(), folder):
        os.utime(path, (0, 0))
    with hold_lock(folder / "lock"):
        for path in (*folder.iterdir(), folder):
            os.utime(path, (0, 0))
        remove_leftovers(tmp_path)
        assert read_progress(tmp_path, SOURCE) is not None
    remove_leftovers(tmp_path)

    assert [] == list(tmp_path.iterdir())


async def test_an_old_download_that_is_wanted_continues(hub: FakeHub, tmp_path: Path) -> None:
    """After weeks, or after a machine without a battery got the right time from the network."""
    await fetch_a_part(hub, tmp_path)
    folder = download_folder(tmp_path, REPO, NAME)
    for path in (*folder.iterdir(), folder):
        os.utime(path, (0, 0))
    arrived = hub.sent_bytes
    await fetch_from(hub, tmp_path)

    assert hub.sent_bytes - arrived < len(hub.files[NAME])
    assert [f"{PLACE}/{NAME}"] == files_in(tmp_path)


async def test_a_download_whose_file_was_renamed_continues(hub: FakeHub, tmp_path: Path) -> None:
    """The bytes are the same under the new name."""
    await fetch_a_part(hub, tmp_path)
    arrived = hub.sent_bytes
    hub.files = {"renamed-Q4_K_M.gguf": hub.files[NAME]}
    await fetch_from(hub, tmp_path)

    assert hub.sent_bytes - arrived < model_size(hub)
    assert [f"{PLACE}/renamed-Q4_K_M.gguf"] == files_in(tmp_path)


async def test_a_file_that_is_renamed_during_its_download_continues(hub: FakeHub, tmp_path: Path) -> None:
    """Its address expires, and the hub has no such file any more."""
    data, renamed = hub.files[NAME], "renamed-Q4_K_M.gguf"

    def rename(_request: HubRequest, position: int) -> None:
        if position > 4 * SEGMENT_BYTES and NAME in hub.files:
            hub.files[renamed] = hub.files.pop(NAME)

    hub.before_block = rename
    hub.stated[NAME] = hashlib.sha256(data).hexdigest()
    found = await fetch_from(hub, tmp_path)

    assert (renamed, data) == (found.name, found.read_bytes())
    assert hub.sent_bytes < 1.5 * len(data)
    assert [f"{PLACE}/{renamed}"] == files_in(tmp_path)


def model_size(hub: FakeHub) -> int:
    (data,) = hub.files.values()
    return len(data)


async def test_a_download_of_another_file_is_replaced(hub: FakeHub, tmp_path: Path) -> None:
    """The pattern names another file of the repository now."""
    await fetch_a_part(hub, tmp_path)
    hub.files = {"renamed-Q4_K_M.gguf": model_bytes(seed=3)}
    await fetch_from(hub, tmp_path)

    assert [f"{PLACE}/renamed-Q4_K_M.gguf"] == files_in(tmp_path)


async def test_a_model_is_removed_with_its_download(hub: FakeHub, tmp_path: Path) -> None:
    """All parts of it, and nothing else."""
    hub.files = {f"b-0000{n}-of-00002.gguf": model_bytes(1000, seed=n) for n in (1, 2)} | {"c.gguf": b"GGUF"}
    await fetch_from(hub, tmp_path, HubFile(REPO, "b-*"))
    await fetch_from(hub, tmp_path, HubFile(REPO, "c.gguf"))
    remove_model(tmp_path, HubFile(REPO, "b-*"))
    assert [f"{PLACE}/c.gguf"] == files_in(tmp_path)

    remove_model(tmp_path, HubFile(REPO, "c.gguf"))
    remove_model(tmp_path, HubFile(REPO, "c.gguf"))
    assert [] == list(tmp_path.iterdir())


async def test_a_begun_model_without_a_progress_file_is_removed(hub: FakeHub, tmp_path: Path) -> None:
    """A full disk may keep it from being written."""
    await fetch_a_part(hub, tmp_path)
    (download_folder(tmp_path, REPO, NAME) / "progress.json").unlink()
    remove_model(tmp_path, SOURCE)

    assert [] == list(tmp_path.iterdir())


async def test_a_begun_model_is_removed(hub: FakeHub, tmp_path: Path) -> None:
    await fetch_a_part(hub, tmp_path)
    remove_model(tmp_path, SOURCE)

    assert [] == list(tmp_path.iterdir())
