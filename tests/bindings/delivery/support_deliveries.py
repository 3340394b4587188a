"""A scripted engine, and short ways to run a delivery."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import replace
from typing import Any

from bindings.delivery.context import DeliveryContext, DeliveryOptions, DeliveryOutcome, RateLimit
from bindings.delivery.deliver import deliver
from bindings.delivery.outlet import Upload
from core.contract import Done, Event, Text, Usage
from tests.bindings.support_fakes import CallFailure, FakeLedger, FakeOutlet, clock, run

UPLOAD = Upload("a.jsonl", "application/jsonl", b"{}")
DONE = Done("stop", "fake-model", Usage(7, 3, 2))
Step = Event | Exception | asyncio.Event | float  # a number: seconds to wait


class ScriptedEngine:
    """Yields the events of a script."""

    def __init__(self, *steps: Step) -> None:
        self.steps = steps
        self.yielded = 0
        self.closed = asyncio.Event()

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
                    self.yielded += 1
                    yield step
        finally:
            self.closed.set()


def build_options(**changes: Any) -> DeliveryOptions:
    """Options with the loop's clock and a footer that names the model."""
    context = replace(DeliveryContext(rate_limit=RateLimit(clock)), **changes.pop("context", {}))
    footer: Callable[[str | None], str] = lambda model: f"AI: {model}"  # noqa: E731
    return DeliveryOptions(**{"language": "en", "answer_id": "a1", "footer": footer, "context": context, **changes})


async def deliver_steps(
    *steps: Step, outlet: FakeOutlet, ledger: FakeLedger | None = None, options: DeliveryOptions | None = None
) -> DeliveryOutcome:
    return await deliver(ScriptedEngine(*steps).events(), outlet, ledger or FakeLedger(), options or build_options())


def failures(*errors: Exception | None, done: bool = False) -> Iterator[CallFailure | None]:
    return iter([CallFailure(error, done) if error else None for error in errors])


def word_steps(count: int, every_s: float = 0.1) -> list[Step]:
    return [step for number in range(count) for step in (Text(f"word{number} "), every_s)]


def joined_words(count: int) -> str:
    return " ".join(f"word{number}" for number in range(count))


def withdraw_after(
    seconds: float, outlet: FakeOutlet, *steps: Step
) -> tuple[DeliveryOutcome, FakeLedger, ScriptedEngine]:
    answer, ledger = ScriptedEngine(*steps), FakeLedger()

    async def scenario() -> DeliveryOutcome:
        options = build_options()
        delivery = asyncio.create_task(deliver(answer.events(), outlet, ledger, options))
        await asyncio.sleep(seconds)
        options.withdrawn.set()
        return await delivery

    return run(scenario()), ledger, answer
