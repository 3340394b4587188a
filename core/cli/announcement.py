"""Says when the service answers: where to go, which model it is, how to stop. Until then, what is being waited for."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Protocol

import httpx

from core.cli.guards import Health
from core.cli.words import Table, Words
from core.runtime.http_server import is_local, listen_url, reachable_url

READY_INTERVAL_S = 0.25
SOON_S = 2.0  # a start that takes longer is explained
REMIND_S = 30.0
DEADLINE_S = 10.0  # of one request

WORDS: Table = {
    "loading": (
        "The model is being loaded; the service will answer in a moment …",
        "Chargement du modèle; le service répondra dans un instant …",
    ),
    "starting": (
        "Starting; it will say when it answers …",
        "Démarrage; il dira quand il répond …",
    ),
    "still_loading": (
        "Still not ready after {seconds:.0f} s. `csps-llm doctor`, in another terminal, looks for the reason.",
        "Pas encore prêt après {seconds:.0f} s. `csps-llm doctor`, dans un autre terminal, en cherche la raison.",
    ),
    "ready": (
        "\n    Chat at       {url}\n    Model         {model}\n    To stop       Ctrl-C\n",
        "\n    Clavarder     {url}\n    Modèle        {model}\n    Pour arrêter  Ctrl-C\n",
    ),
    "starter": (
        "{model} (the starter model)\n"
        "                  It shows that everything works, and its answers are weak.\n"
        "                  For a real one, set LLM_MODEL_FILE to a GGUF file and start again.",
        "{model} (le modèle de départ)\n"
        "                  Il montre que tout fonctionne, et ses réponses sont faibles.\n"
        "                  Pour un vrai modèle, donnez un fichier GGUF par LLM_MODEL_FILE et relancez.",
    ),
    "unknown": ("could not be asked", "n'a pas pu être demandé"),
}


class Teller(Protocol):
    def tell(self, event: str, text: str, **values: object) -> None: ...


class Announcement:
    """Of the service at `host`:`port`; `personality` is one to ask for the model. `model` says whether it is being
    loaded; None where somebody else runs it."""

    def __init__(
        self, host: str, port: int, personality: str, console: Teller, words: Words, model: Health | None = None
    ) -> None:
        self._base = reachable_url(host, port)
        self.url = shown_url(host, port)
        self._personality = personality
        self._console = console
        self._words = words
        self._model = model

    async def make(self) -> None:
        """Returns when it was said, which may be never."""
        # Nothing of ours is behind a proxy, whatever the environment says of the world outside.
        async with httpx.AsyncClient(base_url=self._base, trust_env=False, timeout=DEADLINE_S) as client:
            async with asyncio.TaskGroup() as tasks:
                reminding = tasks.create_task(self._remind())
                await ready(client)
                reminding.cancel()
            description = await describe(client, self._personality)
        model = str(description.get("model") or self._words("unknown"))
        shown = self._words("starter", model=model) if description.get("starter") else model
        self._console.tell("ready", self._words("ready", url=self.url, model=shown), url=self.url, model=model)

    async def _remind(self) -> None:
        began = time.monotonic()
        await asyncio.sleep(SOON_S)
        waiting_for = "loading" if await self._loading() else "starting"
        self._console.tell(waiting_for, self._words(waiting_for))
        while True:
            await asyncio.sleep(REMIND_S)
            seconds = time.monotonic() - began
            self._console.tell("still_loading", self._words("still_loading", seconds=seconds), seconds=round(seconds))

    async def _loading(self) -> bool:
        """Not where it failed, or did not begin: it listens while it loads, and says so."""
        if self._model is None:
            return False
        try:
            return await self._model.state(DEADLINE_S) == "answers"
        finally:
            await self._model.close()


async def ready(client: httpx.AsyncClient) -> None:
    """Returns when /readyz says 200. Asked again and again: between processes, nothing announces it."""
    while True:
        try:
            if (await client.get("/readyz")).status_code == httpx.codes.OK:
                return
        except httpx.HTTPError:  # not listening yet, or starting again
            pass
        await asyncio.sleep(READY_INTERVAL_S)


async def describe(client: httpx.AsyncClient, personality: str) -> dict[str, Any]:
    """What the service says of `personality`; nothing if it does not."""
    try:
        body = (await client.get(f"/describe/{personality}")).json()
    except (httpx.HTTPError, ValueError):
        return {}
    return body if isinstance(body, dict) else {}


def shown_url(host: str, port: int) -> str:
    """Where a person on this machine goes."""
    return listen_url("localhost" if is_local(host) else host, port)
