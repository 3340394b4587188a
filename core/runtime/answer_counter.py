"""Counts answers by the model that wrote them, so that an operator sees how long a stand-in answered."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter

MODELS_LIMIT = 32  # each is a time series, and an engine behind a URL names its models as it likes
OTHER = "other"


class AnswerCounter:
    """A counter with the label `model`: the models' names as people see them."""

    def __init__(self, name: str, registry: CollectorRegistry) -> None:
        self._counter = Counter(name, "Complete answers, by the model that wrote them", ("model",), registry=registry)
        self._models: set[str] = set()

    def count(self, model: str) -> None:
        if len(self._models) < MODELS_LIMIT:
            self._models.add(model)
        self._counter.labels(model if model in self._models else OTHER).inc()
