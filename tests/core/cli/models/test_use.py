"""`csps-llm models use`: the selection, and the reasons why it has no effect."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.errors import BadRequest, ConfigError
from core.model.library.selection import read_selection
from tests.core.cli.models.support_models import add_remote, listed, run


def test_use_stores_the_selection(data: Path) -> None:
    """It warns of what stands in the way, and says when it counts."""
    _, shown = run("use", "large")

    assert "large" == read_selection(data)
    assert "Large 8B is selected" in shown
    assert "may be too much for this machine: too slow here" in shown
    assert "downloaded first" in shown
    assert "next start" in shown
    assert listed()["large"]["default"]

    _, shown = run("use", "auto")
    assert read_selection(data) is None
    assert "Model: Small 1B" in shown


@pytest.mark.usefixtures("data")
def test_a_running_service_takes_a_selection_over(serve: Any) -> None:
    serve({"id": "starter", "state": "loaded"})

    assert "running service takes it over" in run("use", "small")[1]


def test_a_model_of_remote_engines_can_be_selected(data: Path) -> None:
    """It is the default then, and nothing of this machine is."""
    add_remote(data)
    _, shown = run("use", "far")

    assert "far" == read_selection(data)
    assert "Far is selected. It is answered by gpu.invalid." in shown
    assert "downloaded" not in shown
    rows = listed()
    assert ["far"] == [model_id for model_id, row in rows.items() if row["default"]]
    shown = run("list")[1]
    assert "Model: Far (`csps-llm models use` selected it)" in shown
    assert any("*" in line and "far" in line for line in shown.splitlines())


def test_use_says_that_another_program_answers(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With LLM_URL no model of this catalogue is the default."""
    monkeypatch.setenv("LLM_URL", "http://gpu.invalid/v1")

    assert "LLM_URL is set and takes precedence" in run("use", "small")[1]
    assert "small" == read_selection(data)


@pytest.mark.usefixtures("data")
def test_use_says_that_a_variable_takes_precedence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise nothing would happen, without a reason."""
    monkeypatch.setenv("LLM_MODEL", "large")

    assert "LLM_MODEL is set and takes precedence" in run("use", "small")[1]


def test_an_embedder_cannot_be_selected(data: Path) -> None:
    with pytest.raises(BadRequest, match="does not chat"):
        run("use", "embedder")
    assert read_selection(data) is None


def test_a_folder_that_cannot_be_written_is_named(data: Path) -> None:
    data.parent.mkdir(exist_ok=True)
    data.write_text("in the way")
    with pytest.raises(ConfigError, match="var"):
        run("use", "small")


@pytest.mark.usefixtures("data")
def test_offline_a_selection_waits_for_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """No download is promised, in no command."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for shown in (run("use", "small")[1], run("list")[1]):
        assert "HF_HUB_OFFLINE forbids its download" in shown
        assert "too much" not in shown
        assert "is downloaded" not in shown
