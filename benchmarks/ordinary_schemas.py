"""Ordinary tasks under a schema and one of free text, to measure speed. Each number gets data of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

SYSTEM = (
    "You are Whisper, an assistant for public servants. You answer with JSON only, in the form that is asked for, and "
    "you use the words of the text that you are given. You invent nothing. "
)
PLACES = ("Gatineau", "Halifax", "Moncton", "Regina", "Whitehorse", "Québec", "Winnipeg", "Victoria", "Iqaluit")
PEOPLE = ("Amina Roy", "Luc Tremblay", "Mei Chen", "Omar Haddad", "Joan Whitecloud", "Pierre Gagnon", "Sara Singh")


@dataclass(frozen=True)
class OrdinaryTask:
    """`prompt` has the places {number}, {place}, {person} and {amount}. `once`: no two requests have one schema."""

    name: str
    prompt: str
    schema: dict[str, Any] | None
    max_tokens: int
    once: bool = False

    def schema_of(self, number: int) -> dict[str, Any] | None:
        return {**self.schema, "title": f"Form {number}"} if self.schema and self.once else self.schema

    def messages(self, number: int) -> list[dict[str, str]]:
        filled = self.prompt.format(
            number=1000 + number,
            place=PLACES[number % len(PLACES)],
            person=PEOPLE[number % len(PEOPLE)],
            amount=f"{120 + 7 * number % 900}.{number % 100:02}",
        )
        return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": filled}]


def closed(**properties: Any) -> dict[str, Any]:
    """An object that has exactly these properties."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


TICKET = OrdinaryTask(
    "ticket",
    "Classify this ticket.\n\nTicket {number}, from {person} in {place}: since this morning my laptop does not connect "
    "to the wireless network on the third floor. I restarted it twice. A presentation to the deputy minister starts at "
    "two o'clock, and I need the shared drive for it.",
    closed(
        category={"enum": ["hardware", "software", "network", "account", "building", "other"]},
        urgency={"enum": ["low", "normal", "high", "critical"]},
        language={"enum": ["en", "fr"]},
        reason={"type": "string", "maxLength": 200},
        needs_visit={"type": "boolean"},
    ),
    128,
)
INVOICE = OrdinaryTask(
    "invoice",
    "Extract the invoice.\n\nInvoice {number}, {place}, 2026-03-14. Bill to: {person}. Three boxes of paper at 42.50 "
    "each, two toner cartridges at {amount} each, and one office chair at 310.00. GST 5 %. Payable within 30 days.",
    closed(
        number={"type": "string", "maxLength": 20},
        date={"type": "string", "format": "date"},
        customer=closed(name={"type": "string", "maxLength": 60}, city={"type": "string", "maxLength": 40}),
        items={
            "type": "array",
            "minItems": 2,
            "maxItems": 4,
            "items": closed(
                description={"type": "string", "maxLength": 60},
                quantity={"type": "integer", "minimum": 1, "maximum": 999},
                unit_price={"type": "number", "minimum": 0},
            ),
        },
        currency={"enum": ["CAD", "USD", "EUR"]},
        paid={"type": "boolean"},
    ),
    160,
)
SUMMARY = OrdinaryTask(
    "summary",
    "Summarise the text with a title, three to five points and three keywords.\n\nReport {number}: the regional office "
    "in {place} opened in April under the direction of {person}. Forty employees moved from two older buildings. The "
    "cost was {amount} thousand dollars less than planned, because the furniture was used again. Employees like the "
    "quiet rooms and the light. They ask for more bicycle racks and for a shorter path to the bus. A second floor will "
    "be renovated next year, once the archives have moved.",
    closed(
        title={"type": "string", "maxLength": 80},
        points={"type": "array", "items": {"type": "string", "maxLength": 160}, "minItems": 3, "maxItems": 5},
        keywords={"type": "array", "items": {"type": "string", "maxLength": 30}, "minItems": 3, "maxItems": 3},
    ),
    160,
)
FREE = OrdinaryTask("free", "Question {number}: tell {person} how a town like {place} prepares for snow.", None, 48)
ONCE = replace(TICKET, name="once", once=True)
TASKS = (TICKET, INVOICE, SUMMARY, ONCE, FREE)
