"""bindings.delivery: random sequences of faults and kills, over ladders of different forms, lose and double nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bindings.delivery.context import DeliveryContext, RateLimit
from bindings.delivery.outlet import (
    DIRECT,
    DeliveryError,
    Outlet,
    PageLimits,
    Refused,
    Throttled,
    Unreachable,
)
from tests.bindings.delivery.support_fault_sequences import (
    Fault,
    FaultSequence,
    ShownMessage,
    fault_sequences,
    run_sequence,
)
from tests.bindings.support_fakes import (
    Call,
    FakeOutlet,
    FakePlatform,
    PlaceGone,
    Result,
    clock,
    link_forms,
    rendered,
    run,
)

SLOW_S = 70.0  # more than the deadline of a call
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Rung:
    """One form of the ladder."""

    form: str = ""
    page_chars: int = 500
    can_find: bool = True


@dataclass
class FakeStage:
    """Implements `Stage` over the platform in memory."""

    rungs: tuple[Rung, ...]
    platform: FakePlatform = field(default_factory=FakePlatform)
    refusals: int = 0
    faults: list[Fault] = field(default_factory=list)
    closed: set[tuple[str, str]] = field(default_factory=set)  # forms and methods that are refused from now on
    gone: set[str] = field(default_factory=set)  # forms

    @property
    def forms(self) -> int:
        return len(self.rungs)

    @property
    def can_find(self) -> bool:
        return all(rung.can_find for rung in self.rungs)

    def inject(self, faults: tuple[Fault, ...]) -> None:
        self.faults = list(faults)

    def outlet(self) -> Outlet:
        outlets = [
            FaultyOutlet(PageLimits(rung.page_chars, 1.0), self.platform, form=rung.form, can_find=rung.can_find)
            for rung in self.rungs
        ]
        for outlet in outlets:
            outlet.stage = self
        return link_forms(*outlets)

    def messages(self) -> list[ShownMessage]:
        return [ShownMessage(rendered(page), page.final) for page in self.platform.messages.values()]

    def refusal(self, call: Call, form: str, fault: Fault) -> DeliveryError | None:
        if fault.kind == "refused_always":
            self.closed.add((form, call.name))
        if fault.kind == "place_gone":
            self.gone.add(form)
        if form in self.gone:
            error: DeliveryError = PlaceGone("the place is gone")
        elif fault.kind == "refused" or (form, call.name) in self.closed:
            error = Refused("not allowed")
        else:
            return None
        self.refusals += 1
        return error


@dataclass
class FaultyOutlet(FakeOutlet):
    stage: FakeStage = field(default_factory=lambda: FakeStage(()))

    async def _do(self, call: Call, act: Callable[[], Result]) -> Result:
        self.calls.append(call)
        fault = self.stage.faults.pop(0) if self.stage.faults else Fault()
        if error := self.stage.refusal(call, self.form, fault):
            raise error
        if fault.kind == "throttled":
            raise Throttled("429", retry_after_s=float(fault.choice))
        if fault.kind == "down":
            raise Unreachable("503")
        result = act()
        if fault.kind == "down_after":
            raise Unreachable("502")
        if fault.kind == "slow":
            await asyncio.sleep(SLOW_S)
        return result


LADDERS = (
    (Rung(),),
    (Rung(), Rung(DIRECT)),
    (Rung(), Rung(), Rung("new"), Rung(DIRECT)),
    (Rung(page_chars=80), Rung(page_chars=60), Rung("new", 120), Rung("new", 70), Rung(DIRECT, 90)),
    (Rung(can_find=False), Rung("new", 70, can_find=False), Rung(DIRECT, can_find=False)),
)


@given(st.sampled_from(LADDERS), fault_sequences())
@settings(max_examples=300)
def test_no_answer_is_lost_doubled_or_left_half(ladder: tuple[Rung, ...], sequence: FaultSequence) -> None:
    """Under refusals of any call, throttling, outages with and without effect, hanging calls and kills."""

    async def scenario() -> None:
        await run_sequence(FakeStage(ladder), sequence, DeliveryContext(rate_limit=RateLimit(clock)))

    run(scenario())


@given(st.sampled_from(LADDERS), fault_sequences("slow", "throttled", "down", "down_after", length=20))
@settings(max_examples=100)
def test_passing_faults_never_cost_an_answer(ladder: tuple[Rung, ...], sequence: FaultSequence) -> None:
    """Where posts can be looked up, each answer stands in its richest form."""
    stage = FakeStage(ladder)

    async def scenario() -> str:
        outcome = await run_sequence(stage, sequence, DeliveryContext(rate_limit=RateLimit(clock)))
        return outcome.ending

    ending = run(scenario())
    if stage.can_find:
        assert "delivered" == ending
        assert {""} == set(stage.platform.forms.values())
