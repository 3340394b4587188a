"""Builds outlets that talk to FakeMicrosoft, and pages for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bindings.delivery.outlet import Closing, Page
from bindings.incoming import IncomingMessage, Place
from bindings.selftest.microsoft_server import FakeMicrosoft
from bindings.teams import transport
from bindings.teams.connector import Connector
from bindings.teams.files import PendingFiles
from bindings.teams.outlet import TeamsOutlet
from bindings.teams.streaming import ChatStreams
from bindings.teams.transport import TrustedHosts

CHAT = "a:chat"


def place(kind: Any = "personal", service_url: str = "https://smba.trafficmanager.net/amer/") -> Place:
    conversation = {"personal": CHAT, "group": "19:group@thread.v2", "channel": "19:c@thread.tacv2;messageid=7"}[kind]
    route = {
        "service_url": service_url,
        "conversation": conversation,
        "bot": "28:bot",
        "bot_name": "Whisper",
        "person": "29:megan",
    }
    return Place("teams", "tenant", conversation.split(";")[0], "7" if kind == "channel" else None, kind, route)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class OutletFactory:
    """The parts that all outlets of one process share. `stops` are the refs of answers that a person stopped."""

    def __init__(self, microsoft: FakeMicrosoft, folder: Path) -> None:
        self.microsoft = microsoft
        self.http = transport.build_client()
        self.connector = Connector(self.http, None, TrustedHosts(loopback=True))
        self.clock = Clock()
        self.streams = ChatStreams(self.clock)
        self.pending = PendingFiles(folder)
        self.stops: list[str] = []

    def build(self, kind: Any = "personal") -> TeamsOutlet:
        """Builds the outlet of one answer."""
        incoming = IncomingMessage("teams:e", place(kind, self.microsoft.service_url), "question-1", "megan", "Hello?")
        return TeamsOutlet(incoming, self.connector, self.streams, self.pending, self.stop_answer)

    async def stop_answer(self, place: Place, ref: str) -> None:
        self.stops.append(ref)


def page(text: str, status: str | None = None, **more: Any) -> Page:
    return Page(text, "en", status, **more)


def final(text: str, **more: Any) -> Page:
    return page(text, final=True, closing=Closing("answer-1", "Model: fake", **more))
