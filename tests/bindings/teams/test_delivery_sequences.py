"""Random sequences of refusals, delays, outages and kills on Teams: nothing is lost, doubled or left half."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bindings.delivery.context import DeliveryContext, RateLimit
from bindings.delivery.outlet import Outlet
from bindings.incoming import IncomingMessage
from bindings.selftest.microsoft_connector import ConnectorCall, Failure, FakeConnector
from bindings.teams.connector import Connector
from bindings.teams.files import PendingFiles
from bindings.teams.outlet import TeamsOutlet
from bindings.teams.streaming import ChatStreams
from tests.bindings.delivery.support_fault_sequences import (
    LABEL,
    Fault,
    FaultKind,
    FaultSequence,
    ShownMessage,
    fault_sequences,
    run_sequence,
)
from tests.bindings.support_fakes import clock, run
from tests.bindings.teams.support_connector import connect
from tests.bindings.teams.support_outlets import place

pytestmark = pytest.mark.slow

SLOW_S = 40.0  # more than the deadline of a call
FORMS: Mapping[str, int] = {"personal": 2, "group": 3, "channel": 3}
REFUSALS = (
    Failure(400, "BadRequest", "Start streaming activities should include text"),
    Failure(400, empty=True),
    Failure(403, empty=True),
    Failure(403, "ContentStreamNotAllowed", "Content stream is not allowed"),
    Failure(403, "ContentStreamNotAllowed", "Content stream finished due to exceeded streaming time."),
    Failure(403, "ContentStreamNotAllowed", "Message size too large"),
    Failure(404, "ActivityNotFoundInConversation", "Message not found"),
    Failure(405, empty=True),
    Failure(413, "MessageSizeTooBig", "Message size too large."),
    Failure(501, empty=True),
)
PLACE_GONE = (
    Failure(403, "BotNotInConversationRoster", "The bot is not part of the conversation roster."),
    Failure(403, "BotDisabledByAdmin", "The bot is disabled by the tenant's administrator."),
    Failure(404, "ConversationNotFound", "Conversation not found"),
)
UNCONFIRMED: tuple[FaultKind, ...] = ("down", "down_after", "slow")


@dataclass
class TeamsStage:
    """Implements `Stage` over FakeConnector."""

    kind: str
    connector: FakeConnector = field(default_factory=FakeConnector)
    can_find: bool = False
    refusals: int = 0
    faults: list[Fault] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    closed: set[tuple[str, str]] = field(default_factory=set)  # methods and conversations refused from now on
    gone: set[str] = field(default_factory=set)
    unconfirmed: int = 0  # posts
    client: Connector | None = None

    def __post_init__(self) -> None:
        self.connector.refuses = self._meet

    @property
    def forms(self) -> int:
        """A personal chat in which the bot may not write leaves no other form."""
        return 1 if self.kind == "personal" and self.gone else FORMS[self.kind]

    def inject(self, faults: tuple[Fault, ...]) -> None:
        self.faults = list(faults)

    def outlet(self) -> Outlet:
        assert self.client is not None
        incoming = IncomingMessage("teams:e", place(self.kind), "question-1", "megan", "Hello?")
        streams = ChatStreams(clock)
        return TeamsOutlet(incoming, self.client, streams, PendingFiles(Path("unused")), self._stop)

    async def _stop(self, *_args: object) -> None:
        raise AssertionError("nobody pressed stop")

    def messages(self) -> list[ShownMessage]:
        return [
            ShownMessage(each["text"], each["type"] == "message" and not is_unfinished(each))
            for each in self.connector.messages.values()
        ]

    def delay(self) -> float:
        return self.delays.pop(0) if self.delays else 0.0

    def _meet(self, call: ConnectorCall) -> Failure | None:
        fault = self.faults.pop(0) if self.faults else Fault()
        self._count_unconfirmed(call, fault)
        if refusal := self._refusal(call, fault):
            self.refusals += 1
            return refusal
        if fault.kind == "throttled":
            return Failure(429, retry_after=str(fault.choice))
        if fault.kind == "slow":
            self.delays.append(SLOW_S)
        return {"down": Failure(503), "down_after": Failure(502, after=True)}.get(fault.kind)

    def _count_unconfirmed(self, call: ConnectorCall, fault: Fault) -> None:
        """Six posts that Teams does not confirm may end the ladder."""
        if call.method == "POST" and call.conversation and fault.kind in UNCONFIRMED:
            self.unconfirmed += 1
            self.refusals += self.forms if self.unconfirmed >= 6 else 0

    def _refusal(self, call: ConnectorCall, fault: Fault) -> Failure | None:
        key = (call.method, call.conversation)
        if fault.kind == "refused_always":
            self.closed.add(key)
        if fault.kind == "place_gone":
            self.gone.add(call.conversation)
        if call.conversation in self.gone:
            self.refusals += 1  # it refuses both forms there
            return PLACE_GONE[fault.choice % len(PLACE_GONE)]
        if fault.kind == "refused" or key in self.closed:
            return REFUSALS[fault.choice % len(REFUSALS)]
        return None


def is_unfinished(activity: dict[str, object]) -> bool:
    """True for a message that the bot meant to edit again: it has feedback buttons without the end of an answer."""
    return bool(activity.get("channelData")) and LABEL not in str(activity["text"])


def run_stage(kind: str, sequence: FaultSequence) -> tuple[str, TeamsStage]:
    stage = TeamsStage(kind)

    async def scenario() -> str:
        async with connect(stage.connector, stage.delay) as stage.client:
            context = DeliveryContext(rate_limit=RateLimit(clock))
            return (await run_sequence(stage, sequence, context, pause_s=0.5)).ending

    return run(scenario()), stage


@given(st.sampled_from(tuple(FORMS)), fault_sequences(words=20))
@example("group", FaultSequence((Fault("slow"), Fault(), Fault("slow"), Fault(), Fault("refused")), (), 1))
@settings(max_examples=300)
def test_no_answer_is_lost_doubled_or_left_half(kind: str, sequence: FaultSequence) -> None:
    """Under refusals of any call, throttling, outages with and without effect, hanging calls and kills."""
    run_stage(kind, sequence)


@given(st.sampled_from(tuple(FORMS)), fault_sequences("throttled", "down", words=20))
@settings(max_examples=50)
def test_faults_without_effect_never_double_an_answer(kind: str, sequence: FaultSequence) -> None:
    """Without kills, one message has the answer, in its own place."""
    calm = FaultSequence(sequence.faults, (), sequence.words)
    ending, stage = run_stage(kind, calm)

    if ending == "delivered":
        assert 1 == len(stage.connector.messages)
