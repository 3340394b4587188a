"""The files of a repository that make one model, and those on disk."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.library.download.failures import DownloadFailed
from core.model.library.download.repository_files import choose_model, download_folder, find_downloaded, is_safe
from core.model.library.specs import HubFile

REPO = "someone/A-Model-GGUF"


def choose(names: list[str], pattern: str) -> list[str]:
    return choose_model(names, HubFile(REPO, pattern))


def refusal(names: list[str], pattern: str) -> DownloadFailed:
    with pytest.raises(DownloadFailed) as failure:
        choose(names, pattern)
    return failure.value


def test_a_pattern_without_a_match_lists_the_files() -> None:
    """The operator can then correct it without a browser."""
    failure = refusal(["a-Q4.gguf", "README.md", "a-Q8.gguf"], "*Q5*")

    assert "no_match" == failure.reason
    assert "a-Q4.gguf, a-Q8.gguf" in failure.message


def test_a_pattern_that_matches_several_models_lists_them() -> None:
    """No model is chosen by guessing."""
    failure = refusal(["a-Q4.gguf", "a-Q8.gguf", "b.gguf"], "a-*")

    assert "ambiguous" == failure.reason
    assert "2 models" in failure.message


def test_a_long_list_is_shortened() -> None:
    failure = refusal([f"{n}.gguf" for n in range(500)], "x")

    assert len(failure.message) < 500
    assert "(500)" in failure.message


def test_a_split_model_yields_its_parts_in_order() -> None:
    """Parts of other models are left out."""
    names = ["x-00002-of-00002.gguf", "x-00001-of-00002.gguf", "y-00001-of-00002.gguf"]

    assert choose(names, "x*") == ["x-00001-of-00002.gguf", "x-00002-of-00002.gguf"]


def test_a_model_split_in_two_ways_is_two_models() -> None:
    """(Parts of both were taken for one.)"""
    names = ["x.gguf", "x-00001-of-00002.gguf", "x-00002-of-00002.gguf", "x-00001-of-00001.gguf"]

    assert "ambiguous" == refusal(names, "x*").reason
    assert ["x.gguf"] == choose(names, "x.gguf")
    assert ["x-00001-of-00002.gguf", "x-00002-of-00002.gguf"] == choose(names, "x-*of-00002*")


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_split_model_without_a_part_is_refused(missing: int) -> None:
    names = [f"x-0000{n}-of-00003.gguf" for n in (1, 2, 3)]
    del names[missing]

    assert "incomplete" == refusal(names, "x*").reason


def test_image_projectors_are_no_models() -> None:
    """Repositories have them beside the model, in the same quantisation."""
    names = ["gemma-Q8_0.gguf", "mmproj-gemma-Q8_0.gguf"]

    assert ["gemma-Q8_0.gguf"] == choose(names, "*Q8_0.gguf")
    assert ["mmproj-gemma-Q8_0.gguf"] == choose(names, "mmproj*")


@given(name=st.text(st.sampled_from("ab./\\\x00 é~\n"), max_size=12))
def test_a_safe_name_stays_in_its_folder(name: str) -> None:
    folder = Path("/models/repo")
    if is_safe(name):
        inside = (folder / name).resolve()
        assert folder in inside.parents
        assert not any(part.startswith(".") for part in inside.relative_to(folder).parts)


@given(name=st.text("aé-_/ %", min_size=1, max_size=20).filter(is_safe))
def test_each_model_has_one_folder_for_its_download(name: str) -> None:
    """Also a model in a folder of its repository: its download is not nested in another one."""
    folder = download_folder(Path("/models"), REPO, name)

    assert folder.parent == Path("/models/.downloads/someone--A-Model-GGUF")


def test_what_is_on_disk_is_found(tmp_path: Path) -> None:
    """Whole models only, and none of this package's own folders."""
    place = tmp_path / "someone--A-Model-GGUF"
    hidden = place / ".cache" / "x-Q4.gguf"
    for file in (hidden, place / "sub" / "y-00002-of-00002.gguf", place / "z-Q4.gguf.part"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"GGUF")
    assert find_downloaded(tmp_path, HubFile(REPO, "*Q4*")) is None
    assert find_downloaded(tmp_path, HubFile(REPO, "sub/y*")) is None
    first = place / "sub" / "y-00001-of-00002.gguf"
    first.write_bytes(b"GGUF")

    assert first == find_downloaded(tmp_path, HubFile(REPO, "sub/y*"))
    assert find_downloaded(tmp_path / "nowhere", HubFile(REPO, "*")) is None
