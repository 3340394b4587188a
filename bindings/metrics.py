"""The Prometheus metrics of a bot's process. Label values are bounded; none identifies a person or a place."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector

from core.contract import Done
from core.runtime.answer_counter import AnswerCounter
from core.runtime.http_server import count_tokens


class BotMetrics:
    """Metrics in a registry of their own, so that two bots in one process (as in tests) do not collide."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.events = Counter("csps_bot_events", "Events taken for the first time", registry=registry)
        self.repeats = Counter("csps_bot_repeats", "Events that were delivered again", registry=registry)
        self.calls = Counter("csps_bot_calls", "Calls to the platform", ("outcome",), registry=registry)
        self.answers = Counter("csps_bot_answers", "Finished answers", ("outcome",), registry=registry)
        self.undeliverable = Counter(
            "csps_bot_undeliverable", "Answers and notices of which the platform refused every form", registry=registry
        )
        self.credentials_refused = Gauge(
            "csps_bot_credentials_refused", "1 while the platform refuses the bot's token, else 0", registry=registry
        )
        self.connected = Gauge("csps_bot_connected", "1 while the platform is reachable, else 0", registry=registry)
        self.running = Gauge("csps_bot_answers_running", "Messages being answered", registry=registry)
        self.waiting = Gauge("csps_bot_answers_waiting", "Messages waiting to be answered", registry=registry)
        self.feedback = Counter("csps_bot_feedback", "Feedback on answers", ("value",), registry=registry)
        self.tokens = Counter("csps_bot_tokens", "Tokens counted by the model", ("kind",), registry=registry)
        self.by_model = AnswerCounter("csps_bot_answers_by_model", registry)
        ProcessCollector(registry=registry)

    def count_answer(self, answer: Done) -> None:
        count_tokens(self.tokens, answer.usage)
        self.by_model.count(answer.model)
