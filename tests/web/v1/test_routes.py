"""The paths of /v1, and the headers and queries that clients add."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from openai import AsyncAzureOpenAI, AsyncOpenAI

from core.configuration.settings import Settings
from tests.web.support_site import Site, site
from tests.web.v1.support_openai import HI, build_client

ASK: dict[str, Any] = {"model": "whisper", "messages": HI}


@pytest.mark.parametrize(
    ("path", "remedy"),
    [
        ("/v1/completions", "/v1/chat/completions"),
        ("/v1/completions/", "/v1/chat/completions"),
        ("/v1/batches", "csps-llm toil run --openai"),
        ("/v1/files/f-1/content", "/read"),
        ("/v1/audio/transcriptions", "text alone"),
        ("/v1/assistants", "stores nothing"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_other_paths_of_openai_say_what_to_use(whisper: Site, method: str, path: str, remedy: str) -> None:
    """404 in OpenAI's format."""
    async with whisper.http.request(method, path, json={"prompt": "x"}) as response:
        error = (await response.json())["error"]

    assert (404, "path_unknown") == (response.status, error["code"])
    assert remedy in error["message"]


async def test_legacy_completions_with_the_client(client: AsyncOpenAI) -> None:
    """Its exception carries the remedy."""
    with pytest.raises(openai.NotFoundError, match="/v1/chat/completions"):
        await client.completions.create(model="whisper", prompt="Once")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions/", ASK),
        ("/v1/responses/", {"model": "whisper", "input": "Hi"}),
        ("/openai/deployments/whisper/chat/completions/", {"messages": HI}),
    ],
)
async def test_a_slash_at_the_end_is_accepted(whisper: Site, path: str, body: dict[str, Any]) -> None:
    """Some clients append one."""
    async with whisper.http.post(path, json=body) as response:
        assert response.status == 200


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/", "/v1/models/whisper"])
async def test_models_have_heads(whisper: Site, path: str) -> None:
    """Clients test a connection so."""
    async with whisper.http.head(path) as response:
        assert response.status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
async def test_other_methods_are_refused_with_the_right_one(whisper: Site, method: str) -> None:
    """The header Allow tells it."""
    async with whisper.http.request(method, "/v1/chat/completions") as response:
        assert (response.status, response.headers["Allow"]) == (405, "OPTIONS, POST")


@pytest.mark.parametrize(
    "path", ["/chat/completions", "/v1/v1/chat/completions", "/models", "/embeddings", "/responses", "/completions"]
)
async def test_a_wrong_base_url_is_explained(whisper: Site, path: str) -> None:
    """In OpenAI's format, which the client shows."""
    async with whisper.http.post(path, json=ASK) as response:
        error = (await response.json())["error"]

    assert response.status == 404
    assert "must end in /v1" in error["message"]


ORIGIN = "https://chat.example"
PREFLIGHT = {
    "Origin": ORIGIN,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type,x-stainless-lang",
}


async def test_pages_of_allowed_origins_may_read_answers(own_settings: Settings) -> None:
    """The preflight allows the client's headers; streams and errors can be read as well; no credentials are allowed."""
    async with site(own_settings, origins=(ORIGIN,)) as running:
        async with running.http.options("/v1/chat/completions", headers=PREFLIGHT) as response:
            preflight = response
        origins = [preflight.headers["Access-Control-Allow-Origin"]]
        for body in (ASK, {**ASK, "stream": True}, {**ASK, "temperature": 9}):
            async with running.http.post("/v1/chat/completions", json=body, headers={"Origin": ORIGIN}) as response:
                origins.append(response.headers["Access-Control-Allow-Origin"])
                assert "Origin" in response.headers["Vary"]

    assert origins == [ORIGIN] * 4
    assert (preflight.status, preflight.headers["Access-Control-Allow-Methods"]) == (204, "POST, OPTIONS")
    assert preflight.headers["Access-Control-Allow-Headers"] == PREFLIGHT["Access-Control-Request-Headers"]
    assert "Access-Control-Allow-Credentials" not in preflight.headers


@pytest.mark.parametrize("method", ["OPTIONS", "POST"])
async def test_pages_of_other_origins_may_not(own_settings: Settings, method: str) -> None:
    """They are refused, and get no header that would allow them to read why."""
    async with site(own_settings, origins=(ORIGIN,)) as running:
        headers = {**PREFLIGHT, "Origin": "https://evil.example"}
        async with running.http.request(method, "/v1/chat/completions", json=ASK, headers=headers) as response:
            assert response.status == 403
            assert not any(name.startswith("Access-Control") for name in response.headers)
    assert running.engine.prompts == []


async def test_other_paths_are_not_shared(own_settings: Settings) -> None:
    """Only /v1 is for other programs."""
    async with (
        site(own_settings, origins=(ORIGIN,)) as running,
        running.http.get("/describe", headers={"Origin": ORIGIN}) as response,
    ):
        assert "Access-Control-Allow-Origin" not in response.headers


async def test_programs_may_ask_for_the_methods(whisper: Site) -> None:
    """OPTIONS without an origin answers with Allow alone."""
    async with whisper.http.options("/v1/models") as response:
        assert (response.status, response.headers["Allow"]) == (204, "GET, HEAD, OPTIONS")
        assert "Access-Control-Allow-Methods" not in response.headers


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer sk-anything"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic eDp5"},
        {"api-key": "azure", "OpenAI-Organization": "org-1", "OpenAI-Project": "p", "OpenAI-Beta": "assistants=v2"},
        {"x-stainless-lang": "js", "x-stainless-retry-count": "0", "HTTP-Referer": "https://a.example", "X-Title": "a"},
    ],
)
async def test_any_key_and_any_headers_are_accepted(whisper: Site, headers: dict[str, str]) -> None:
    """Clients demand a key from their users; this service asks for none."""
    async with whisper.http.post("/v1/chat/completions?api-version=2026-01-01", json=ASK, headers=headers) as response:
        assert response.status == 200


@pytest.mark.parametrize("address", [{"base_url": "v1"}, {"azure_endpoint": ""}])
async def test_azures_client(whisper: Site, address: dict[str, Any]) -> None:
    """It puts the model into the path, too; errors have OpenAI's format."""
    options = {name: whisper.url + path for name, path in address.items()}
    async with AsyncAzureOpenAI(**options, api_key="x", api_version="2026-01-01", max_retries=0) as client:
        completion = await client.chat.completions.create(**ASK)
        response = await client.responses.create(model="whisper", input="Hi")
        listed = [model.id async for model in client.models.list()]
        with pytest.raises(openai.NotFoundError) as failure:
            await client.embeddings.create(model="text-embedding-3-small", input="x")

    assert "whisper" in listed
    assert completion.choices[0].message.content == response.output_text == "Hello world."
    assert failure.value.code == "model_not_found"


async def test_azures_present_base_url(whisper: Site) -> None:
    """It ends in /openai/v1, and has what /v1 has."""
    async with AsyncOpenAI(base_url=f"{whisper.url}openai/v1/", api_key="x", max_retries=0) as client:
        completion = await client.chat.completions.create(**ASK)
        response = await client.responses.create(model="whisper", input="Hi")
        model = await client.models.retrieve("whisper")
        with pytest.raises(openai.NotFoundError, match="/v1/chat/completions"):
            await client.completions.create(model="whisper", prompt="Once")

    assert completion.choices[0].message.content == response.output_text == "Hello world."
    assert model.id == "whisper"


@pytest.mark.parametrize("path", ["/v1", "/v1/"])
async def test_the_base_url_alone_says_what_is_there(whisper: Site, path: str) -> None:
    """People open it to see whether the service answers."""
    async with whisper.http.get(path) as response:
        error = (await response.json())["error"]

    assert (404, "path_unknown") == (response.status, error["code"])
    assert "/v1/models" in error["message"]


async def test_azures_own_requests_name_the_model_in_the_path_alone(whisper: Site) -> None:
    """The path stands for the field."""
    async with whisper.http.post("/openai/deployments/whisper/chat/completions", json={"messages": HI}) as response:
        assert (response.status, (await response.json())["model"]) == (200, "whisper")


async def test_organisation_and_project_of_the_client(whisper: Site) -> None:
    """They have no meaning here."""
    async with build_client(whisper, organization="org-1", project="proj-1") as client:
        assert (await client.chat.completions.create(**ASK)).choices
