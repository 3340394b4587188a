"""What a bot's process counts, for Prometheus. Labels are bounded sets; nothing here identifies a person or a place."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector

from core.contract import Usage
from core.runtime.metrics import count_tokens


class Metrics:
    """A registry of its own for each process, so that two in one (as in tests) do not collide."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.events = Counter("csps_bot_events", "Events that were taken", registry=registry)
        self.repeats = Counter("csps_bot_repeats", "Events that had been taken before", registry=registry)
        self.calls = Counter("csps_bot_calls", "Calls to the platform", ("outcome",), registry=registry)
        self.answers = Counter("csps_bot_answers", "Answers, by how they ended", ("outcome",), registry=registry)
        self.connected = Gauge("csps_bot_connected", "Whether the platform can be reached", registry=registry)
        self.running = Gauge("csps_bot_answers_running", "Answers being written", registry=registry)
        self.waiting = Gauge("csps_bot_answers_waiting", "Messages whose turn has not come", registry=registry)
        self.feedback = Counter("csps_bot_feedback", "Answers that were judged", ("value",), registry=registry)
        self.tokens = Counter("csps_bot_tokens", "Tokens as the model counted them", ("kind",), registry=registry)
        ProcessCollector(registry=registry)

    def used(self, usage: Usage) -> None:
        count_tokens(self.tokens, usage)
