"""The model process's Prometheus metrics, named in one place. No text, no users: counts, tokens, seconds."""

from __future__ import annotations

from contextlib import AbstractContextManager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from core.model.scheduler import ScheduledTokens, Scheduler
from core.model.sequence import Sequence

CHOICE_SECONDS = (0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05)
SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class ModelMetrics:
    """One registry per process object, so that tests may have several."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.registry = CollectorRegistry()
        r = self.registry
        self._tokens = Counter("csps_model_tokens", "Tokens by kind: prefill, decode, cached", ["kind"], registry=r)
        self._requests = Counter("csps_model_requests", "Requests that left", registry=r)
        self._steps = Counter("csps_model_steps", "Batches computed", registry=r)
        self._preempted = Counter("csps_model_preemptions", "Sequences that gave their place up for room", registry=r)
        self._restored = Counter("csps_model_prefixes_restored", "Prefixes taken from disk at start", registry=r)
        self._waited = Histogram("csps_model_queue_seconds", "Wait for a slot", buckets=SECONDS, registry=r)
        self._chosen = Histogram(
            "csps_model_constrained_choice_seconds",
            "Drawing a token under a schema",
            buckets=CHOICE_SECONDS,
            registry=r,
        )
        Gauge("csps_model_running", "Sequences that run", registry=r).set_function(lambda: len(scheduler.running))
        Gauge("csps_model_waiting", "Requests that wait", registry=r).set_function(lambda: len(scheduler.waiting))

    def admitted(self, sequence: Sequence, waited_s: float) -> None:
        self._waited.observe(waited_s)
        self._tokens.labels("cached").inc(sequence.cached)

    def stepped(self, slices: list[ScheduledTokens]) -> None:
        self._steps.inc()
        for part in slices:
            self._tokens.labels("decode" if part.sequence.generated else "prefill").inc(part.count)

    def constrained(self) -> AbstractContextManager[object]:
        """Times what a schema costs for one token."""
        return self._chosen.time()

    def left(self, sequence: Sequence) -> None:
        self._requests.inc()

    def preempted(self) -> None:
        self._preempted.inc()

    def prefix_restored(self) -> None:
        self._restored.inc()
