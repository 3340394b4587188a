"""What the web process counts, for Prometheus. Labels are bounded sets; nothing here identifies a person."""

from __future__ import annotations

from aiohttp import hdrs
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from core.contract import Usage
from core.runtime.metrics import count_tokens

FIRST_WORDS_BUCKETS_S = (0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120)


class Metrics:
    """A registry of its own for each app, so that two in one process (as in tests) do not collide."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter(
            "csps_web_requests", "Requests answered", ("route", "method", "status"), registry=registry
        )
        self.errors = Counter("csps_web_errors", "Failures told to a client", ("code",), registry=registry)
        self.running = Gauge("csps_web_replies_running", "Answers being written", registry=registry)
        self.tokens = Counter("csps_web_tokens", "Tokens as the model counted them", ("kind",), registry=registry)
        self.first_words = Histogram(
            "csps_web_first_words_seconds",
            "From prompt to first words",
            buckets=FIRST_WORDS_BUCKETS_S,
            registry=registry,
        )
        ProcessCollector(registry=registry)

    def answered(self, route: str, method: str, status: int) -> None:
        # A client may send any word as a method, and each would be a time series.
        known = method if method in hdrs.METH_ALL else "other"
        self.requests.labels(route, known, str(status)).inc()

    def used(self, usage: Usage) -> None:
        count_tokens(self.tokens, usage)
