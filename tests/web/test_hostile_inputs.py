"""A few inputs of each kind of `benchmarks.hostile_inputs`, which measures what all of them do to everybody else."""

from __future__ import annotations

import pytest

from benchmarks.hostile_inputs import send
from benchmarks.hostile_requests import KINDS, HostileInput, generate_all
from core.configuration.settings import Settings
from tests.web.support_site import site

OF_EACH_KIND = 6
DOCUMENTS = "files"  # the engine reads them, and here is none; tests/core/rag/reading has its tests


def sample(kind: str) -> list[HostileInput]:
    """Inputs from all over the list of a kind."""
    every = [each for each in generate_all() if each.kind == kind]
    return every[:: max(1, len(every) // OF_EACH_KIND)]


def test_there_are_two_thousand_inputs_and_the_same_each_time() -> None:
    """A seed chooses their bytes."""
    first, again, other = list(generate_all()), list(generate_all()), list(generate_all(2))
    assert len(first) >= 2000
    assert [each.build() for each in first[:50]] == [each.build() for each in again[:50]]
    assert [each.build() for each in first[:50]] != [each.build() for each in other[:50]]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != DOCUMENTS])
async def test_hostile_inputs_are_answered(own_settings: Settings, kind: str) -> None:
    """Each gets an answer of ours below 500, and the service goes on serving."""
    async with site(own_settings, read_timeout_s=1.0) as running:
        outcomes = [await send(running.port, each) for each in sample(kind)]
        assert [] == [f"{each.input.name}: {each.fault}" for each in outcomes if each.fault]
        async with running.http.get("/healthz") as response:
            assert response.status == 200
