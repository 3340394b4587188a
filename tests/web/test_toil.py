"""/toil: JSON in, JSON out, also for errors."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from core.configuration.settings import Settings
from core.contract import Task, ToilResult, Usage
from core.errors import BudgetExhausted, CspsError, ModelUnavailable, NonConforming, SchemaRefused
from tests.support.fake_engine import FakeEngine
from tests.web.support_site import Site, site

JSON = {"Content-Type": "application/json"}
SCHEMA = {"type": "object", "properties": {"answer": {"type": "integer"}}}


async def test_response_is_the_value(whisper: Site) -> None:
    """The body is the value itself."""
    async with whisper.http.post("/toil/whisper", json={"prompt": "Six by seven?", "schema": SCHEMA}) as response:
        assert (response.status, response.content_type) == (200, "application/json")
        assert await response.json() == {"answer": 42}

    [task] = whisper.engine.tasks
    assert (task.personality, task.prompt, task.schema) == ("whisper", "Six by seven?", SCHEMA)


async def test_a_header_names_the_receipt(own_settings: Settings) -> None:
    """A value whose receipt is not kept has no such header."""
    kept = ToilResult({"answer": 42}, "fake-model", Usage(), receipt="r1")
    for toiled, header in ((kept, "r1"), ({"answer": 42}, None)):
        async with (
            site(own_settings, FakeEngine(toiled=toiled)) as running,
            running.http.post("/toil/whisper", json={"prompt": "Hi"}) as response,
        ):
            assert response.headers.get("X-Receipt") == header


@pytest.mark.parametrize("schema", [None, True, False, {}])
async def test_schema_may_be_a_boolean_or_null(whisper: Site, schema: Any) -> None:
    """null means no schema."""
    async with whisper.http.post("/toil/whisper", json={"prompt": "Hi", "schema": schema}) as response:
        assert response.status == 200

    assert [schema] == [task.schema for task in whisper.engine.tasks]


async def test_schema_is_optional(whisper: Site) -> None:
    """Without it, any JSON object is allowed."""
    async with whisper.http.post("/toil/whisper", json={"prompt": "Hi"}) as response:
        assert response.status == 200

    assert [task.schema for task in whisper.engine.tasks] == [None]


@pytest.mark.parametrize("value", [1.5, "é", ["a", None], {"a": {"b": False}}, "\ud800", 0])
async def test_each_value_is_well_formed_json(own_settings: Settings, value: Any) -> None:
    """This includes text that UTF-8 cannot encode."""
    async with (
        site(own_settings, FakeEngine(toiled=lambda _task: value)) as running,
        running.http.post("/toil/whisper", json={"prompt": "Hi"}) as response,
    ):
        assert value == json.loads(await response.read())


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (SchemaRefused("`contains` cannot be held"), 422),
        (BudgetExhausted("the JSON was not whole"), 422),
        (NonConforming("at answer: not an integer"), 422),
        (ModelUnavailable("no model", retry_after_s=1.2), 503),
    ],
)
async def test_failures_are_problem_details(own_settings: Settings, failure: CspsError, status: int) -> None:
    """RFC 9457, with our code."""
    async with (
        site(own_settings, FakeEngine(toiled=failure)) as running,
        running.http.post("/toil/whisper", json={"prompt": "Hi"}) as response,
    ):
        assert (status, "application/problem+json") == (response.status, response.content_type)
        problem = await response.json(content_type=None)

    assert {"status": status, "code": failure.code, "detail": failure.message, "type": "about:blank"} == {
        key: problem[key] for key in ("status", "code", "detail", "type")
    }
    assert problem["title"]
    assert ("2" if status == 503 else None) == response.headers.get("Retry-After")


async def test_defect_is_a_500_without_its_message(own_settings: Settings) -> None:
    """The error has the form of the route."""

    def broken(_task: Task) -> Any:
        raise KeyError("the secret")

    async with (
        site(own_settings, FakeEngine(toiled=broken)) as running,
        running.http.post("/toil/whisper", json={"prompt": "Hi"}) as response,
    ):
        assert (response.status, response.content_type) == (500, "application/problem+json")
        assert "secret" not in await response.text()


@pytest.mark.parametrize(
    ("body", "headers", "status", "fragment"),
    [
        (b"", JSON, 400, "not valid JSON"),
        (b"{", JSON, 400, "not valid JSON"),
        (b"[]", JSON, 400, "object"),
        (b'"Hi"', JSON, 400, "object"),
        (b"{}", JSON, 400, "`prompt`"),
        (b'{"prompt": ""}', JSON, 400, "`prompt`"),
        (b'{"prompt": null}', JSON, 400, "`prompt`"),
        (b'{"prompt": 1}', JSON, 400, "`prompt`"),
        (b'{"prompt": "a", "schema": "b"}', JSON, 400, "`schema"),
        (b'{"prompt": "a", "schema": []}', JSON, 400, "`schema"),
        (b'{"prompt": "a", "schema": 1}', JSON, 400, "`schema"),
        (b'{"prompt": "a", "json_schema": {}}', JSON, 400, "`json_schema`"),
        (b'{"prompt": "a", "colour": 1}', JSON, 400, "`colour`"),
        (b'{"prompt": "a", "prompt": "b"}', JSON, 400, "twice"),
        (b'{"prompt": "a", "schema": {"const": NaN}}', JSON, 400, "NaN"),
        (b'{"prompt": "a", "schema": {"const": 1e999}}', JSON, 400, "range"),
        (b'{"prompt": "\xff"}', JSON, 400, "UTF-8"),
        (b'{"prompt": "\\ud800"}', JSON, 400, "surrogate"),
        (b'{"prompt": "a", "schema": ' + b'{"not":' * 500 + b"{}" + b"}" * 500 + b"}", JSON, 400, "nested"),
        (b"[" * 900_000, JSON, 400, "nested"),
        (b'{"prompt": "' + b"a" * 1_100_000 + b'"}', JSON, 413, "1048576"),
        (b'{"prompt": "a"}', {"Content-Type": "text/plain"}, 415, "application/json"),
        (b'{"prompt": "a"}', {"Content-Type": "application/x-www-form-urlencoded"}, 415, "application/json"),
        (b'{"prompt": "a"}', {**JSON, "Content-Encoding": "gzip"}, 415, "uncompressed"),
    ],
)
async def test_invalid_bodies_are_refused(
    whisper: Site, body: bytes, headers: dict[str, str], status: int, fragment: str
) -> None:
    """The problem names the error, and the engine is not called."""
    async with whisper.http.post("/toil/whisper", data=io.BytesIO(body), headers=headers) as response:
        problem = await response.json(content_type="application/problem+json")

    assert (status, status) == (response.status, problem["status"])
    assert fragment in problem["detail"]
    assert whisper.engine.tasks == []


async def test_unknown_personality_is_404(whisper: Site) -> None:
    """The problem lists the existing personalities."""
    async with whisper.http.post("/toil/nobody", json={"prompt": "Hi"}) as response:
        problem = await response.json(content_type="application/problem+json")

    assert (response.status, problem["code"]) == (404, "personality_unknown")
    assert "whisper, chuchotte" in problem["detail"]


async def test_get_is_405(whisper: Site) -> None:
    """The response lists the allowed methods."""
    async with whisper.http.get("/toil/whisper") as response:
        problem = await response.json(content_type="application/problem+json")

    assert (response.status, response.headers["Allow"], problem["code"]) == (405, "POST", "method_refused")


async def test_optional_fields_reach_the_engine(whisper: Site) -> None:
    """Text (as an attachment, because it is data), session and sampling."""
    fields = {"prompt": "Sum up.", "text": "Snow.", "session": "web:x", "seed": 7, "max_tokens": 9, "temperature": 0}
    async with whisper.http.post("/toil/whisper", json=fields) as response:
        assert response.status == 200

    [task] = whisper.engine.tasks
    assert [("text", "Snow.")] == [(each.name, each.text) for each in task.attachments]
    assert ("web:x", 7, 9, 0) == (
        task.conversation,
        task.sampling.seed,
        task.sampling.max_tokens,
        task.sampling.temperature,
    )


async def test_conversation_of_a_platform_is_no_session(whisper: Site) -> None:
    """Its id can be guessed, and would show a channel's conversation to anybody."""
    fields = {"prompt": "Sum up.", "session": "slack:T1:C2:1712.5"}
    async with whisper.http.post("/toil/whisper", json=fields) as response:
        assert (response.status, (await response.json(content_type=None))["code"]) == (404, "session_unknown")

    assert whisper.engine.tasks == []


@pytest.mark.parametrize("wrong", [{"seed": "7"}, {"max_tokens": 0}, {"temperature": -1}, {"stream": 1}, {"text": 5}])
async def test_invalid_field_is_named(whisper: Site, wrong: dict[str, Any]) -> None:
    """400 with the field's name."""
    async with whisper.http.post("/toil/whisper", json={"prompt": "Hi", **wrong}) as response:
        assert response.status == 400
        assert next(iter(wrong)) in (await response.json(content_type=None))["detail"]


def parse_events(body: str) -> list[tuple[str, Any]]:
    blocks = [block.splitlines() for block in body.split("\n\n") if block]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]


async def test_stream_ends_with_the_value(whisper: Site) -> None:
    """Text while it is generated, `again` where it is void, then the validated value."""
    async with whisper.http.post("/toil/whisper", json={"prompt": "Hi", "stream": True}) as response:
        assert (200, "text/event-stream") == (response.status, response.content_type)
        events = parse_events(await response.text())

    names = [name for name, _ in events]
    begun = len(names) - names[::-1].index("again")
    assert '{"answer": 42}' == "".join(data["text"] for name, data in events[begun:] if name == "text")
    assert ("value", {"answer": 42}) == (names[-1], events[-1][1]["value"])
    assert ("status", {"state": "queued", "position": 1}) in events


async def test_failure_before_the_first_event_has_a_status(own_settings: Settings) -> None:
    """A refused schema is 422, streamed or not."""
    async with (
        site(own_settings, FakeEngine(toiled=SchemaRefused("`$ref` is remote"))) as running,
        running.http.post("/toil/whisper", json={"prompt": "Hi", "stream": True}) as response,
    ):
        assert (422, "application/problem+json") == (response.status, response.content_type)


async def test_check_reports_each_keyword(whisper: Site) -> None:
    """`/check` returns the path and outcome of each keyword, and whether the schema is accepted."""
    async with whisper.http.post("/toil/whisper/check", json={"schema": {"type": "object"}}) as response:
        good = await response.json()
    async with whisper.http.post("/toil/whisper/check", json={"schema": {"$ref": "https://example.org"}}) as response:
        bad = await response.json()

    assert {
        "accepted": True,
        "keywords": [{"path": "/type", "keyword": "type", "outcome": "enforced", "why": None}],
    } == good
    assert bad["accepted"] is False


async def test_check_needs_a_schema(whisper: Site) -> None:
    """Without a schema, `/check` is 400."""
    async with whisper.http.post("/toil/whisper/check", json={}) as response:
        assert response.status == 400
