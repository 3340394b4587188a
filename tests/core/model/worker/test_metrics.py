"""The metrics of the model process."""

from __future__ import annotations

import numpy as np
from prometheus_client import generate_latest

from core.contract import Sampling
from core.model.worker.metrics import ModelMetrics
from core.model.worker.scheduler import ScheduledTokens, Scheduler
from core.model.worker.sequence import Sequence


def test_steps_and_tokens_are_counted_by_kind() -> None:
    """A sequence that has written nothing computes its prompt; others decode."""
    metrics = ModelMetrics(Scheduler(slots=2, queue_limit=2))
    prompt, answer = (Sequence(np.zeros(30, np.int32), 9, Sampling(), lambda _: None) for _ in range(2))
    answer.generated.append(1)
    answer.cached = 20
    metrics.count_admission(answer, waited_s=0.0)
    for _ in range(2):
        metrics.count_step([ScheduledTokens(prompt, 30), ScheduledTokens(answer, 1)])
    lines = generate_latest(metrics.registry).decode().splitlines()

    assert {
        "csps_model_steps_total 2.0",
        'csps_model_tokens_total{kind="prefill"} 60.0',
        'csps_model_tokens_total{kind="decode"} 2.0',
        'csps_model_tokens_total{kind="cached"} 20.0',
    } <= set(lines)
