"""`csps-llm models list` and `show`: every model, its state and the reason of the choice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.cli import model_host
from core.errors import BadRequest, NotFound
from tests.core.cli.models.support_models import REPO, add_remote, listed, run
from tests.core.model.library.test_installed import begin_download, store


@pytest.mark.usefixtures("data")
def test_the_list_says_which_model_and_why() -> None:
    """The better one has its reason, and people learn how to say no."""
    _, shown = run("list")
    rows = [line for line in shown.splitlines() if "│" in line]

    assert any("*" in row and "small" in row and "MIT" in row and "available" in row for row in rows)
    assert any("large" in row and "about 1.4 tokens/s, 5 are wanted" in row and "en, fr +1" in row for row in rows)
    assert "Model: Small 1B (the best of the catalogue for this machine)" in shown
    assert "MIT (https://opensource.org/license/mit)" in shown
    assert "Until it is here, SmolLM2-135M-Instruct answers" in shown
    assert "Large 8B would be better, but is not chosen: too slow here" in shown
    assert "LLM_AUTO=off" in shown


@pytest.mark.usefixtures("data")
def test_the_list_is_in_french_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "fr_CA.UTF-8")
    _, shown = run("list")

    assert "le meilleur du catalogue pour cette machine" in shown
    assert "environ 1,4 jetons/s" in shown
    assert "disponible" in shown


def test_states_without_a_running_service(data: Path) -> None:
    """Downloaded, begun, available, too large; a model outside the catalogue is listed by its id."""
    store(data / "models", "embedder.gguf", repo="someone/Embedder-GGUF")
    begin_download(data / "models", "small.gguf", 43)
    store(data / "models", "own-Q4.gguf", bytes(100), repo="other/Own")
    rows = listed()

    assert {"large": "unfit", "small": "paused", "embedder": "downloaded", "starter": "installed"} == {
        name: rows[name]["state"] for name in ("large", "small", "embedder", "starter")
    }
    own = rows["other/Own/own-Q4.gguf"]
    assert ("own-Q4", 100, "downloaded") == (own["title"], own["size_bytes"], own["state"])
    assert str(data / "models" / "other--Own" / "own-Q4.gguf") == own["path"]
    assert ["small"] == [name for name, row in rows.items() if row["default"]]
    assert "speed" == rows["large"]["obstacles"][0]["kind"]
    assert "stopped at 43%" in run("list")[1]


@pytest.mark.usefixtures("data")
def test_states_of_a_running_service(serve: Any) -> None:
    """The first model that it lists is in use, while another is downloaded."""
    download = {"done_bytes": 430, "total_bytes": 1000, "bytes_per_s": 10, "expected_s": 57, "problem": None}
    serve(
        {"id": "starter", "state": "loaded", "starter": True},
        {"id": "small", "state": "downloading", "download": download},
        {"id": "embedder", "state": "loading"},
    )
    rows = listed()

    assert ["downloading", "loading", "in_use"] == [rows[name]["state"] for name in ("small", "embedder", "starter")]
    assert 57 == rows["small"]["download"]["expected_s"]
    assert "downloading 43%" in run("list")[1]


@pytest.mark.usefixtures("data")
def test_a_download_that_waits_or_failed_says_why(serve: Any) -> None:
    serve(
        {"id": "small", "state": "downloading", "download": {"done_bytes": 1, "problem": "the network is away"}},
        {"id": "large", "state": "failed", "download": {"done_bytes": 1, "problem": "the disk is full"}},
    )
    rows = listed()

    assert ["waiting", "failed"] == [rows[name]["state"] for name in ("small", "large")]
    assert "the disk is full" in run("show", "large")[1]


@pytest.mark.parametrize("body", [{}, {"data": 3}, {"data": [{"no": "id"}]}, {"data": [3]}, [], None])
def test_an_answer_of_another_form_is_no_host(body: Any) -> None:
    """Another program may listen there."""
    with pytest.raises((ValueError, TypeError, KeyError, AttributeError)):
        model_host.parse_served(body)


def test_a_model_of_remote_engines_is_listed(data: Path) -> None:
    """Its engines answer, so there is nothing to download or remove here. `show` asks them."""
    add_remote(data)

    shown = run("list")[1]
    assert "far" in shown
    assert "answered by gpu.invalid" in shown
    assert "pw" not in shown
    assert ["gpu.invalid"] == listed()["far"]["engines"]
    assert "gpu.invalid: " in run("show", "far")[1]
    for command in ("pull", "remove"):
        with pytest.raises(BadRequest, match="csps-llm models use far"):
            run(command, "far")


@pytest.mark.usefixtures("data")
def test_with_an_engine_no_model_of_this_machine_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is downloaded for it, and a selection would not count."""
    monkeypatch.setenv("LLM_URL", "http://localhost:8000/v1")
    shown = run("list")[1]

    assert "LLM_URL is set: the engine at that address answers" in shown
    assert "is downloaded by the service" not in shown
    assert not any(row["default"] for row in listed().values())
    assert "next start" not in run("use", "small")[1]


@pytest.mark.usefixtures("data")
def test_the_starter_has_its_language() -> None:
    """People read there that it speaks no French."""
    assert ["en"] == listed()["starter"]["languages"]
    assert "Apache-2.0" in run("show", "starter")[1]


def test_show_has_everything(data: Path) -> None:
    file = store(data / "models", "small.gguf")
    _, shown = run("show", "small")

    for expected in (
        "Small 1B",
        "Short texts.",
        "MIT",
        "8,192 tokens",
        "7.0 tokens/s",
        f"huggingface.co/{REPO}",
        str(file),
    ):
        assert expected in shown


@pytest.mark.usefixtures("data")
def test_an_unknown_model_names_the_nearest() -> None:
    with pytest.raises(NotFound, match="no model named 'smal'; did you mean 'small'"):
        run("show", "smal")
