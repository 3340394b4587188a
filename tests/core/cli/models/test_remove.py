"""`csps-llm models remove`: frees files, and refuses for a model in use."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import PROJECT_ROOT
from core.cli.model_survey import ModelRow, ModelState
from core.cli.models import refuse_removal
from core.errors import BadRequest
from core.model.library.download.progress import DownloadProgress
from core.model.library.specs import HubFile, ModelSpec
from tests.core.cli.models.support_models import REPO, run
from tests.core.model.library.test_installed import begin_download, store


def test_remove_asks_first(data: Path) -> None:
    file = store(data / "models", "embedder.gguf", bytes(2000), repo="someone/Embedder-GGUF")

    code, shown = run("remove", "embedder", answer="n\n")
    assert (1, True) == (code, file.exists())
    assert "Delete Embedder (2 kB)?" in shown
    code, shown = run("remove", "embedder", "--yes")
    assert (0, False) == (code, file.exists())
    assert "2 kB are free" in shown


def test_remove_frees_an_unfinished_download(data: Path) -> None:
    folder = begin_download(data / "models", "large.gguf", 2048, repo="someone/Large-GGUF")
    run("remove", "large", "--yes")

    assert not folder.exists()


@pytest.mark.parametrize(
    ("state", "is_default", "expected"),
    [
        ("downloaded", True, "in_use"),
        ("in_use", False, "in_use"),
        ("loading", False, "in_use"),
        ("loaded", False, None),
        ("downloading", False, "is_downloading"),
        ("downloaded", False, None),
        ("paused", False, None),
    ],
)
def test_a_model_in_use_is_not_removed(state: ModelState, is_default: bool, expected: str | None) -> None:
    spec = ModelSpec("x", "X", HubFile(REPO, "x.gguf"))
    row = ModelRow(spec, state, is_default, 1, path=Path("x.gguf"), progress=DownloadProgress("paused", 1, 2))

    assert expected == refuse_removal(row)


def test_the_reason_of_a_refusal_says_what_to_do(data: Path) -> None:
    store(data / "models", "small.gguf")
    with pytest.raises(BadRequest, match="Choose another model first: csps-llm models use"):
        run("remove", "small", "--yes")
    with pytest.raises(BadRequest, match="not on this machine"):
        run("remove", "large", "--yes")
    with pytest.raises(BadRequest, match="not a download"):
        run("remove", "starter", "--yes")


def test_a_model_of_a_personality_is_not_removed(data: Path) -> None:
    """The running service would download it again."""
    folder = data.parent / "config" / "personalities"
    folder.mkdir()
    shipped = (PROJECT_ROOT / "config" / "personalities" / "whisper.toml").read_text(encoding="utf-8")
    tables = {"one": 'model = "embedder"', "two": 'model = { repo = "other/Own", file = "own.gguf" }'}
    for name, line in tables.items():
        (folder / f"{name}.toml").write_text(f"{line}\n{shipped}", encoding="utf-8")
    store(data / "models", "embedder.gguf", repo="someone/Embedder-GGUF")
    store(data / "models", "own.gguf", repo="other/Own")

    with pytest.raises(BadRequest, match=r"the model of one\. Change the key `model`"):
        run("remove", "embedder", "--yes")
    with pytest.raises(BadRequest, match="the model of two"):
        run("remove", "other/Own/own.gguf", "--yes")
