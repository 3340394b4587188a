"""Files that belong to nothing are removed; what a download still needs, and models, stay."""

from __future__ import annotations

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
    SOURCE,
    fetch_a_part,
    fetch_from,
    files_in,
    model_bytes,
)
from tests.support.fake_hub import REPO, FakeHub


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


async def test_a_download_whose_file_was_renamed_is_removed(hub: FakeHub, tmp_path: Path) -> None:
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


async def test_a_begun_model_is_removed(hub: FakeHub, tmp_path: Path) -> None:
    await fetch_a_part(hub, tmp_path)
    remove_model(tmp_path, SOURCE)

    assert [] == list(tmp_path.iterdir())
