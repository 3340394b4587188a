"""A help desk's ticket, and two tools: the data that the programs in Python share."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

QUESTION = "What is the capital of Canada? Answer in one sentence."
REQUEST = (
    "Read this message and fill in the ticket: 'Hello, this is Marie Tremblay (marie@example.gc.ca). "
    "The printer on the third floor shows error 49 and nobody can print.'"
)
WEATHER = "What is the weather in Ottawa, in Celsius? Use the tool."
SENTENCES = ["The printer is broken.", "L’imprimante est en panne.", "The cafeteria opens at noon."]


class Person(BaseModel):
    name: str
    email: str | None


class Ticket(BaseModel):
    """A request to the help desk."""

    category: Literal["printer", "network", "account"]
    urgent: bool
    floor: int
    person: Person
    words: list[str] = Field(description="at most three keywords", max_length=3)


def weather(city: str, unit: Literal["celsius", "fahrenheit"] = "celsius") -> str:
    """Tells the current weather in a city."""
    return f"Light snow in {city}, {-4 if unit == 'celsius' else 25} degrees {unit}."
