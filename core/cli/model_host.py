"""Asks the running model host which models it serves, and in which state they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from core.configuration.settings import Settings
from core.model.client import local_url
from core.model.library.download.progress import DownloadProgress, DownloadState

DEADLINE_S = 2.0


@dataclass(frozen=True, slots=True)
class ServedModel:
    """One entry of the host's /v1/models. `progress`: of its download, while there is one or after it failed."""

    id: str
    title: str
    state: str  # loaded, loading, available, downloading or failed
    starter: bool
    progress: DownloadProgress | None


async def fetch_served(settings: Settings) -> tuple[ServedModel, ...] | None:
    """Returns the models, the default one first; None if no host answers."""
    if settings.model.url:
        return None
    async with open_host(settings) as client:
        try:
            answer = await client.get("/v1/models")
            return parse_served(answer.json())
        except (httpx.HTTPError, ValueError, TypeError, KeyError):
            return None


def open_host(settings: Settings) -> httpx.AsyncClient:
    """Returns a client of the local host."""
    model = settings.model
    headers = {"Authorization": f"Bearer {model.api_key.get_secret_value()}"} if model.api_key else {}
    if model.listen:
        return httpx.AsyncClient(base_url=local_url(model.listen), trust_env=False, headers=headers, timeout=DEADLINE_S)
    transport = httpx.AsyncHTTPTransport(uds=str(settings.model_socket))
    return httpx.AsyncClient(base_url="http://model", transport=transport, headers=headers, timeout=DEADLINE_S)


def parse_served(body: Any) -> tuple[ServedModel, ...]:
    """Raises ValueError, TypeError or KeyError for another form."""
    return tuple(parse_entry(entry) for entry in body["data"])


def parse_entry(entry: Any) -> ServedModel:
    state = str(entry.get("state", "loaded"))
    progress = parse_download(entry["download"], state) if entry.get("download") else None
    return ServedModel(
        id=str(entry["id"]),
        title=str(entry.get("title") or entry["id"]),
        state=state,
        starter=bool(entry.get("starter")),
        progress=progress,
    )


def parse_download(download: Any, state: str) -> DownloadProgress:
    problem = download.get("problem")
    done, total = int(download.get("done_bytes") or 0), int(download.get("total_bytes") or 0)
    running: DownloadState = "waiting" if problem else "checking" if 0 < total <= done else "downloading"
    return DownloadProgress(
        state="failed" if state == "failed" else running,
        done_bytes=done,
        total_bytes=total,
        bytes_per_s=float(download.get("bytes_per_s") or 0),
        expected_s=download.get("expected_s"),
        problem=problem,
        fault=download.get("fault"),
        problem_in_french=download.get("problem_in_french"),
    )
