"""Tools with the real starter and the real encoder: calls that conform, and an answer from their results."""

from __future__ import annotations

import json
from contextlib import aclosing
from dataclasses import replace

from core.configuration.settings import Settings
from core.contract import Prompt, Sampling, Tool, ToolArguments, Toolbox, ToolsChosen
from core.rag.embeddings import LocalEmbedder
from tests.core.support_chatting import ask, chat_on, text_of

ROOM = Tool(
    "book_room",
    "Books a meeting room.",
    {
        "type": "object",
        "properties": {
            "people": {"type": "integer", "minimum": 1, "maximum": 40},
            "date": {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"},
            "equipment": {"enum": ["none", "screen"]},
        },
        "required": ["people", "date", "equipment"],
        "additionalProperties": False,
    },
)
MAIL = Tool(
    "send_email", "Sends an email to a colleague.", {"type": "object", "properties": {"to": {"type": "string"}}}
)
QUESTION = "I need a meeting room for 6 people on 2026-12-14."


async def test_starter_calls_the_tool_that_the_question_is_about(starter_settings: Settings) -> None:
    """Its arguments conform and were streamed; after the result it answers."""
    encoder = LocalEmbedder(1)
    await encoder.embed(["it is loaded now"])  # a deadline holds later
    toolbox = Toolbox((MAIL, ROOM), streamed=True, parallel=False)
    sampling = Sampling(temperature=0, max_tokens=80)
    async with chat_on(starter_settings, encoder=encoder) as chat:
        prompt = Prompt("whisper", QUESTION, toolbox=toolbox, sampling=sampling)
        async with aclosing(chat.choose_tools(prompt)) as choosing:
            events = [event async for event in choosing]
        end = events[-1]
        assert isinstance(end, ToolsChosen)
        [call] = end.calls
        made = replace(call, output="Room 4B is booked.")
        async with aclosing(chat.choose_tools(replace(prompt, calls=(made,)))) as choosing:
            again = [event async for event in choosing]
        answer = text_of(await ask(chat, QUESTION, calls=(made,), sampling=sampling))
    await encoder.close()

    arguments = json.loads(call.arguments)
    parts = [event.text for event in events if isinstance(event, ToolArguments)]
    assert (call.name, sorted(arguments)) == ("book_room", ["date", "equipment", "people"])
    assert 1 <= arguments["people"] <= 40
    assert len(parts) > 1
    assert "".join(parts) == call.arguments
    assert isinstance(again[-1], ToolsChosen)
    assert again[-1].calls == ()
    assert answer.strip()
