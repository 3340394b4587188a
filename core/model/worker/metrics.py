"""The Prometheus metrics of the model process: counts, tokens, seconds. No text, no users."""

from __future__ import annotations

from collections.abc import Sequence as SequenceOf

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from core.model.worker.scheduler import ScheduledTokens, Scheduler
from core.model.worker.sequence import Sequence

SAMPLING_SECONDS = (0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05)
QUEUE_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class ModelMetrics:
    """Has a registry of its own, so that one test process can hold several."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.registry = r = CollectorRegistry()
        tokens = Counter("csps_model_tokens", "Tokens by kind: prefill, decode, cached", ["kind"], registry=r)
        self._prefill, self._decode, self._cached = (tokens.labels(kind) for kind in ("prefill", "decode", "cached"))
        self.requests = Counter("csps_model_requests", "Requests that ended", registry=r)
        self._steps = Counter("csps_model_steps", "Batches computed", registry=r)
        self.preempted = Counter("csps_model_preemptions", "Sequences preempted for KV cache room", registry=r)
        self.restored = Counter("csps_model_prefixes_restored", "Prefixes restored from disk at start", registry=r)
        self.resumed = Counter("csps_model_conversations_resumed", "Conversations read from disk", registry=r)
        self._waited = Histogram("csps_model_queue_seconds", "Wait for a slot", buckets=QUEUE_SECONDS, registry=r)
        self.constrained = Histogram(
            "csps_model_constrained_choice_seconds",
            "Sampling one token under a schema",
            buckets=SAMPLING_SECONDS,
            registry=r,
        )
        Gauge("csps_model_running", "Running sequences", registry=r).set_function(lambda: len(scheduler.running))
        Gauge("csps_model_waiting", "Waiting requests", registry=r).set_function(lambda: len(scheduler.waiting))

    def count_admission(self, sequence: Sequence, waited_s: float) -> None:
        self._waited.observe(waited_s)
        self._cached.inc(sequence.cached)

    def count_step(self, plan: SequenceOf[ScheduledTokens]) -> None:
        self._steps.inc()
        decoded = sum(part.count for part in plan if part.sequence.generated)
        self._decode.inc(decoded)
        self._prefill.inc(sum(part.count for part in plan) - decoded)
