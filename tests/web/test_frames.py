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
from core.contract import Attachment, Source, Status, Text, TranscriptTurn, Usage
from core.errors import BadRequest
from web.frames import V1, Ask, Failed, Finished, Forget, Forgotten, Message, Opened, Plain, Resume, Stop

TRICKY = st.sampled_from(["<END>", "<ERROR> ", "<ERROR>", "<", "END>", "a", " ", "\n", "é", "<END>\n"])
PROTOCOLS = (PROJECT_ROOT / "docs" / "protocols.md").read_text()
LEAVE = Source(1, "Parental leave", "https://leave.example/", "en", datetime(2026, 7, 27, 18, 5, tzinfo=UTC))
PIECES = st.lists(st.one_of(TRICKY, st.lists(TRICKY).map("".join), st.text()))


@given(PIECES)
def test_a_model_cannot_forge_plain_markers(pieces: list[str]) -> None:
    """Whatever the model writes, no frame of text reads as an end or an error, and nothing is lost or added."""
    frames = [frame for piece in pieces for frame in Plain().encode(Text(piece))]

    assert "".join(pieces) == "".join(frames)
    assert [frame for frame in frames if frame == "<END>" or frame.startswith("<ERROR> ")] == []


def test_plain_frames() -> None:
    """An end is one frame, a failure two; what the dialect has no word for is not said."""
    plain = Plain()

    assert plain.encode(Finished("stop", "m", "s", Usage())) == ["<END>"]
    assert plain.encode(Failed("overloaded", "It is\n full.")) == ["<ERROR> It is full.", "<END>"]
    silent = (Status("reading"), Source(1, "t"), Opened("s", "p", "m", True), Forgotten())
    assert [plain.encode(message) for message in silent] == [[], [], [], []]


@given(st.text())
def test_every_plain_frame_is_a_prompt(text: str) -> None:
    """Frames to the server are prompts, as they are."""
    assert Ask(text) == Plain().decode(text)


def test_v1_commands() -> None:
    """Each `type` gives its command; fields that are not known are ignored."""
    decode = V1().decode

    assert Ask("Hi", "fr", (Attachment("a.txt", "A"),)) == decode(
        '{"type": "prompt", "text": "Hi", "language": "fr", "attachments": [{"name": "a.txt", "text": "A", "x": 1}]}'
    )
    assert Ask("Hi") == decode('{"type": "prompt", "text": "Hi", "mood": "good"}')
    assert Stop() == decode('{"type": "stop"}')
    assert Resume("web:1") == decode('{"type": "resume", "session": "web:1"}')
    assert Forget() == decode('{"type": "forget"}')


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
def test_v1_refusals_say_what_is_wrong(frame: str, named: str) -> None:
    """A frame that is not understood is refused with the name of what is wrong."""
    with pytest.raises(BadRequest, match=named):
        V1().decode(frame)


def test_v1_refusals_do_not_repeat_what_was_sent() -> None:
    """Not even the type that is unknown: it may be a megabyte long, or a person's words."""
    with pytest.raises(BadRequest) as refusal:
        V1().decode('{"type": "secretive"}')

    assert "secretive" not in refusal.value.message


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
NEARLY_COMMANDS = st.fixed_dictionaries(
    {"type": st.sampled_from(["prompt", "stop", "resume", "forget", "x"])},
    optional=dict.fromkeys(("text", "language", "attachments", "session"), JSON_VALUES),
)


@given(st.one_of(st.text(), JSON_VALUES.map(json.dumps), NEARLY_COMMANDS.map(json.dumps)))
def test_v1_decoding_either_understands_or_refuses(frame: str) -> None:
    """No frame has any other effect than a command or BadRequest."""
    with suppress(BadRequest):
        assert isinstance(V1().decode(frame), (Ask, Stop, Resume, Forget))


def test_v1_events() -> None:
    """Each event is one object with its `type`; what a status or source does not know is left out."""
    usage = Usage(7, 3, 2)
    expected: list[tuple[Message, Any]] = [
        (
            Opened("web:1", "whisper", "m", True, (TranscriptTurn("user", "Hi"),)),
            {
                "type": "session",
                "session": "web:1",
                "personality": "whisper",
                "model": "m",
                "starter": True,
                "turns": [{"role": "user", "text": "Hi"}],
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
            Finished("stop", "m", "web:1", usage),
            {
                "type": "done",
                "reason": "stop",
                "model": "m",
                "session": "web:1",
                "usage": {"prompt_tokens": 7, "completion_tokens": 3, "cached_tokens": 2},
            },
        ),
        (
            Failed("overloaded", "Busy.", 5.0),
            {"type": "error", "code": "overloaded", "message": "Busy.", "retry_after_s": 5.0},
        ),
        (
            Failed("bad_request", "What?", detail="`type` is missing"),
            {
                "type": "error",
                "code": "bad_request",
                "message": "What?",
                "retry_after_s": None,
                "detail": "`type` is missing",
            },
        ),
        (Forgotten(), {"type": "forgotten"}),
    ]

    for message, frame in expected:
        assert [frame] == [json.loads(encoded) for encoded in V1().encode(message)]


def test_turns_are_as_the_documentation_shows_them() -> None:
    """What came with a question, and what an answer had and how it ended; what there is not is left out."""
    turns = (
        TranscriptTurn("user", "How long is the leave?", attachments=("leave.pdf",)),
        TranscriptTurn("assistant", "Eighteen months [1].", sources=(LEAVE,), reason="stop"),
    )
    documented = PROTOCOLS.partition("`turns` are")[2].partition("```json")[2].partition("```")[0]
    [frame] = V1().encode(Opened("web:1", "whisper", "m", True, turns))

    assert json.loads(documented) == json.loads(frame)["turns"]
