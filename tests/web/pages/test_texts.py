"""The page formats texts and their values as Python does, from the same files."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from core.texts import LANGUAGES, text
from tests.web.pages.support_visit import DONE, Visiting

pytestmark = pytest.mark.asyncio(loop_scope="package")  # the browser lives in that loop
FORMAT = """async (calls) => {
  const { loadTexts, text } = await import('/static/interface/texts.js');
  await Promise.all(['en', 'fr'].map(loadTexts));
  return calls.map(([key, language, { day, ...values }]) =>
    text(key, language, day ? { day: new Date(`${day}T14:05`) } : values));
}"""
VALUES: list[tuple[str, dict[str, Any]]] = [
    *(("page-file-too-large", {"limit": size}) for size in (1, 1023, 1536, 1_048_575, 8_388_608, 5 * 2**40)),
    *(("page-queued-wait", {"seconds": s}) for s in (0.2, 1, 59.6, 65, 3599.9, 3630, 3700, 86_399, 200_000)),
    *(("page-source-fetched", {"day": day}) for day in ("2026-07-01", "2026-11-11", "2026-01-31")),
    *(("page-file-read", {"characters": count}) for count in (0, 1, 2, 1_234_567)),
]


async def test_the_page_and_python_write_values_alike(visiting: Visiting) -> None:
    calls = [(key, language, values) for language in LANGUAGES for key, values in VALUES]
    async with visiting([DONE]) as visit:
        shown = await visit.page.evaluate(FORMAT, calls)

    assert [text(key, language, **as_python(values)) for key, language, values in calls] == shown


def as_python(values: dict[str, Any]) -> dict[str, Any]:
    return {"day": datetime.datetime.fromisoformat(f"{values['day']}T14:05")} if "day" in values else values
