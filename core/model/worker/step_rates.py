"""Measured rates of the inference thread: how much prefill a step may hold, and how long a request will wait."""

from __future__ import annotations

STEP_TARGET_S = 0.15  # while a sequence decodes, prefill may lengthen a step to about this
MIN_PREFILL_TOKENS = 32  # per step, however slow the machine


class StepRates:
    """Moving averages over the last steps and requests."""

    def __init__(self) -> None:
        self.prefill_rate = 200.0  # tokens per second
        self._service_s: float | None = None  # seconds that a request occupies its slot

    def measure_step(self, tokens: int, took_s: float) -> None:
        if tokens >= MIN_PREFILL_TOKENS and took_s > 0:
            self.prefill_rate += 0.3 * (tokens / took_s - self.prefill_rate)

    def measure_service(self, took_s: float) -> None:
        self._service_s = took_s if self._service_s is None else self._service_s + 0.2 * (took_s - self._service_s)

    def prefill_tokens(self) -> int:
        """Returns the prefill tokens of a step in which sequences decode."""
        return max(MIN_PREFILL_TOKENS, int(self.prefill_rate * STEP_TARGET_S))

    def expected_wait_s(self, position: int, slots: int) -> float | None:
        """Returns the wait of the request at this position of the queue; None until a first one has finished."""
        return None if self._service_s is None else round(self._service_s * position / slots, 1)
