"""The models that are on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import PROJECT_ROOT
from core.configuration import settings
from core.model.hardware.gpus import Gpu
from core.model.hardware.machine import Machine
from core.model.library.catalogue import ModelCatalogue
from core.model.library.download.progress import DownloadProgress, write_progress
from core.model.library.download.repository_files import download_folder
from core.model.library.installed import (
    find_installed,
    installed_bytes,
    list_installed,
    remove_installed,
    stored_bytes,
)
from core.model.library.resources import build_resources, free_disk_bytes
from core.model.library.specs import HubFile, LocalFile, Starter
from core.model.library.starter import starter_path

REPO = "someone/A-Model-GGUF"
GIB = 1 << 30


def store(models: Path, name: str, content: bytes = b"GGUF", repo: str = REPO) -> Path:
    file = models / repo.replace("/", "--") / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


def begin_download(models: Path, name: str, done_bytes: int, repo: str = REPO) -> Path:
    """Leaves what a stopped download leaves."""
    folder = download_folder(models, repo, name)
    folder.mkdir(parents=True)
    write_progress(folder, DownloadProgress("downloading", done_bytes, 100), (name,))
    return folder


def test_each_kind_of_source_is_found(tmp_path: Path) -> None:
    own = tmp_path / "own.gguf"
    own.write_bytes(b"GGUF")
    file, starter = store(tmp_path, "model-Q4.gguf"), starter_path(tmp_path)
    starter.write_bytes(b"GGUF")

    assert own == find_installed(tmp_path, LocalFile(own))
    assert file == find_installed(tmp_path, HubFile(REPO, "*Q4.gguf"))
    assert starter == find_installed(tmp_path, Starter())


@pytest.mark.parametrize(
    "source", [LocalFile(Path("/no/such.gguf")), HubFile(REPO, "*Q8.gguf"), HubFile("../..", "*.gguf"), Starter()]
)
def test_nothing_is_found_where_nothing_is(tmp_path: Path, source: HubFile | LocalFile | Starter) -> None:
    store(tmp_path, "model-Q4.gguf")

    assert find_installed(tmp_path, source) is None


def test_a_pattern_of_two_models_finds_neither(tmp_path: Path) -> None:
    """Guessing could load the wrong one."""
    store(tmp_path, "a.gguf")
    store(tmp_path, "b.gguf")

    assert find_installed(tmp_path, HubFile(REPO, "*.gguf")) is None


def test_a_split_model_is_listed_once_when_it_is_whole(tmp_path: Path) -> None:
    """Its size is that of all parts. An incomplete one is not listed."""
    for part in (1, 2, 3):
        store(tmp_path, f"q4/big-0000{part}-of-00003.gguf", b"GGUF" + bytes(part))
        if part < 3:
            store(tmp_path, f"half-0000{part}-of-00003.gguf")
    store(tmp_path, "small.gguf", repo="other/Thing")
    listed = list_installed(tmp_path)

    assert ["other/Thing/small.gguf", f"{REPO}/q4/big-00001-of-00003.gguf"] == [each.spec.id for each in listed]
    assert 3 * 4 + 1 + 2 + 3 == installed_bytes(listed[1].path)


def test_other_files_in_the_folder_are_no_models(tmp_path: Path) -> None:
    """The starter, unfinished downloads, and folders that are no repositories."""
    starter_path(tmp_path).write_bytes(b"GGUF")
    begin_download(tmp_path, "model.gguf", 10)
    store(tmp_path, "x.gguf", repo="a--b/c")
    store(tmp_path, "notes.txt")

    assert () == list_installed(tmp_path)
    assert () == list_installed(tmp_path / "no-such-folder")


def test_removing_frees_all_parts_and_the_unfinished_download(tmp_path: Path) -> None:
    """Other models of the repository stay."""
    for part in (1, 2):
        store(tmp_path, f"big-0000{part}-of-00002.gguf", bytes(50))
    kept = store(tmp_path, "kept.gguf")
    folder = begin_download(tmp_path, "big-00001-of-00002.gguf", 30)
    other = begin_download(tmp_path, "other.gguf", 30)
    source = HubFile(REPO, "big-*.gguf")

    assert 30 == stored_bytes(tmp_path, source)
    assert 130 == remove_installed(tmp_path, source)

    assert find_installed(tmp_path, source) is None
    assert (kept.exists(), folder.exists(), other.exists()) == (True, False, True)


# --- resources -------------------------------------------------------------------------------------------------------


@pytest.fixture
def catalogue() -> ModelCatalogue:
    shipped = ModelCatalogue(PROJECT_ROOT / "config" / "models.toml")
    shipped.load()
    return shipped


def test_only_memory_of_gpus_that_the_engine_uses_counts(tmp_path: Path, catalogue: ModelCatalogue) -> None:
    """A GPU that shares the machine's memory has none of its own; LLM_GPU_LAYERS=0 switches all off."""
    gpus = (
        Gpu("A", "cuda", 8 * GIB, 7 * GIB),
        Gpu("B", "vulkan", 16 * GIB, 16 * GIB, unified=True),
        Gpu("C", "cuda", GIB, GIB),
    )
    machine = Machine(4, 16 * GIB, 12 * GIB, gpus, 20e9, engine_backends=frozenset({"cuda", "vulkan"}))
    without = Machine(4, 16 * GIB, 12 * GIB, gpus, 20e9)

    def gpu_bytes(machine: Machine, **variables: str) -> tuple[int, int]:
        chosen = settings.load({"CSPS_LLM_DATA": str(tmp_path), **variables})
        found = build_resources(machine, chosen, catalogue, offline=False)
        return found.gpu_total_bytes, found.gpu_free_bytes

    assert (9 * GIB, 8 * GIB) == gpu_bytes(machine)
    assert (0, 0) == gpu_bytes(machine, LLM_GPU_LAYERS="0")
    assert (0, 0) == gpu_bytes(without)


def test_downloads_and_their_parts_are_known(tmp_path: Path, catalogue: ModelCatalogue) -> None:
    chosen = settings.load({"CSPS_LLM_DATA": str(tmp_path), "LLM_CONTEXT_WINDOW": "2048"})
    whole, begun = catalogue.get("qwen-1-5b"), catalogue.get("ministral-3b")
    store(tmp_path / "models", whole.file, repo=whole.repo)
    begin_download(tmp_path / "models", begun.file, 70, repo=begun.repo)
    found = build_resources(Machine(4, 16 * GIB, 12 * GIB), chosen, catalogue, offline=True)

    assert frozenset({"qwen-1-5b"}) == found.downloaded
    assert found.stored_bytes is not None
    assert 70 == found.stored_bytes["ministral-3b"]
    assert (2048, True) == (found.window_tokens, found.offline)
    assert found.disk_free_bytes > 0


def test_the_free_disk_is_that_of_the_nearest_folder(tmp_path: Path) -> None:
    """The data folder need not exist yet."""
    assert free_disk_bytes(tmp_path / "not" / "yet") > 0
