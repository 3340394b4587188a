"""What the tests of delivery have in common: an engine by a script, and a person's options."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import replace
from typing import Any

from bindings.delivery.context import DeliveryContext, DeliveryOptions, DeliveryOutcome, RateLimit
from bindings.delivery.deliver import deliver
from bindings.delivery.outlet import Upload
from core.contract import Done, Event, Text, Usage
from tests.bindings.support_fakes import FakeLedger, FakeOutlet, Trouble, clock, run

UPLOAD = Upload("a.jsonl", "application/jsonl", b"{}")
DONE = Done("stop", "fake-model", Usage(7, 3, 2))
Step = Event | Exception | asyncio.Event | float  # a number: so many seconds pass


class Answer:
    """The events of an engine, by a script."""

    def __init__(self, *steps: Step) -> None:
        self.steps = steps
        self.given = 0
        self.closed = False

    async def events(self) -> AsyncGenerator[Event, None]:
        try:
            for step in self.steps:
                if isinstance(step, float):
                    await asyncio.sleep(step)
                elif isinstance(step, asyncio.Event):
                    await step.wait()
                elif isinstance(step, Exception):
                    raise step
                else:
                    self.given += 1
                    yield step
        finally:
            self.closed = True


def build_options(**changes: Any) -> DeliveryOptions:
    """With the loop's own time, a footer that names the model, and no other options."""
    context = replace(DeliveryContext(rate_limit=RateLimit(clock)), **changes.pop("context", {}))
    footer: Callable[[str | None], str] = lambda model: f"AI: {model}"  # noqa: E731
    return DeliveryOptions(**{"language": "en", "answer": "a1", "footer": footer, "context": context, **changes})


async def delivered(
    *steps: Step, outlet: FakeOutlet, ledger: FakeLedger | None = None, options: DeliveryOptions | None = None
) -> DeliveryOutcome:
    return await deliver(Answer(*steps).events(), outlet, ledger or FakeLedger(), options or build_options())


def troubles(*errors: Exception | None, done: bool = False) -> Iterator[Trouble | None]:
    return iter([Trouble(error, done) if error else None for error in errors])


def words(count: int, every_s: float = 0.1) -> list[Step]:
    return [step for number in range(count) for step in (Text(f"word{number} "), every_s)]


def text_of(count: int) -> str:
    return " ".join(f"word{number}" for number in range(count))


def withdrawn_after(seconds: float, outlet: FakeOutlet, *steps: Step) -> tuple[DeliveryOutcome, FakeLedger, Answer]:
    answer, ledger = Answer(*steps), FakeLedger()

    async def story() -> DeliveryOutcome:
        options = build_options()
        delivery = asyncio.create_task(deliver(answer.events(), outlet, ledger, options))
        await asyncio.sleep(seconds)
        options.withdrawn.set()
        return await delivery

    return run(story()), ledger, answer
