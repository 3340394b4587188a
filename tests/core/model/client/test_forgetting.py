"""Conversations' keys: only engines of ours get them, and are asked to forget them."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.configuration.settings import Settings
from core.errors import ModelUnavailable
from core.model.client import ModelClient
from tests.core.model.client.support_engines import answer, engines
from tests.core.support_asking import pieces
from tests.support.fake_model import FakeModel

KEY = "k" * 64


async def test_only_our_own_engines_get_the_key(tmp_path: Path) -> None:
    """Others would keep it, and nobody could make them forget."""
    ours, theirs = FakeModel(), FakeModel()
    ours.owner = "csps-llm"
    for model in (ours, theirs):
        async with engines(tmp_path, model) as client:
            await answer(client, prompt_cache_key=KEY)

    assert ours.requests[0]["prompt_cache_key"] == KEY
    assert "prompt_cache_key" not in theirs.requests[0]


async def test_forgetting_reaches_all_our_engines(tmp_path: Path, own_settings: Settings) -> None:
    """The local process, and a csps-llm behind a URL; another engine is not asked."""
    local, ours, theirs = FakeModel(), FakeModel(), FakeModel()
    ours.owner = "csps-llm"
    async with local.serving(own_settings.model_socket), engines(tmp_path, ours, theirs) as client:
        client.own = ModelClient.from_settings(own_settings, {}).own
        await client.forget([KEY])

    assert (local.forgotten, ours.forgotten, theirs.forgotten) == ([KEY], [KEY], [])


async def test_a_refusal_is_raised(own_settings: Settings) -> None:
    """The caller repeats the request later."""
    model = FakeModel()
    model.forget_status = 503
    async with model.serving(own_settings.model_socket):
        client = ModelClient.from_settings(own_settings, {})
        with pytest.raises(ModelUnavailable):
            await client.forget([KEY])
        await client.close()


async def test_an_older_version_has_nothing_to_forget(own_settings: Settings) -> None:
    """It has no such endpoint, and keeps nothing on disk."""
    model = FakeModel()
    model.forget_status = 404
    async with model.serving(own_settings.model_socket):
        client = ModelClient.from_settings(own_settings, {})
        await client.forget([KEY])
        await client.close()

    assert model.forget_called.is_set()


async def test_an_engine_that_is_away_is_reported(own_settings: Settings) -> None:
    """Its conversations stay to be forgotten."""
    client = ModelClient.from_settings(own_settings, {})
    with pytest.raises(ModelUnavailable):
        await client.forget([KEY])
    with pytest.raises(ModelUnavailable):
        await pieces(client, prompt_cache_key=KEY)
    await client.close()


async def test_only_our_own_engines_must_answer(tmp_path: Path) -> None:
    """Others keep nothing: a conversation is forgotten while they are away. One of ours that is known must be there."""
    ours, theirs = FakeModel(), FakeModel()
    ours.owner = "csps-llm"
    async with engines(tmp_path, ours, theirs) as client:
        client.own = next(iter(client.pools.values()))
        await theirs.stop()
        await client.forget([KEY])
        await ours.stop()
        with pytest.raises(ModelUnavailable):
            await client.forget([KEY])

    assert set(ours.forgotten) == {KEY}
