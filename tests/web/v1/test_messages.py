"""The messages of a chat request, in all the forms that clients send."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from core.contract import Attachment, Turn
from tests.web.support_site import Site
from tests.web.v1.support_openai import HI

NOTES = {"type": "file", "file": {"filename": "../notes.txt", "file_data": "data:text/plain;base64,RWlnaHRlZW4="}}
PIXEL = "data:image/png;base64,AA"


async def test_messages_become_history_and_text(whisper: Site, client: AsyncOpenAI) -> None:
    """The caller keeps the conversation; its instructions go with the question and never replace the personality."""
    messages: list[Any] = [
        {"role": "system", "content": "Answer in one word."},
        {"role": "user", "content": "One", "name": "Ann"},
        {"role": "assistant", "content": "Un"},
        {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
        {"role": "user", "content": [{"type": "text", "text": "Two"}, {"type": "text", "text": "!"}]},
    ]
    await client.chat.completions.create(model="whisper", messages=messages)

    [prompt] = whisper.engine.prompts
    assert (Turn("user", "One", "Ann"), Turn("assistant", "Un")) == prompt.history
    assert prompt.text == "Answer in one word.\n\nBe kind.\n\nTwo!"
    assert (prompt.personality, prompt.conversation) == ("whisper", None)
    assert whisper.engine.sessions == {}


@pytest.mark.parametrize(
    ("messages", "text", "history"),
    [
        ([{"role": "system", "content": "Greet me."}], "Greet me.", ()),
        ([{"role": "developer", "content": "Greet me."}], "Greet me.", ()),
        (
            [*HI, {"role": "assistant", "content": "Hello"}, {"role": "developer", "content": "Say it in French."}],
            "Say it in French.",
            (Turn("user", "Hi"), Turn("assistant", "Hello")),
        ),
        ([*HI, {"role": "system", "content": "Be brief."}], "Be brief.\n\nHi", ()),
        ([{"role": "user", "content": ""}, {"role": "assistant", "content": None}, *HI], "Hi", ()),
        ([{"role": "user", "content": []}, *HI], "Hi", ()),
        ([{"role": "system", "content": " "}, *HI], "Hi", ()),
        (
            [*HI, {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}, *HI],
            "Hi",
            (Turn("user", "Hi"), Turn("assistant", "No.")),
        ),
        (
            [*HI, {"role": "assistant", "content": [{"type": "output_text", "text": "Yes", "annotations": []}]}, *HI],
            "Hi",
            (Turn("user", "Hi"), Turn("assistant", "Yes")),
        ),
        ([{"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}], "Hi", ()),
        ([{"role": "user", "content": ["Hi", " there"]}], "Hi there", ()),
        ([{"role": "user", "content": "Hi", "name": None, "id": "m1", "cache_control": {}}], "Hi", ()),
    ],
)
async def test_forms_of_messages(
    whisper: Site, client: AsyncOpenAI, messages: list[Any], text: str, history: tuple[Turn, ...]
) -> None:
    """Instructions alone are a question; empty messages are nothing; every part with a text is read."""
    await client.chat.completions.create(model="whisper", messages=messages)

    [prompt] = whisper.engine.prompts
    assert (text, history) == (prompt.text, prompt.history)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"role": "user", "content": [{"type": "image_url", "image_url": {"url": PIXEL}}]}, "images are not read"),
        ({"role": "user", "content": [{"type": "input_image", "image_url": PIXEL}]}, "images are not read"),
        ({"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}, "audio is not read"),
        ({"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}, "stores no files"),
        ({"role": "user", "content": [{"type": "file", "file": {"file_data": "%%"}}]}, "data URL"),
        ({"role": "user", "content": [{"type": "file", "file": None}]}, "file_data"),
        ({"role": "user", "content": [NOTES] * 17}, "16"),
        ({"role": "user", "content": [NOTES]}, "no text"),
        ({"role": "user", "content": [{"type": "document", "source": {}}]}, "parts of type `file`"),
        ({"role": "user", "content": [{"type": "video_url", "video_url": {}}]}, "videos are not read"),
        ({"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "hologram"}]}, "part 1"),
        ({"role": "user", "content": [{"type": "text", "text": None}]}, "part 0"),
        ({"role": "user", "content": [{"type": ["text"]}]}, "part 0"),
        ({"role": "user", "content": [5]}, "part 0"),
        ({"role": "user", "content": 5}, "messages.0.content"),
        ({"role": "user", "content": {"text": "Hi"}}, "messages.0.content"),
        ({"role": "user", "content": [{"type": "text", "text": ""}] * 2049}, "2048"),
        ({"role": "user", "content": [{"type": "text", "text": " "}]}, "no text"),
        ({"role": "user"}, "no text"),
        ({"role": "system", "content": ""}, "no text"),
        ({"role": "assistant", "content": "Once upon"}, "not continued"),
        ({"role": "critic", "content": "x"}, "messages.0.role"),
        ({"content": "x"}, "messages.0.role"),
    ],
)
async def test_messages_that_cannot_be_answered_are_refused(
    whisper: Site, client: AsyncOpenAI, message: Any, reason: str
) -> None:
    """The error says which message, which part, and why."""
    with pytest.raises(openai.BadRequestError, match=reason) as failure:
        await client.chat.completions.create(model="whisper", messages=[message])

    assert (failure.value.param or "").startswith("messages")
    assert whisper.engine.prompts == []


@pytest.mark.parametrize("kind", ["thinking", "reasoning", "redacted_thinking"])
async def test_thinking_of_another_model_is_left_out(whisper: Site, client: AsyncOpenAI, kind: str) -> None:
    """Some clients send it back with the answer."""
    content = [{"type": kind, kind: "Hm."}, {"type": "text", "text": "Green."}]
    messages: Any = [*HI, {"role": "assistant", "content": content}, *HI]
    await client.chat.completions.create(model="whisper", messages=messages)

    assert whisper.engine.prompts[0].history == (Turn("user", "Hi"), Turn("assistant", "Green."))


@pytest.mark.parametrize("form", [None, {"type": "json_object"}])
async def test_files_are_read_as_attachments(whisper: Site, client: AsyncOpenAI, form: Any) -> None:
    """Of every message, for free and structured answers; their names are cleaned, and their words are data."""
    content = [NOTES, {"type": "text", "text": "How long?"}]
    messages: Any = [{"role": "user", "content": content}, {"role": "assistant", "content": "Long."}, *HI]
    await client.chat.completions.create(
        model="whisper", messages=messages, **({"response_format": form} if form else {})
    )

    [asked] = whisper.engine.tasks if form else whisper.engine.prompts
    assert asked.attachments == (Attachment("notes.txt", "Eighteen"),)
    assert asked.history[0] == Turn("user", "How long?")
