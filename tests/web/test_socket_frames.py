"""The two dialects of /gpt-socket, without a socket."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import PROJECT_ROOT
from core.contract import Attachment, Json, Source, Status, Text, TranscriptTurn, Usage
from core.errors import BadRequest
from web.socket_frames import (
    AnswerFailed,
    AnswerFinished,
    ForgetCommand,
    PlainDialect,
    PromptCommand,
    ResumeCommand,
    ServerMessage,
    SessionForgotten,
    SessionOpened,
    StopCommand,
    V1Dialect,
)

TRICKY = st.sampled_from(["<END>", "<ERROR> ", "<ERROR>", "<", "END>", "a", " ", "\n", "é", "<END>\n"])
PROTOCOLS = (PROJECT_ROOT / "docs" / "protocols.md").read_text()
LEAVE = Source(1, "Parental leave", "https://leave.example/", "en", datetime(2026, 7, 27, 18, 5, tzinfo=UTC))
PIECES = st.lists(st.one_of(TRICKY, st.lists(TRICKY).map("".join), st.text()))


@given(PIECES)
def test_model_text_cannot_forge_plain_markers(pieces: list[str]) -> None:
    """No frame of text reads as `<END>` or `<ERROR>`, and no text is lost or added."""
    frames = [frame for piece in pieces for frame in PlainDialect().encode(Text(piece))]

    assert "".join(pieces) == "".join(frames)
    assert [frame for frame in frames if frame == "<END>" or frame.startswith("<ERROR> ")] == []


def test_plain_dialect_encodes_messages() -> None:
    """An end is one frame, a failure two. Other messages have no frame."""
    plain = PlainDialect()

    assert plain.encode(AnswerFinished("stop", "m", "s", Usage())) == ["<END>"]
    assert plain.encode(AnswerFailed("overloaded", "It is\n full.")) == ["<ERROR> It is full.", "<END>"]
    silent = (Status("reading"), Source(1, "t"), SessionOpened("s", "p", "m", True), SessionForgotten())
    assert [plain.encode(message) for message in silent] == [[], [], [], []]


@given(st.text())
def test_each_plain_frame_is_a_prompt(text: str) -> None:
    """The prompt is the frame's whole text."""
    assert PromptCommand(text) == PlainDialect().decode(text)


def test_v1_decodes_commands() -> None:
    """Each `type` gives its command; unknown fields are ignored."""
    decode = V1Dialect().decode

    assert PromptCommand("Hi", "fr", (Attachment("a.txt", "A"),)) == decode(
        '{"type": "prompt", "text": "Hi", "language": "fr", "attachments": [{"name": "a.txt", "text": "A", "x": 1}]}'
    )
    assert PromptCommand("Hi") == decode('{"type": "prompt", "text": "Hi", "mood": "good"}')
    assert StopCommand() == decode('{"type": "stop"}')
    assert ResumeCommand("web:1") == decode('{"type": "resume", "session": "web:1"}')
    assert ForgetCommand() == decode('{"type": "forget"}')


@pytest.mark.parametrize(
    ("frame", "named"),
    [
        ("", "JSON"),
        ("hello", "JSON"),
        ("[]", "object"),
        ("{}", "type"),
        ('{"type": "sing"}', "prompt"),
        ('{"type": 1}', "type"),
        ('{"type": "prompt"}', "text"),
        ('{"type": "prompt", "text": 1}', "text"),
        ('{"type": "prompt", "text": "a", "language": "de"}', "language"),
        ('{"type": "prompt", "text": "a", "attachments": {}}', "attachments"),
        ('{"type": "prompt", "text": "a", "attachments": [{"name": "a"}]}', "attachments"),
        (json.dumps({"type": "prompt", "text": "a", "attachments": [{"name": "a", "text": "b"}] * 17}), "attachments"),
        ('{"type": "prompt", "text": "\\ud800"}', "surrogate"),
        ('{"type": "prompt", "text": "a", "text": "b"}', "twice"),
        ('{"type": "resume"}', "session"),
        ("[" * 100_000, "nested"),
    ],
)
def test_v1_refusal_names_the_error(frame: str, named: str) -> None:
    """The error names the wrong part of the frame."""
    with pytest.raises(BadRequest, match=named):
        V1Dialect().decode(frame)


def test_v1_refusal_does_not_quote_the_frame() -> None:
    """It does not quote an unknown type either: it may be a megabyte long, or a person's text."""
    with pytest.raises(BadRequest) as refusal:
        V1Dialect().decode('{"type": "secretive"}')

    assert "secretive" not in refusal.value.message


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
NEARLY_COMMANDS = st.fixed_dictionaries(
    {"type": st.sampled_from(["prompt", "stop", "resume", "forget", "x"])},
    optional=dict.fromkeys(("text", "language", "attachments", "session"), JSON_VALUES),
)


@pytest.mark.slow  # tries many cases
@given(st.one_of(st.text(), JSON_VALUES.map(json.dumps), NEARLY_COMMANDS.map(json.dumps)))
def test_v1_decoding_returns_a_command_or_raises_bad_request(frame: str) -> None:
    """No frame raises another error."""
    with suppress(BadRequest):
        assert isinstance(V1Dialect().decode(frame), (PromptCommand, StopCommand, ResumeCommand, ForgetCommand))


def test_v1_encodes_messages() -> None:
    """Each message is one object with its `type`; unknown values of a status or source are left out."""
    usage = Usage(7, 3, 2)
    expected: list[tuple[ServerMessage, Any]] = [
        (
            SessionOpened("web:1", "whisper", "m", True, (TranscriptTurn("user", "Hi"),)),
            {
                "type": "session",
                "session": "web:1",
                "personality": "whisper",
                "model": "m",
                "starter": True,
                "turns": [{"role": "user", "text": "Hi"}],
                "answering": False,
            },
        ),
        (Status("queued", position=2, wait_s=1.5), {"type": "status", "state": "queued", "position": 2, "wait_s": 1.5}),
        (Status("reading"), {"type": "status", "state": "reading"}),
        (
            Source(1, "T", "https://x.ca", "fr", datetime(2026, 1, 2, tzinfo=UTC)),
            {
                "type": "source",
                "number": 1,
                "title": "T",
                "url": "https://x.ca",
                "language": "fr",
                "fetched_at": "2026-01-02T00:00:00+00:00",
            },
        ),
        (Text("<END>"), {"type": "text", "text": "<END>"}),
        (
            AnswerFinished("stop", "m", "web:1", usage),
            {
                "type": "done",
                "reason": "stop",
                "model": "m",
                "session": "web:1",
                "usage": {"prompt_tokens": 7, "completion_tokens": 3, "cached_tokens": 2},
                "exchange": None,
                "receipt": None,
            },
        ),
        (
            AnswerFailed("overloaded", "Busy.", 5.0),
            {"type": "error", "code": "overloaded", "message": "Busy.", "retry_after_s": 5.0},
        ),
        (
            AnswerFailed("bad_request", "What?", detail="`type` is missing"),
            {
                "type": "error",
                "code": "bad_request",
                "message": "What?",
                "retry_after_s": None,
                "detail": "`type` is missing",
            },
        ),
        (SessionForgotten(), {"type": "forgotten"}),
    ]

    for message, frame in expected:
        assert [frame] == [json.loads(encoded) for encoded in V1Dialect().encode(message)]


def test_turns_match_the_documentation() -> None:
    """A turn has its attachments, sources and end reason; empty fields are left out."""
    at = datetime(2026, 7, 27, 18, 4, 56, tzinfo=UTC)
    turns = (
        TranscriptTurn("user", "How long is the leave?", attachments=("leave.pdf",), exchange=1, at=at),
        TranscriptTurn(
            "assistant",
            "Eighteen months [1].",
            sources=(LEAVE,),
            reason="stop",
            exchange=1,
            at=at,
            model="SmolLM2 135M Instruct",
        ),
    )
    documented = PROTOCOLS.partition("`turns` are")[2].partition("```json")[2].partition("```")[0]
    [frame] = V1Dialect().encode(SessionOpened("web:1", "whisper", "m", True, turns))

    assert json.loads(documented) == json.loads(frame)["turns"]


@pytest.mark.parametrize(("sent", "revises", "revised"), [(True, True, None), (3, True, 3), (False, False, None)])
def test_a_revision_may_name_its_exchange(sent: Json, revises: bool, revised: int | None) -> None:
    """`true` replaces the last exchange, whichever it is; a number only that one."""
    command = V1Dialect().decode(json.dumps({"type": "prompt", "text": "a", "revises": sent}))

    assert isinstance(command, PromptCommand)
    assert (revises, revised) == (command.revises, command.revised)


@pytest.mark.parametrize("sent", [0, -1, 1.5, "3"])
def test_a_revision_names_a_number_from_1(sent: Json) -> None:
    """Another value is refused."""
    with pytest.raises(BadRequest):
        V1Dialect().decode(json.dumps({"type": "prompt", "text": "a", "revises": sent}))
