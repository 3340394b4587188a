"""Judges an engine's failure: may another engine be asked, and what does it say about this one. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from core.errors import CspsError, ModelError, ModelRefused, ModelTooSlow, ModelUnavailable, Overloaded
from core.model.client.circuit_breaker import CircuitBreaker

# A redirect (never followed, because the key would go along), a wrong key, a model that the engine does not serve.
UNUSABLE_STATUSES = {*range(300, 400), 401, 403, 404}
RETRY_AFTER_S = 5.0


def may_ask_another(error: CspsError) -> bool:
    """True if the engine did not take the request, or died before its answer began.

    False for silence: the request may stand in the engine's queue, and a second one would be computed too.
    """
    return isinstance(error, ModelUnavailable | Overloaded) or is_unusable(error)


def is_unusable(error: CspsError) -> bool:
    """True if the engine would refuse every request, until somebody changes its configuration or ours."""
    return isinstance(error, ModelRefused) and error.engine_status in UNUSABLE_STATUSES


def record(error: CspsError, breaker: CircuitBreaker) -> None:
    """Tells the breaker. A refusal of this one request says nothing about the engine."""
    if isinstance(error, Overloaded):
        breaker.record_busy(RETRY_AFTER_S if error.retry_after_s is None else error.retry_after_s)
    elif is_unusable(error) or not is_connected(error):
        breaker.record_failure(error.message, hard=True)
    elif isinstance(error, ModelUnavailable | ModelTooSlow) or is_server_error(error):
        breaker.record_failure(error.message)


def is_connected(error: CspsError) -> bool:
    return not isinstance(error.__cause__, httpx.ConnectError | httpx.ConnectTimeout)


def is_server_error(error: CspsError) -> bool:
    return isinstance(error, ModelRefused) and (error.engine_status or 0) >= 500


def combine(model: str, failures: Mapping[str, CspsError]) -> CspsError:
    """One error for a model that no engine answers for, with the reason of each engine by its label."""
    reasons = "; ".join(f"{label}: {error.message}" for label, error in failures.items())
    message = f"no engine answers for the model {model!r}: {reasons}"
    waits = [error.retry_after_s for error in failures.values() if error.retry_after_s is not None]
    retry_after_s = min(waits, default=None)
    if all(isinstance(error, Overloaded) for error in failures.values()):
        return Overloaded(message, retry_after_s=retry_after_s)
    if any(isinstance(error, Overloaded | ModelUnavailable) for error in failures.values()):
        return ModelUnavailable(message, retry_after_s=retry_after_s)
    slow = any(isinstance(error, ModelTooSlow) for error in failures.values())
    kind: type[ModelError] = ModelTooSlow if slow else ModelRefused
    return kind(message)
