"""One row's outcome: a value, a typed failure, or the end of the batch."""

from __future__ import annotations

from typing import Any

import pytest

from core.contract import Attachment, Done, Source, Text, ToilResult, Usage
from core.errors import BadRequest, CspsError, ModelUnavailable, NonConforming, Overloaded, Stopping
from core.toil.batch.answers import ModelGone, Outcome, RowRetryPolicy, ToilAnswers
from core.toil.batch.job import Job
from core.toil.batch.openai_lines import OpenAiAnswers, UniqueIds, line_error_code, line_number
from core.toil.batch.rows import Row, UnreadableRow
from tests.support.fake_engine import FakeEngine
from tests.support.strict_openai import parse_response

AT_ONCE = RowRetryPolicy(attempts=3, first_s=0, limit_s=0)
ROW = Row(5, {"id": "a", "prompt": "Hi"})


async def answer_row(engine: FakeEngine, row: Row | UnreadableRow = ROW) -> Outcome:
    return await ToilAnswers(engine, Job("whisper"), AT_ONCE).answer(row)


async def test_value_has_row_number_and_id() -> None:
    """The output line holds the row's number, its id and the value."""
    outcome = await answer_row(FakeEngine(toiled=ToilResult({"a": 1}, "m", Usage(3, 2, 1))))

    assert Outcome(5, {"row": 5, "id": "a", "value": {"a": 1}}, None, Usage(3, 2, 1)) == outcome


@pytest.mark.parametrize(
    ("row", "failure", "code"),
    [
        (ROW, NonConforming("it does not"), "non_conforming"),
        (ROW, KeyError("the person's words"), "internal"),
        (Row(5, {"prompt": " "}), None, "bad_request"),
        (Row(5, {"nothing": 1}), None, "bad_request"),
        (UnreadableRow(5, BadRequest("not JSON")), None, "bad_request"),
    ],
)
async def test_failure_becomes_an_outcome_with_its_code(row: Row | UnreadableRow, failure: Any, code: str) -> None:
    """The line has the row's number and an error code; a defect's own message stays out of it."""
    outcome = await answer_row(FakeEngine(toiled=failure), row)

    error: Any = outcome.line["error"]
    assert (5, code, code) == (outcome.line["row"], outcome.code, error["code"])
    assert "person" not in error["message"]


async def test_busy_or_missing_model_is_retried() -> None:
    """Overloaded and ModelUnavailable are retried."""
    failures: list[Any] = [Overloaded("busy", retry_after_s=99), ModelUnavailable("away")]
    engine = FakeEngine(toiled=lambda _task: failures.pop(0) if failures else {"a": 1})

    assert {"a": 1} == (await answer_row(engine)).line["value"]
    assert 3 == len(engine.tasks)


async def test_row_that_kills_the_model_fails_alone() -> None:
    """If the model is ready again, only this row fails."""
    assert "model_unavailable" == (await answer_row(FakeEngine(toiled=ModelUnavailable("died")))).code


@pytest.mark.parametrize("failure", [ModelUnavailable("away"), Overloaded("busy"), Stopping("stopping")])
async def test_missing_model_ends_the_batch(failure: CspsError) -> None:
    """The row gets no outcome, so that the batch can be resumed."""
    with pytest.raises(ModelGone):
        await answer_row(FakeEngine(toiled=failure, unready=ModelUnavailable("nobody there")))


def test_pauses_double_and_respect_retry_after() -> None:
    """Pauses double up to a limit and are never shorter than Retry-After."""
    policy = RowRetryPolicy(first_s=1, limit_s=8)

    assert 1 <= policy.pause_after(1, Overloaded("x")) <= 1.25
    assert 4 <= policy.pause_after(3, Overloaded("x")) <= 5
    assert 8 <= policy.pause_after(10, Overloaded("x", retry_after_s=1000)) <= 10
    assert 6 <= policy.pause_after(1, Overloaded("x", retry_after_s=6)) <= 7.5


def request_line(**body: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": "Hi"}]
    return {
        "custom_id": "c-1",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {"model": "whisper", "messages": messages, **body},
    }


async def openai(engine: FakeEngine, fields: dict[str, Any]) -> dict[str, Any]:
    return (await OpenAiAnswers(engine, "me", AT_ONCE).answer(Row(12, fields))).line


async def test_openai_response_holds_a_chat_completion() -> None:
    """The response has the form of OpenAI's Batch file format."""
    engine = FakeEngine([Text("Hel"), Text("lo"), Done("length", "m", Usage(7, 3, 2))])
    line = await openai(engine, request_line(seed=4))

    assert ("c-1", 200, None) == (line["custom_id"], line["response"]["status_code"], line["error"])
    assert line["response"]["request_id"]
    body = line["response"]["body"]
    assert ("chat.completion", "whisper", 10) == (body["object"], body["model"], body["usage"]["total_tokens"])
    assert {"content": "Hello", "reason": "length"} == {
        "content": body["choices"][0]["message"]["content"],
        "reason": body["choices"][0]["finish_reason"],
    }
    assert (12, None, 4) == (line_number(line), line_error_code(line), engine.prompts[0].sampling.seed)


async def test_openai_line_for_the_responses_api() -> None:
    """The body is a whole response, also of a request for a stream, with files and structured output."""
    file = {"type": "input_file", "filename": "a.txt", "file_data": "data:text/plain;base64,QUJD"}
    asked = {
        "model": "whisper",
        "input": [{"role": "user", "content": [file, {"type": "input_text", "text": "Hi"}]}],
        "text": {"format": {"type": "json_object"}},
        "stream": True,
    }
    engine = FakeEngine(toiled={"a": 1})
    outcome = await OpenAiAnswers(engine, "me", AT_ONCE).answer(
        Row(12, {**request_line(), "url": "/v1/responses", "body": asked})
    )

    body: Any = outcome.line["response"]["body"]  # type: ignore[index, call-overload]
    assert parse_response(body).output_text == '{"a": 1}'
    assert outcome.usage == Usage(7, 3, 0)
    assert engine.tasks[0].attachments == (Attachment("a.txt", "ABC"),)


async def test_rows_let_people_go_first() -> None:
    """Every row's request is marked as a batch's, whatever its form."""
    engine = FakeEngine([Text("Hello"), Done("stop", "m", Usage())])
    await answer_row(engine)
    await openai(engine, request_line())
    await openai(engine, request_line(response_format={"type": "json_object"}))

    assert [each.priority for each in (*engine.tasks, *engine.prompts)] == ["batch"] * 3


async def test_openai_response_has_citations() -> None:
    """The message has annotations, as over HTTP."""
    engine = FakeEngine([Source(1, "Pool", "https://x/pool"), Text("Green."), Done("stop", "m", Usage())])
    message = (await openai(engine, request_line()))["response"]["body"]["choices"][0]["message"]

    assert message["content"].endswith("[1] Pool – https://x/pool")
    assert ["https://x/pool"] == [each["url_citation"]["url"] for each in message["annotations"]]


async def test_openai_request_with_several_answers_and_a_file() -> None:
    """A line has all that a request over HTTP has; `stream` means nothing in a file."""
    engine = FakeEngine([Text("Hello"), Done("stop", "m", Usage(7, 3, 2))])
    file = {"type": "file", "file": {"filename": "a.txt", "file_data": "data:text/plain;base64,QUJD"}}
    messages = [{"role": "user", "content": [file, {"type": "text", "text": "Hi"}]}]
    body = (await openai(engine, request_line(messages=messages, n=2, stream=True)))["response"]["body"]

    assert [each["message"]["content"] for each in body["choices"]] == ["Hello", "Hello"]
    assert body["usage"]["total_tokens"] == 20
    assert engine.prompts[0].attachments == (Attachment("a.txt", "ABC"),)


async def test_openai_response_format_is_answered_by_toil() -> None:
    """`response_format` becomes the schema of a toil task."""
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}
    engine = FakeEngine(toiled={"a": "é"})
    line = await openai(engine, request_line(response_format=form))

    assert '{"a": "é"}' == line["response"]["body"]["choices"][0]["message"]["content"]
    assert {"type": "object"} == engine.tasks[0].schema


@pytest.mark.parametrize(
    ("fields", "status", "code", "fragment"),
    [
        (request_line(tools=[{}]), 400, "bad_request", "tools"),
        (request_line(model="nobody"), 404, "model_not_found", "nobody"),
        ({**request_line(), "url": "/v1/responses"}, 400, "bad_request", "`input`"),
        ({**request_line(), "url": "/v1/embeddings"}, 400, "bad_request", "url"),
        ({**request_line(), "method": "GET"}, 400, "bad_request", "method"),
        ({"custom_id": "c-1"}, 400, "bad_request", "method"),
    ],
)
async def test_openai_refusal_has_http_status_and_error_object(
    fields: dict[str, Any], status: int, code: str, fragment: str
) -> None:
    """The response has the status of HTTP and OpenAI's error object."""
    line = await openai(FakeEngine(), fields)

    assert ("c-1", status) == (line["custom_id"], line["response"]["status_code"])
    assert (code, code) == (line["response"]["body"]["error"]["code"], line_error_code(line))
    assert fragment in line["response"]["body"]["error"]["message"]


def test_repeated_custom_id_is_refused() -> None:
    """The error names both lines."""
    unique = UniqueIds()
    unique.check(Row(1, {"custom_id": "a"}))
    unique.check(Row(2, {"custom_id": "b"}))
    unique.check(UnreadableRow(3, BadRequest("x")))
    with pytest.raises(BadRequest, match="lines 1 and 4"):
        unique.check(Row(4, {"custom_id": "a"}))
