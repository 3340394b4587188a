"""Finds the context window of a model where the engine's list of models does not tell it.

Ollama's own API tells it (https://docs.ollama.com/api): /api/show has the parameters of the Modelfile, where `num_ctx`
is the window, and the length that the model was trained for; /api/ps lists the models in memory, each with its window.
A model that is not in memory gets the window of its Modelfile, else one by the GPU memory of that machine, which nobody
tells before it is loaded. An older llama-server tells it in /props.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Awaitable, Callable

from core.errors import CspsError
from core.model.client.served_models import LATEST
from core.openai.chat_protocol import Fields

NUM_CTX = re.compile(r"^num_ctx\s+(\d+)\s*$", re.MULTILINE)
TRAINED = ".context_length"  # after the name of the architecture
LIFETIME_S = 30.0  # Ollama may load the model again with another window

Probe = Callable[[str, str, Fields | None], Awaitable[tuple[int, Fields]]]  # method, path, body → status, object


class WindowFinder:
    """One per engine. `probe`: sends a small request; raises CspsError."""

    def __init__(self, probe: Probe, clock: Callable[[], float] = time.monotonic) -> None:
        self._probe = probe
        self._clock = clock
        self._found: dict[str, tuple[int | None, float]] = {}  # by model: its window, and the time to ask again

    def forget(self) -> None:
        """Asks again: the engine was away."""
        self._found.clear()

    async def find(self, model: str) -> int | None:
        """The window in tokens; None if the engine does not tell it."""
        window, ends_at = self._found.get(model, (None, -math.inf))
        if self._clock() < ends_at:
            return window
        try:
            window = await self._ask_ollama(model) or await self._ask_llama_server()
        except CspsError:
            return None
        self._found[model] = window, self._clock() + LIFETIME_S
        return window

    async def _ask_ollama(self, model: str) -> int | None:
        status, shown = await self._probe("POST", "/api/show", {"model": model})
        if status != 200:
            return None
        _, running = await self._probe("GET", "/api/ps", None)
        return parse_ollama_window(model, running, shown)

    async def _ask_llama_server(self) -> int | None:
        _, properties = await self._probe("GET", "/props", None)
        settings = properties.get("default_generation_settings")
        return positive(settings.get("n_ctx")) if isinstance(settings, dict) else None


def parse_ollama_window(model: str, running: Fields, shown: Fields) -> int | None:
    """The window of `model`. `running`: the answer of /api/ps. `shown`: that of /api/show."""
    window = configured_window(shown) or loaded_window(model, running)
    return min(window, trained_window(shown) or window) if window else None


def configured_window(shown: Fields) -> int | None:
    parameters = shown.get("parameters")
    found = NUM_CTX.search(parameters) if isinstance(parameters, str) else None
    return int(found[1]) if found else None


def loaded_window(model: str, running: Fields) -> int | None:
    models = running.get("models")
    for each in models if isinstance(models, list) else []:
        if isinstance(each, dict) and each.get("name") in (model, model + LATEST):
            return positive(each.get("context_length"))
    return None


def trained_window(shown: Fields) -> int | None:
    info = shown.get("model_info")
    found = [value for name, value in info.items() if name.endswith(TRAINED)] if isinstance(info, dict) else []
    return positive(found[0]) if found else None


def positive(value: object) -> int | None:
    return value if isinstance(value, int) and value > 0 else None
