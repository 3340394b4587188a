"""Fixtures of the command `models`: its data folder, a running host, a hub."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.cli import model_host, models
from core.model.library import resources
from tests.core.cli.models.support_models import CATALOGUE, LAPTOP
from tests.support.fake_hub import fake_hub


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of a laptop that runs `small`, and to which `large` is too slow."""
    config, folder = tmp_path / "config", tmp_path / "var"
    config.mkdir()
    (config / "models.toml").write_text(CATALOGUE, encoding="utf-8")
    environ = {"CSPS_LLM_CONFIG": config, "CSPS_LLM_DATA": folder, "LLM_AUTO": "on", "LANG": "C", "COLUMNS": "200"}
    for name, value in environ.items():
        monkeypatch.setenv(name, str(value))
    for name in ("LC_ALL", "LC_MESSAGES", "HF_HUB_OFFLINE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(resources, "inspect_machine", lambda *_: LAPTOP)
    return folder


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lets a host answer with the given entries."""

    def set_entries(*entries: dict[str, Any]) -> None:
        async def fetch(_settings: object) -> Any:
            return model_host.parse_served({"data": list(entries)})

        monkeypatch.setattr(models, "fetch_served", fetch)

    return set_entries


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Any:
    with fake_hub({"small.gguf": b"GGUF" + bytes(5000), "small-Q8.gguf": b"GGUF" + bytes(9000)}) as served:
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        yield served
