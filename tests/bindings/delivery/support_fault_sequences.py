"""Random sequences of faults while one answer is delivered, for any platform: nothing is lost, doubled or left half.

A platform's tests implement `Stage` over their stand-in, draw sequences with `fault_sequences`, and call `run_sequence`
for each. The stage produces the faults in its own words; this module kills the processes and judges the result.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

from hypothesis import strategies as st
from structlog.testing import capture_logs

from bindings.delivery.context import DeliveryContext, DeliveryOptions, DeliveryOutcome
from bindings.delivery.deliver import deliver
from bindings.delivery.outlet import DeliveryError, Outlet, Page, PostedPage, Upload
from core.contract import Language, Source
from core.texts import text
from tests.bindings.delivery.support_deliveries import DONE, ScriptedEngine, Step, word_steps
from tests.bindings.support_fakes import FakeLedger

Result = TypeVar("Result")
FaultKind = Literal[
    "none",
    "slow",
    "throttled",
    "down",  # 5xx, without effect
    "down_after",  # 5xx, although the call took effect
    "refused",  # this call
    "refused_always",  # this method, from now on
    "place_gone",  # from now on
]
PASSING_KINDS: tuple[FaultKind, ...] = ("slow", "throttled", "down", "down_after")
REFUSAL_KINDS: tuple[FaultKind, ...] = ("refused", "refused_always", "place_gone")
LABEL, SOURCE = "Written by a machine", "The source"
UNDISTURBED = 10  # processes after the kills, while the platform stays down
NOTICES = ("delivery-replaced", "delivery-refused", "delivery-stopped")


@dataclass(frozen=True)
class Fault:
    """What one call meets. `choice` selects one of the platform's error codes for it."""

    kind: FaultKind = "none"
    choice: int = 0


@dataclass(frozen=True)
class FaultSequence:
    """`faults` meet the calls in order. Process n is killed at its kill point `kills[n]`; later ones are not."""

    faults: tuple[Fault, ...]
    kills: tuple[int, ...]
    words: int = 20


@dataclass(frozen=True)
class ShownMessage:
    """What people see. `finished`: it has no stop button and no status, and is no open stream."""

    text: str
    finished: bool


class Stage(Protocol):
    """A place of one answer on a platform, which outlives the processes that answer there."""

    forms: int  # on its ladder, each of which refuses before the answer may be lost
    refusals: int  # answered so far, lasting ones included
    can_find: bool  # each post of unknown outcome is found again, so no answer is doubled

    def inject(self, faults: tuple[Fault, ...]) -> None:
        """The next calls meet these, in order."""
        ...

    def outlet(self) -> Outlet:
        """The outlet of a new process."""
        ...

    def messages(self) -> list[ShownMessage]:
        """The bot's messages, oldest first."""
        ...


class Killed(BaseException):
    """The process was killed."""


@dataclass
class KillPoints:
    """Kills the process at a point, counted from 0. None: never."""

    at: int | None = None
    count: int = field(default=0, init=False)

    def check(self) -> None:
        here, self.count = self.count, self.count + 1
        if here == self.at:
            raise Killed


class KilledOutlet(Outlet):
    """An outlet with a kill point before and after each call."""

    def __init__(self, outlet: Outlet, kills: KillPoints) -> None:
        self._outlet = outlet
        self._kills = kills
        self.ai_label, self.form = outlet.ai_label, outlet.form
        self.can_find, self.can_edit = outlet.can_find, outlet.can_edit

    @property
    def limits(self) -> Any:  # an outlet may slow down
        return self._outlet.limits

    def length(self, page: Page) -> int:
        return self._outlet.length(page)

    async def post(self, page: Page, nonce: str) -> str:
        return await self._call(lambda: self._outlet.post(page, nonce))

    async def edit(self, ref: str, page: Page) -> None:
        await self._call(lambda: self._outlet.edit(ref, page))

    async def find(self, nonce: str) -> str | None:
        return await self._call(lambda: self._outlet.find(nonce))

    async def delete(self, ref: str) -> None:
        await self._call(lambda: self._outlet.delete(ref))

    async def upload(self, upload: Upload, nonce: str) -> bool:
        return await self._call(lambda: self._outlet.upload(upload, nonce))

    def plainer(self, error: DeliveryError) -> Outlet | None:
        plainer = self._outlet.plainer(error)
        return plainer and KilledOutlet(plainer, self._kills)

    def in_form(self, form: str) -> Outlet:
        found = self._outlet.in_form(form)
        return self if found is self._outlet else KilledOutlet(found, self._kills)

    async def _call(self, act: Callable[[], Awaitable[Result]]) -> Result:
        self._kills.check()
        result = await act()
        self._kills.check()
        return result


@dataclass
class KilledLedger(FakeLedger):
    """A ledger with a kill point after each write. The calls around it have those before."""

    kills: KillPoints = field(default_factory=KillPoints)

    async def add(self, ref: str) -> None:
        await super().add(ref)
        self.kills.check()

    async def discard(self, ref: str) -> None:
        await super().discard(ref)
        self.kills.check()

    async def change_form(self, form: str) -> None:
        await super().change_form(form)
        self.kills.check()

    async def forget_leftover(self, page: PostedPage) -> None:
        await super().forget_leftover(page)
        self.kills.check()

    def restarted(self) -> KilledLedger:
        return KilledLedger(list(self.refs), resumed=True, form=self.form, leftovers=list(self.leftovers))


def fault_sequences(
    *kinds: FaultKind, length: int = 12, kills: int = 3, words: int = 40
) -> st.SearchStrategy[FaultSequence]:
    """Sequences of these kinds, or of all, between calls that succeed."""
    calm = st.just(Fault())
    fault = st.builds(Fault, st.sampled_from(kinds or (*PASSING_KINDS, *REFUSAL_KINDS)), st.integers(0, 30))
    return st.builds(
        FaultSequence,
        st.lists(st.one_of(calm, fault), max_size=length).map(tuple),
        st.lists(st.integers(0, 25), max_size=kills).map(tuple),
        st.integers(1, words),
    )


async def run_sequence(
    stage: Stage,
    sequence: FaultSequence,
    context: DeliveryContext,
    *,
    pause_s: float = 0.1,
    language: Language = "en",
) -> DeliveryOutcome:
    """Delivers one answer under faults, by as many processes as it takes. Raises AssertionError for a lost answer."""
    stage.inject(sequence.faults)
    options = DeliveryOptions(language, "a1", footer=lambda _model: LABEL, context=context)
    steps: list[Step] = [*word_steps(sequence.words, pause_s), Source(1, SOURCE, "https://example.org/a"), DONE]
    ledger, outcome = KilledLedger(), None
    with capture_logs() as logs:
        for kill in (*sequence.kills, *[None] * UNDISTURBED):
            points = KillPoints(kill)
            ledger.kills = points
            outcome = await run_process(steps, KilledOutlet(stage.outlet(), points), ledger, options)
            if outcome and outcome.ending != "undelivered":
                break
            ledger = ledger.restarted()
    assert outcome is not None
    check_result(stage, sequence, outcome, ledger, [str(line["event"]) for line in logs], language)
    return outcome


async def run_process(
    steps: list[Step], outlet: Outlet, ledger: KilledLedger, options: DeliveryOptions
) -> DeliveryOutcome | None:
    """None: the process was killed."""
    try:
        return await deliver(ScriptedEngine(*steps).events(), outlet, ledger, options)
    except* Killed:
        pass
    return None


def check_result(
    stage: Stage,
    sequence: FaultSequence,
    outcome: DeliveryOutcome,
    ledger: FakeLedger,
    events: list[str],
    language: Language = "en",
) -> None:
    """0 answers lost, 0 doubled but where a post cannot be looked up, 0 stumps where the platform allows anything."""
    notices = {text(key, language) for key in NOTICES}
    shown = [message for message in stage.messages() if message.text not in notices]
    stumps = [message for message in shown if not message.finished]
    # Neither deletion nor edit was accepted, or the platform refused to say whether a killed process had posted.
    excused = events.count("page_left") + events.count("post_lookup_failed") + len(ledger.leftovers)
    excused += 0 if stage.can_find and "post_lookup_failed" not in events else count_unknown(sequence)
    assert outcome.ending in ("delivered", "refused", "gone"), outcome
    if outcome.ending != "delivered":
        refusals = stage.refusals + events.count("post_outcome_unknown")
        assert refusals >= stage.forms, "the answer is lost, although a form of it was not refused"
        assert outcome.reason
        assert f"delivery_{outcome.ending}" in events
    if outcome.ending == "gone":
        assert stage.forms == 1
        return
    assert len(stumps) <= excused, stumps
    if outcome.ending == "delivered":
        assert len(shown) <= len(ledger.refs) + excused, shown
        whole = [f"word{number}" for number in range(sequence.words)]
        words = [word for message in shown for word in re.findall(r"word\d+", message.text)]
        assert whole == words if len(shown) == len(ledger.refs) else is_subsequence(whole, words), words
        assert any(LABEL in message.text for message in shown)
        assert any(SOURCE in message.text for message in shown)


def count_unknown(sequence: FaultSequence) -> int:
    """The posts that may stand twice, by decision 0012."""
    return len(sequence.kills) + sum(fault.kind in ("down_after", "slow") for fault in sequence.faults)


def is_subsequence(whole: list[str], words: list[str]) -> bool:
    rest = iter(words)
    return all(word in rest for word in whole)
