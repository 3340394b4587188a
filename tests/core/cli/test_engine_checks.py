"""What `doctor`, `models show` and `up` tell of the engines behind URLs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from core.cli import models
from core.cli.engine_checks import check_engines
from core.cli.findings import FindingBuilder
from core.configuration.settings import Settings, load
from tests.support.fake_model import FakeModel
from tests.support.ollama_stand_in import OllamaStandIn
from tests.support.vllm_stand_in import VllmStandIn

ENGLISH, FRENCH = FindingBuilder("en"), FindingBuilder("fr")
AWAY = "http://user:hush@127.0.0.1:9/v1"


def settings_with(folder: Path, urls: Sequence[str], more: str = "") -> Settings:
    """Settings whose models.toml has the model "large" with these engines."""
    engines = ", ".join(f'{{ url = "{url}"{more} }}' for url in urls)
    (folder / "models.toml").write_text(f'[large]\ntitle = "Large"\nengines = [{engines}]\n', encoding="utf-8")
    return load({"CSPS_LLM_DATA": str(folder), "CSPS_LLM_CONFIG": str(folder), "LLM_AUTO": "off"})


async def test_doctor_has_a_row_for_each_engine(tmp_path: Path) -> None:
    """A row says what the engine lacks and what follows from it, or its problem without a password."""
    async with VllmStandIn().serving() as able, OllamaStandIn(old=True).serving() as weak:
        settings = settings_with(tmp_path, [able.url, weak.url, AWAY])
        good, lacking, away = await check_engines(ENGLISH, settings)
        french = (await check_engines(FRENCH, settings))[1]

    assert (good.state, lacking.state, away.state) == ("ok", "warn", "problem")
    assert "toy, 512 tokens" in good.found
    assert "without enforced JSON schemas" in lacking.found
    assert "asks again" in lacking.advice
    assert away.found == "127.0.0.1:9: nothing listens there"
    assert "models.toml" in away.advice
    assert "sans schémas JSON imposés" in french.found


async def test_doctor_names_the_variable_of_a_missing_key(tmp_path: Path) -> None:
    """It does not ask the engine without a key. Without engines there is no row."""
    found = await check_engines(ENGLISH, settings_with(tmp_path, [AWAY], ', key_env = "ABSENT_KEY"'))
    assert [each.state for each in found] == ["problem"]
    assert "ABSENT_KEY" in found[0].found
    assert "hush" not in found[0].found
    (tmp_path / "models.toml").unlink()

    assert await check_engines(ENGLISH, load({"CSPS_LLM_DATA": str(tmp_path)})) == []


async def test_models_show_tells_each_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In lines, and as JSON."""
    async with FakeModel(("No JSON here.",)).serving() as engine:
        settings = settings_with(tmp_path, [engine.url, AWAY])
        monkeypatch.setattr(models, "load_settings", lambda: settings)
        await asyncio.to_thread(models.show_one, "large", as_json=False)
        lines = capsys.readouterr().out.splitlines()
        await asyncio.to_thread(models.show_one, "large", as_json=True)
        rows = json.loads(capsys.readouterr().out)

    assert len(lines) == 2
    assert "fake-model" in lines[0]
    assert "json_schema" in rows[0]["missing"]
    assert rows[1]["engine"] == "127.0.0.1:9"
    assert rows[1]["problem"]
