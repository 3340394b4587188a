"""instructor: Pydantic models from answers, by tools, by JSON Schema and by JSON alone."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import instructor
from abilities import show
from instructor.core import InstructorRetryException
from openai import OpenAI
from tickets import REQUEST, Person, Ticket

client = OpenAI(base_url=os.environ["OPENAI_BASE_URL"], api_key=os.environ["OPENAI_API_KEY"])
MESSAGES: Any = [{"role": "user", "content": REQUEST}]


def extract(mode: instructor.Mode) -> Any:
    asking = instructor.from_openai(client, mode=mode)
    ticket = asking.chat.completions.create(model="whisper", response_model=Ticket, messages=MESSAGES, max_tokens=400)
    return {"value": ticket.model_dump()}


def structured() -> Any:
    return extract(instructor.Mode.JSON_SCHEMA)


def json_object() -> Any:
    """The schema is in the prompt only, so the answer need not conform: instructor asks again, and may give up."""
    asking = instructor.from_openai(client, mode=instructor.Mode.JSON)
    try:
        person = asking.chat.completions.create(
            model="whisper", response_model=Person, messages=MESSAGES, max_tokens=200, max_retries=2
        )
    except InstructorRetryException as error:
        return {"attempts": error.n_attempts}
    return {"value": person.model_dump()}


def tools() -> Any:
    """The default mode: the model is a function's arguments."""
    return extract(instructor.Mode.TOOLS)


def structured_stream() -> Any:
    """Partial objects, each with more fields than the one before."""
    asking = instructor.from_openai(client, mode=instructor.Mode.JSON_SCHEMA)
    partials = asking.chat.completions.create_partial(
        model="whisper", response_model=Ticket, messages=MESSAGES, max_tokens=400
    )
    snapshots = [partial.model_dump() for partial in partials]
    return {"snapshots": len(snapshots), "value": snapshots[-1]}


def tools_stream() -> Any:
    """A list of objects, each as soon as it is complete."""
    asking = instructor.from_openai(client, mode=instructor.Mode.TOOLS)
    people: Iterable[Person] = asking.chat.completions.create_iterable(
        model="whisper", response_model=Person, messages=MESSAGES, max_tokens=400
    )
    return {"people": [person.model_dump() for person in people]}


if __name__ == "__main__":
    show("instructor", structured, json_object, tools, structured_stream, tools_stream)
