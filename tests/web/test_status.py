"""Descriptions, health and metrics."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.configuration.settings import Settings
from core.contract import Description, ModelProgress
from core.errors import CspsError, ModelUnavailable, StorageError
from tests.support.fake_engine import SUGGESTIONS, FakeEngine
from tests.web.support_site import Site, receive_answer, site


class PartlyAwayEngine(FakeEngine):
    """The models of some personalities do not answer."""

    away: tuple[str, ...] = ("whisper",)

    async def describe(self, personality: str, wait_s: float = 0) -> Description:
        described = await super().describe(personality)
        if personality in self.away:
            return replace(described, model=None, starter=None, context_window=None)
        return described


async def test_describe_one_personality(whisper: Site) -> None:
    """The texts for people, and the model that answers."""
    async with whisper.http.get("/describe/chuchotte") as response:
        described = await response.json()

    assert described == {
        "personality": "chuchotte",
        "title": "Chuchotte",
        "language": "fr",
        "description": {"en": "About chuchotte", "fr": "À propos de chuchotte"},
        "greeting": "Bonjour !",
        "model": "fake-model",
        "starter": True,
        "next_model": None,
        "context_window": 4096,
        "suggestions": list(SUGGESTIONS["fr"]),
    }


async def test_describe_all_personalities(whisper: Site) -> None:
    """They are in the engine's order."""
    async with whisper.http.get("/describe") as response:
        personalities = (await response.json())["personalities"]

    assert [each["personality"] for each in personalities] == ["whisper", "chuchotte"]


async def test_describe_without_a_model(own_settings: Settings) -> None:
    """The model's fields are null; the others are set, alone and in the list."""
    async with site(own_settings, PartlyAwayEngine()) as running:
        async with running.http.get("/describe/whisper") as response:
            alone = await response.json()
        async with running.http.get("/describe") as response:
            personalities = (await response.json())["personalities"]

    assert (alone["title"], alone["greeting"]) == ("Whisper", "Hello!")
    assert (alone["model"], alone["starter"], alone["context_window"]) == (None, None, None)
    assert alone == personalities[0]
    assert [each["model"] for each in personalities] == [None, "fake-model"]


async def test_describe_unknown_personality_is_404(whisper: Site) -> None:
    """The problem lists the existing personalities."""
    async with whisper.http.get("/describe/nobody") as response:
        problem = await response.json(content_type="application/problem+json")

    assert (response.status, problem["code"]) == (404, "personality_unknown")
    assert "whisper" in problem["detail"]


async def test_healthz_and_readyz_are_200(whisper: Site) -> None:
    """Both are JSON. /readyz names the models that answer."""
    ready = {"status": "ready", "models": ["fake-model"], "next_models": []}
    for path, report in (("/healthz", {"status": "ok"}), ("/readyz", ready)):
        async with whisper.http.get(path) as response:
            assert (200, report) == (response.status, await response.json())


async def test_readyz_is_200_while_another_model_is_downloaded(own_settings: Settings) -> None:
    """The starter answers meanwhile. The report has the progress once, though two personalities wait for it."""
    engine = FakeEngine()
    engine.next_model = ModelProgress("Large 8B", "failed", 5, 10, problem="the hub cannot be reached")
    async with site(own_settings, engine) as running, running.http.get("/readyz") as response:
        report = await response.json()

    assert (response.status, report["models"]) == (200, ["fake-model"])
    assert report["next_models"] == [
        {
            "title": "Large 8B",
            "state": "failed",
            "done_bytes": 5,
            "total_bytes": 10,
            "expected_s": None,
            "problem": "the hub cannot be reached",
        }
    ]


@pytest.mark.parametrize("reason", [ModelUnavailable("the model loads"), StorageError("the disk is full")])
async def test_readyz_is_503_with_the_reason(own_settings: Settings, reason: CspsError) -> None:
    """/healthz stays 200."""
    async with site(own_settings, FakeEngine(unready=reason)) as running:
        async with running.http.get("/readyz") as response:
            problem = await response.json(content_type="application/problem+json")
            assert (503, reason.code, reason.message) == (response.status, problem["code"], problem["detail"])
        async with running.http.get("/healthz") as response:
            assert response.status == 200


async def test_readyz_is_503_while_stopping(whisper: Site) -> None:
    """A load balancer learns it before the last answer ends."""
    whisper.service.gate.stop()
    async with whisper.http.get("/readyz") as response:
        assert (response.status, (await response.json(content_type=None))["code"]) == (503, "stopping")
    async with whisper.http.get("/healthz") as response:
        assert response.status == 200


async def test_health_answers_for_any_host_name(whisper: Site) -> None:
    """Probes use addresses that browsers never use."""
    for path in ("/healthz", "/readyz"):
        async with whisper.http.get(path, headers={"Host": "10.9.8.7", "Origin": "https://probe.example"}) as response:
            assert response.status == 200


async def test_metrics_hold_no_text_of_a_person(whisper: Site) -> None:
    """Counts by route pattern, method and status; a client cannot multiply the labels."""
    async with whisper.http.get("/gpt/whisper?prompt=secretive"):
        pass
    async with whisper.http.get("/nowhere/secretive"):
        pass
    async with whisper.http.request("PROPFIND", "/gpt/whisper"):
        pass
    async with whisper.plain() as socket:
        await socket.send_str("secretive")
        await receive_answer(socket)
    async with whisper.http.get("/metrics") as response:
        text = await response.text()

    assert response.headers["Content-Type"].startswith("text/plain")
    assert 'csps_web_requests_total{method="GET",route="/gpt/{personality}",status="200"} 1.0' in text
    assert 'csps_web_requests_total{method="GET",route="unknown",status="404"} 1.0' in text
    assert 'csps_web_requests_total{method="other",route="unknown",status="405"} 1.0' in text
    assert 'csps_web_tokens_total{kind="completion"} 6.0' in text
    assert 'csps_web_answers_total{model="fake-model"} 2.0' in text
    assert "secretive" not in text.lower()
