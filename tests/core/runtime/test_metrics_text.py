"""The metrics of several processes or models in one text."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from core.runtime.metrics_text import merge_metrics


def metrics_of(tokens: int, running: int) -> str:
    registry = CollectorRegistry()
    Counter("csps_tokens", "Tokens by kind", ["kind"], registry=registry).labels("a,} b").inc(tokens)
    Gauge("csps_running", "Running", registry=registry).set(running)
    return generate_latest(registry).decode()


def test_each_sample_says_its_model() -> None:
    """Names may contain any character. The text is valid, with the comments of each metric once."""
    names = ['owner/a.gguf?window=1"2\\', "b"]
    merged = merge_metrics({names[0]: metrics_of(5, 1), names[1]: metrics_of(7, 2)}, "model")
    families = {family.name: family.samples for family in text_string_to_metric_families(merged)}
    tokens = [sample for sample in families["csps_tokens"] if sample.name == "csps_tokens_total"]

    assert [(5.0, names[0], "a,} b"), (7.0, names[1], "a,} b")] == [
        (sample.value, sample.labels["model"], sample.labels["kind"]) for sample in tokens
    ]
    assert [1.0, 2.0] == [sample.value for sample in families["csps_running"]]
    assert 1 == merged.count("# TYPE csps_running ")


def test_a_worker_that_is_ending_has_no_metrics() -> None:
    """Neither has a host without a loaded model."""
    assert "" == merge_metrics({"a": ""}, "model") == merge_metrics({}, "model")
