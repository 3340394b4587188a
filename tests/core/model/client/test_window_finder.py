"""The context window of engines whose list of models does not tell it."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.configuration.settings import load
from core.model.client import ModelClient
from core.model.client.window_finder import LIFETIME_S, WindowFinder, parse_ollama_window
from core.openai.chat_protocol import Fields
from tests.core.support_asking import pieces
from tests.support.ollama_stand_in import OllamaStandIn

SHOWN = {"parameters": "num_ctx 8192\ntop_p 0.9", "model_info": {"gemma3.context_length": 32_768}}


async def test_ollama_tells_the_window_of_a_loaded_model(tmp_path: Path) -> None:
    """Before that its default is not known, and the smallest is assumed. An operator's limit holds all the same."""
    async with OllamaStandIn(window=16_384).serving() as stand_in:
        for limit, expected in (("", 16_384), ("10000", 10_000)):
            stand_in.is_loaded = False
            variables = {"CSPS_LLM_DATA": str(tmp_path), "LLM_URL": stand_in.url, "LLM_CONTEXT_WINDOW": limit}
            client = ModelClient.from_settings(load(variables), {})
            assert (await client.info()).window == (int(limit) if limit else 4096)
            await pieces(client)
            client.own.forget_models()
            assert (await client.info()).window == expected
            await client.close()


@pytest.mark.parametrize(
    ("running", "shown", "window"),
    [
        ([], SHOWN, 8192),  # of the Modelfile
        ([{"name": "m:latest", "context_length": 65_536}], SHOWN, 8192),  # another client loaded it; we reload it
        ([{"name": "m:latest", "context_length": 65_536}], {**SHOWN, "parameters": ""}, 32_768),  # trained for less
        ([{"name": "m:latest", "context_length": 4096}], {}, 4096),
        ([{"name": "n:latest", "context_length": 4096}], {}, None),
        ([{"name": "m:latest"}], {}, None),  # an older version
        ([], {}, None),
        ("x", {"parameters": 1, "model_info": []}, None),
    ],
)
def test_the_modelfile_goes_before_the_memory(running: object, shown: Fields, window: int | None) -> None:
    """A request without a window has Ollama use that of the Modelfile. Nothing malformed is believed."""
    assert parse_ollama_window("m", {"models": running}, shown) == window


async def test_the_window_is_asked_for_now_and_then() -> None:
    """An engine without either path is asked as rarely."""
    now_s, paths = 0.0, list[str]()

    async def probe(_method: str, path: str, _body: Fields | None) -> tuple[int, Fields]:
        paths.append(path)
        return (200, {"default_generation_settings": {"n_ctx": 2048}}) if path == "/props" else (404, {})

    finder = WindowFinder(probe, lambda: now_s)
    for step_s in (0, 1, LIFETIME_S):
        now_s += step_s
        assert await finder.find("m") == 2048
    assert paths == ["/api/show", "/props"] * 2
