"""The metric of answers by model."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from core.runtime.answer_counter import MODELS_LIMIT, AnswerCounter


def test_models_have_a_bounded_number_of_labels() -> None:
    """Known models are counted on; the others together."""
    registry = CollectorRegistry()
    counter = AnswerCounter("answers", registry)
    for model in ["first", *(f"model{number}" for number in range(MODELS_LIMIT + 4)), "first"]:
        counter.count(model)

    counted = {
        sample.labels["model"]: sample.value
        for metric in registry.collect()
        for sample in metric.samples
        if sample.name == "answers_total"
    }
    assert (counted["first"], counted["other"]) == (2, 5)
    assert len(counted) == MODELS_LIMIT + 1
