"""Learns from loads: how long the next one takes, and when a model that failed may be tried again."""

from __future__ import annotations

from core.errors import CspsError, ModelRefused, ModelUnavailable
from core.model.host.worker_process import WorkerEnd
from core.runtime.backoff import RestartBackoff

FIRST_GUESS_BYTES_PER_S = 500e6  # a slow SSD
START_S = 1.0  # of the process, before it reads the file
LATEST_SHARE = 0.5  # of the latest load in the average rate
REFUSED_AGAIN_S = 60.0  # until a model that cannot be loaded is tried again


class LoadTimes:
    """Expects how long a load takes, from the file's size and the loads so far."""

    def __init__(self) -> None:
        self._bytes_per_s = FIRST_GUESS_BYTES_PER_S

    def expected_s(self, file_bytes: int) -> float:
        return START_S + file_bytes / self._bytes_per_s

    def record(self, file_bytes: int, took_s: float) -> None:
        rate = max(file_bytes, 1) / max(took_s - START_S, 0.1)
        self._bytes_per_s = LATEST_SHARE * rate + (1 - LATEST_SHARE) * self._bytes_per_s


class LoadHistory:
    """The failures and the measured memory of one deployment. `refusal` holds until `not_before`."""

    def __init__(self) -> None:
        self.private_bytes: int | None = None
        self.not_before = 0.0
        self.refusal: CspsError | None = None
        self._backoff = RestartBackoff()

    def record(self, end: WorkerEnd, now: float, *, was_ready: bool) -> float:
        """Records the end of a worker that nobody stopped. Returns the pause before the next start, in seconds."""
        pause_s = self._backoff.after(end.ran_s)
        if end.failure and end.failure.permanent:
            pause_s = REFUSED_AGAIN_S
            self.refusal = ModelRefused(end.failure.message)
        elif not was_ready:
            problem = end.failure.message if end.failure else f"the model's process ended while it loaded: {end.reason}"
            self.refusal = ModelUnavailable(problem, retry_after_s=pause_s)
        else:
            self.refusal = None
        self.not_before = now + pause_s
        return pause_s
