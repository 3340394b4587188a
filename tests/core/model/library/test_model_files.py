"""The model file that is loaded, and its checks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.configuration import settings
from core.errors import ConfigError, ModelError
from core.model.library import starter
from core.model.library.gguf_file import ModelFile
from core.model.library.model_files import find
from tests.support.fake_hub import REPO, FakeHub

ONE, OTHER = b"GGUF one", b"GGUF two"


def writes_one(_source: Path, target: Path) -> None:
    target.write_bytes(ONE)


def never(source: Path, target: Path) -> None:
    raise AssertionError("unexpected transcoding")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    with FakeHub() as served:
        use_hub(monkeypatch, served.url)
        yield served


def use_hub(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("HF_ENDPOINT", url)
    monkeypatch.setenv("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")


def configure(tmp_path: Path, **variables: str) -> settings.Settings:
    return settings.load({"CSPS_LLM_DATA": str(tmp_path), **variables})


def from_hub(tmp_path: Path, pattern: str) -> ModelFile:
    return find(configure(tmp_path, LLM_HUGGINGFACE_REPO=REPO, LLM_HUGGINGFACE_FILE=pattern), never)


# --- LLM_MODEL_FILE --------------------------------------------------------------------------------------------------


def test_a_file_path_overrides_the_repository(tmp_path: Path) -> None:
    """LLM_MODEL_FILE wins, and the file name is the name of the model."""
    file = tmp_path / "My model.Q4.gguf"
    file.write_bytes(ONE)
    found = find(configure(tmp_path, LLM_MODEL_FILE=str(file), LLM_HUGGINGFACE_REPO=REPO), never)

    assert found == ModelFile(file, "My model.Q4", starter=False)


@pytest.mark.parametrize(("content", "words"), [(None, "no file"), (b"", "not a GGUF"), (b"PK\3\4 zip", "not a GGUF")])
def test_a_file_that_is_not_gguf_is_refused_with_its_path(tmp_path: Path, content: bytes | None, words: str) -> None:
    """The check comes before llama.cpp opens the file."""
    file = tmp_path / "model.gguf"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=words) as refused:
        find(configure(tmp_path, LLM_MODEL_FILE=str(file)), never)

    assert "LLM_MODEL_FILE" in refused.value.message
    assert str(file) in refused.value.message


def test_an_unreadable_file_is_named_in_the_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """(It was reported as a failure to listen.)"""
    file = tmp_path / "model.gguf"
    file.write_bytes(ONE)
    configured = configure(tmp_path, LLM_MODEL_FILE=str(file))

    def refuse(path: Path, *_: Any) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ConfigError, match="Permission denied") as refused:
        find(configured, never)

    assert str(file) in refused.value.message


def test_the_fingerprint_changes_with_the_file(tmp_path: Path) -> None:
    """Saved prefixes are valid only for the file that computed them."""
    file = tmp_path / "model.gguf"
    file.write_bytes(ONE)
    before = ModelFile(file, "model").fingerprint
    assert ModelFile(file, "another name").fingerprint == before
    file.write_bytes(ONE + b"!")

    assert ModelFile(file, "model").fingerprint != before


# --- the starter -----------------------------------------------------------------------------------------------------


def test_the_starter_is_transcoded_once(tmp_path: Path) -> None:
    """The second start finds the result in the data folder."""
    made: list[Path] = []

    def transcode(source: Path, target: Path) -> None:
        made.append(source)
        target.write_bytes(ONE)

    first = find(configure(tmp_path), transcode)
    second = find(configure(tmp_path), never)

    assert first == second
    assert first.starter
    assert first.path.parent == tmp_path / "models"
    assert [source.suffix for source in made] == [".gguf"]


def test_an_interrupted_transcoding_is_repeated(tmp_path: Path) -> None:
    """A killed process leaves only a partial file."""

    def breaks(source: Path, target: Path) -> None:
        target.write_bytes(b"GGUF half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        find(configure(tmp_path), breaks)
    found = find(configure(tmp_path), writes_one)

    assert found.path.read_bytes() == ONE


def test_an_impossible_models_folder_is_named_in_the_error(tmp_path: Path) -> None:
    """The operator can then remove the obstacle."""
    (tmp_path / "models").write_text("in the way")
    with pytest.raises(ConfigError, match="models"):
        find(configure(tmp_path), never)


def test_a_missing_starter_package_error_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names `make install`."""
    monkeypatch.setattr(starter, "STARTER_PACKAGE", "no-such-package")
    with pytest.raises(ConfigError, match="make install"):
        find(configure(tmp_path), never)


# --- the hub ---------------------------------------------------------------------------------------------------------


def test_a_configured_file_of_the_hub_is_downloaded(hub: FakeHub, tmp_path: Path) -> None:
    """Its name is the one that people see."""
    hub.files = {"a-model-Q4_K_M.gguf": ONE, "a-model-Q8_0.gguf": OTHER}
    found = from_hub(tmp_path, "*Q4_K_M.gguf")

    assert (ONE, "a-model-Q4_K_M") == (found.path.read_bytes(), found.name)


@pytest.mark.parametrize("repo", ["no/such-repo", "not a repo", "../.."])
def test_an_unknown_repository_is_a_configuration_error(hub: FakeHub, tmp_path: Path, repo: str) -> None:
    """The hub answers 404, or the name is invalid."""
    with pytest.raises(ConfigError, match="LLM_HUGGINGFACE_REPO"):
        find(configure(tmp_path, LLM_HUGGINGFACE_REPO=repo, LLM_HUGGINGFACE_FILE="*.gguf"), never)


def test_without_a_connection_the_error_may_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A later start may succeed. One line names the hub and the reason."""
    use_hub(monkeypatch, "http://127.0.0.1:9")
    with pytest.raises(ModelError, match=r"127\.0\.0\.1 cannot be reached: nothing listens there") as refused:
        from_hub(tmp_path, "*Q4*")

    assert "\n" not in refused.value.message


def test_repository_and_file_are_required_together(tmp_path: Path) -> None:
    """One without the other is an error."""
    with pytest.raises(ConfigError, match="LLM_HUGGINGFACE_FILE is missing"):
        find(configure(tmp_path, LLM_HUGGINGFACE_REPO=REPO), never)
