"""Toil in a conversation: a message with a JSON Schema is answered by JSON that was checked against it.

Owns how a value is shown. `core.toil.toiler` obtains the value; the caller decides where files go.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from bindings import words
from bindings.delivery.outlet import Upload
from core.contract import Done, Engine, Event, Json, Language, Status, Task, Text, ToilResult
from core.errors import BadRequest, BudgetExhausted, CspsError, NonConforming

SHOWN_LIMIT_CHARS = 3000  # of JSON in a message; what is longer goes into a file, where files can be sent
DETAIL_LIMIT_CHARS = 500
FILE = "answer.json"
MEDIA_TYPE = "application/json"

Send = Callable[[Upload], Awaitable[bool]]  # False: files cannot be sent here


async def toil(engine: Engine, task: Task, send: Send, language: Language) -> AsyncGenerator[Event, None]:
    """The value as a code block, or as a file when it is long. Raises what the engine's toil raises."""
    toiled: ToilResult | None = None
    async with aclosing(engine.toil_events(task)) as events:
        async for event in events:
            if isinstance(event, Status):
                yield event
            elif isinstance(event, ToilResult):
                toiled = event
    assert toiled is not None, "toil ends by ToilResult or an exception"
    yield Text(await shown(toiled.value, send, language))
    yield Done("stop", toiled.model, toiled.usage)


async def shown(value: Json, send: Send, language: Language) -> str:
    written = text_of(value)
    if len(written) > SHOWN_LIMIT_CHARS and await send(Upload(FILE, MEDIA_TYPE, written.encode())):
        return words.IN_FILE[language].format(name=FILE)
    return block(written, "json")


async def explained(events: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
    """What is wrong, in a developer's words, before it is told in everybody's: whoever wrote the schema can mend it."""
    try:
        async with aclosing(events):
            async for event in events:
                yield event
    except (BadRequest, BudgetExhausted, NonConforming) as exc:
        yield Text(detail(exc))
        raise


async def refused(error: CspsError) -> AsyncGenerator[Event, None]:
    """The events of what could not even be begun."""
    yield Text(detail(error))
    raise error


def detail(error: CspsError) -> str:
    plain = " ".join(error.message.replace("`", "'").split())
    return f"`{plain[:DETAIL_LIMIT_CHARS]}`"


def text_of(value: Json) -> str:
    """Indented JSON that UTF-8 can say."""
    written = json.dumps(value, ensure_ascii=False, indent=2)
    try:
        written.encode()
    except UnicodeEncodeError:
        return json.dumps(value, indent=2)
    return written


def block(written: str, language: str) -> str:
    """A code block of JSON that nothing in it ends: a backtick can only be in a string, where it has another form."""
    harmless = written.replace("```", r"\u0060\u0060\u0060")
    return f"```{language}\n{harmless}\n```"
