"""FakeConnector within the process: no sockets, so tests can run on a clock that jumps."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from bindings.delivery.context import DeliveryOutcome
from bindings.delivery.deliver import deliver
from bindings.incoming import IncomingMessage, Place
from bindings.selftest.microsoft_connector import ConnectorCall, Failure, FakeConnector
from bindings.teams.connector import Connector
from bindings.teams.files import PendingFiles
from bindings.teams.outlet import TeamsOutlet
from bindings.teams.streaming import ChatStreams
from bindings.teams.transport import TrustedHosts
from core.contract import Text
from tests.bindings.delivery.support_deliveries import DONE, ScriptedEngine, Step, build_options
from tests.bindings.support_fakes import FakeLedger, clock, run
from tests.bindings.teams.support_outlets import place

PREFIX = "/amer/"
Delay = Callable[[], float]


def no_delay() -> float:
    return 0.0


@asynccontextmanager
async def connect(fake: FakeConnector, delay: Delay = no_delay) -> AsyncGenerator[Connector, None]:
    """Yields a connector client whose calls `fake` answers, after `delay()` seconds."""

    async def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode().removeprefix(PREFIX)
        body = json.loads(request.content) if request.content else {}
        found = fake.call(request.method, path, request.headers.get("Authorization", ""), body)
        await asyncio.sleep(delay())
        if found.breaks:
            raise httpx.ReadError("the connection broke")
        return httpx.Response(found.status, content=found.content, headers=dict(found.headers))

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        yield Connector(http, None, TrustedHosts())


@dataclass
class TeamsChat:
    """The place of one answer on FakeConnector. `stops` are the refs of answers that a person stopped."""

    kind: str = "personal"
    connector: FakeConnector = field(default_factory=FakeConnector)
    stops: list[str] = field(default_factory=list)
    events: list[Step] = field(default_factory=lambda: [step for _ in range(8) for step in (Text("some words "), 2.0)])

    def outlet(self, client: Connector) -> TeamsOutlet:
        """The outlet of a new process."""
        incoming = IncomingMessage("teams:e", place(self.kind), "question-1", "megan", "Hello?")
        return TeamsOutlet(incoming, client, ChatStreams(clock), PendingFiles(Path("unused")), self._stop)

    async def _stop(self, _place: Place, ref: str) -> None:
        self.stops.append(ref)
        self.stop_event.set()

    def deliver(self, ledger: FakeLedger | None = None) -> DeliveryOutcome:
        """Delivers an answer of 16 words within 16 s. Raises AssertionError if its engine still runs."""
        engine, self.ledger = ScriptedEngine(*self.events, DONE), ledger or FakeLedger()

        async def scenario() -> DeliveryOutcome:
            self.stop_event = asyncio.Event()
            options = build_options(stop=self.stop_event)
            async with connect(self.connector) as client:
                outcome = await deliver(engine.events(), self.outlet(client), self.ledger, options)
            assert engine.closed.is_set()
            return outcome

        return run(scenario())

    @property
    def texts(self) -> list[str]:
        return [str(each.get("text")) for each in self.connector.messages.values()]

    @property
    def types(self) -> list[str]:
        return [each["type"] for each in self.connector.messages.values()]


def refuse(
    failure: Failure, matches: Callable[[ConnectorCall], Any], *, after: int = 0, times: int = 10_000
) -> Callable[[ConnectorCall], Failure | None]:
    """Fails the calls that match, but for the first `after` of them, and `times` at the most."""
    seen: list[ConnectorCall] = []

    def check(call: ConnectorCall) -> Failure | None:
        if not matches(call):
            return None
        seen.append(call)
        return failure if after < len(seen) <= after + times else None

    return check
