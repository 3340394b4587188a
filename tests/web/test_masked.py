"""How the web tells that personal information was masked or refused: sockets, HTTP, /toil and /v1."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.configuration.settings import Settings
from core.contract import Masked, PersonalInformation, Task, ToilResult, Usage
from core.errors import PersonalInformationRefused
from tests.support.fake_engine import HELLO, FakeEngine
from tests.web.support_site import site

FOUND = (PersonalInformation("sin", 1), PersonalInformation("email", 2))
KINDS = [{"kind": "sin", "count": 1}, {"kind": "email", "count": 2}]
QUESTION = "Mine is [social insurance number removed]"
MASKING = (Masked(FOUND, QUESTION), *HELLO)
HEADER = "X-Personal-Information-Masked"
REFUSED = PersonalInformationRefused(FOUND)
MESSAGES = {"model": "whisper", "messages": [{"role": "user", "content": "Hi"}]}


async def test_a_socket_gets_a_frame_with_the_kinds_and_the_masked_question(own_settings: Settings) -> None:
    async with site(own_settings, FakeEngine(MASKING)) as running, running.v1() as socket:
        await socket.send_json({"type": "prompt", "text": "Mine is …", "language": "fr"})
        frames = [json.loads(await socket.receive_str()) for _ in range(2)]

    assert {"type": "masked", "kinds": KINDS, "question": QUESTION} == {
        key: value for key, value in frames[1].items() if key != "message"
    }
    assert "1 numéro d’assurance sociale, 2 adresses de courriel" in frames[1]["message"]


async def test_a_socket_gets_the_kinds_of_a_refusal(own_settings: Settings) -> None:
    async with site(own_settings, FakeEngine((REFUSED,))) as running, running.v1() as socket:
        await socket.send_json({"type": "prompt", "text": "Mine is …", "language": "en"})
        frames = [json.loads(await socket.receive_str()) for _ in range(2)]

    assert ("error", "personal_information") == (frames[1]["type"], frames[1]["code"])
    assert "1 social insurance number, 2 email addresses" in frames[1]["message"]


async def test_text_alone_begins_with_the_message(own_settings: Settings) -> None:
    """On plain sockets and in /gpt, which also has the header."""
    async with site(own_settings, FakeEngine(MASKING)) as running:
        async with running.plain() as socket:
            await socket.send_str("Mine is …")
            assert "1 social insurance number" in await socket.receive_str()
        async with running.http.get("/gpt/whisper", params={"prompt": "Mine"}) as response:
            body = await response.text()

    assert "sin=1, email=2" == response.headers[HEADER]
    assert body.startswith("Personal information was removed: 1 social insurance number")
    assert body.endswith("Hello world.")


async def test_the_form_shows_the_message(own_settings: Settings) -> None:
    async with (
        site(own_settings, FakeEngine(MASKING)) as running,
        running.http.post("/gpt", data={"personality": "whisper", "prompt": "Mine", "language": "fr"}) as response,
    ):
        assert "1 numéro d’assurance sociale" in await response.text()


async def test_toil_has_a_header_and_its_refusal_the_kinds(own_settings: Settings) -> None:
    engine = FakeEngine(toiled=ToilResult({"a": 1}, "fake-model", Usage(), FOUND))
    async with site(own_settings, engine) as running:
        async with running.http.post("/toil/whisper", json={"prompt": "Hi"}) as response:
            assert ({"a": 1}, "sin=1, email=2") == (await response.json(), response.headers[HEADER])
        engine.toiled = REFUSED
        async with running.http.post("/toil/whisper", json={"prompt": "Hi"}) as response:
            problem = await response.json()

    assert (400, "application/problem+json") == (response.status, response.content_type)
    assert ("personal_information", KINDS) == (problem["code"], problem["kinds"])


async def test_a_row_of_a_batch_names_what_was_masked(own_settings: Settings) -> None:
    def toil(task: Task) -> ToilResult:
        return ToilResult(1, "fake-model", Usage(), FOUND if task.prompt == "a" else ())

    rows = b'{"prompt": "a"}\n{"prompt": "b"}\n'
    headers = {"Content-Type": "application/x-ndjson"}
    async with (
        site(own_settings, FakeEngine(toiled=toil)) as running,
        running.http.post("/toil/whisper/batch", data=rows, headers=headers) as response,
    ):
        lines = [json.loads(line) for line in (await response.text()).splitlines()]

    assert [{"row": 1, "value": 1, "masked": KINDS}, {"row": 2, "value": 1}] == lines


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("path", "body"),
    [("/v1/chat/completions", MESSAGES), ("/v1/responses", {"model": "whisper", "input": "Hi"})],
)
async def test_openais_api_has_a_header(own_settings: Settings, path: str, body: dict[str, Any], stream: bool) -> None:
    async with (
        site(own_settings, FakeEngine(MASKING)) as running,
        running.http.post(path, json={**body, "stream": stream}) as response,
    ):
        assert "Hello" in await response.text()

    assert (200, "sin=1, email=2") == (response.status, response.headers[HEADER])


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("path", "body"),
    [("/v1/chat/completions", MESSAGES), ("/v1/responses", {"model": "whisper", "input": "Hi"})],
)
async def test_openais_api_refuses_in_its_own_form(
    own_settings: Settings, path: str, body: dict[str, Any], stream: bool
) -> None:
    async with (
        site(own_settings, FakeEngine((REFUSED,))) as running,
        running.http.post(path, json={**body, "stream": stream}) as response,
    ):
        error = (await response.json())["error"]

    assert (400, "invalid_request_error") == (response.status, error["type"])
    assert ("personal_information", KINDS) == (error["code"], error["kinds"])
