"""The Prometheus metrics of the model process: counts, tokens, seconds. No text, no users."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as SequenceOf

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from core.model.worker.scheduler import ScheduledTokens, Scheduler
from core.model.worker.sequence import Sequence

TOKEN_KINDS = ("prefill", "decode", "cached", "drafted", "accepted")
SAMPLING_SECONDS = (0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05)
QUEUE_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class StepCounts(Collector):
    """Counts of every step, as plain numbers that are read when somebody looks: a Counter's lock costs each step more.

    Only the inference thread writes them.
    """

    def __init__(self) -> None:
        self.steps = 0
        self.tokens = dict.fromkeys(TOKEN_KINDS, 0)

    def collect(self) -> Iterator[CounterMetricFamily]:
        tokens = CounterMetricFamily("csps_model_tokens", f"Tokens by kind: {', '.join(TOKEN_KINDS)}", labels=["kind"])
        for kind, count in self.tokens.items():
            tokens.add_metric([kind], count)
        yield tokens
        yield CounterMetricFamily("csps_model_steps", "Batches computed", value=self.steps)


class ModelMetrics:
    """Has a registry of its own, so that one test process can hold several."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.registry = r = CollectorRegistry()
        self._work = StepCounts()
        r.register(self._work)
        self.requests = Counter("csps_model_requests", "Requests that ended", registry=r)
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
        self._work.tokens["cached"] += sequence.cached

    def count_draft(self, drafted: int, accepted: int) -> None:
        self._work.tokens["drafted"] += drafted
        self._work.tokens["accepted"] += accepted

    def count_step(self, plan: SequenceOf[ScheduledTokens]) -> None:
        self._work.steps += 1
        for part in plan:
            self._work.tokens["decode" if part.sequence.generated else "prefill"] += part.count
