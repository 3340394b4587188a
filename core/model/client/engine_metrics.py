"""Prometheus metrics of the engines behind URLs. Their labels, hosts and ids of models, identify no person."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from core.contract import EngineHealth

LABELS = ("model", "engine")
STATES = ("up", "returning", "away")


class EngineMetrics(Collector):
    """`health`: the engines now."""

    def __init__(self, health: Callable[[], Sequence[EngineHealth]]) -> None:
        self._health = health

    def collect(self) -> Iterator[Metric]:
        requests = CounterMetricFamily("csps_engine_requests", "Requests that ended", labels=(*LABELS, "outcome"))
        running = GaugeMetricFamily("csps_engine_running", "Answers being written", labels=LABELS)
        state = GaugeMetricFamily("csps_engine_state", "1 for the state that it has", labels=(*LABELS, "state"))
        for each in self._health():
            labels = (each.model or "", each.engine)
            requests.add_metric((*labels, "answered"), each.answered)
            requests.add_metric((*labels, "failed"), each.failed)
            running.add_metric(labels, each.running)
            for name in STATES:
                state.add_metric((*labels, name), float(each.state == name))
        yield from (requests, running, state)
