"""OpenAI's own client of a site, and what most tests send."""

from __future__ import annotations

from typing import Any

from openai import AsyncOpenAI

from core.contract import Done, Usage
from tests.web.support_site import Site

HI: list[Any] = [{"role": "user", "content": "Hi"}]
DONE = Done("stop", "fake-model", Usage(7, 3, 2))


def build_client(running: Site, **options: Any) -> AsyncOpenAI:
    return AsyncOpenAI(**{"base_url": f"{running.url}v1", "api_key": "none", "max_retries": 0, **options})
