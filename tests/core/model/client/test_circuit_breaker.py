"""When an engine is asked: by its failures, its health checks and its Retry-After."""

from __future__ import annotations

import pytest

from core.model.client.circuit_breaker import BUSY_LIMIT_S, FAILURES_LIMIT, CircuitBreaker


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker(clock)


def test_it_opens_after_failures_in_a_row(breaker: CircuitBreaker) -> None:
    """A success in between starts the count again."""
    for _ in range(FAILURES_LIMIT - 1):
        breaker.record_failure("died")
    breaker.record_success()
    for _ in range(FAILURES_LIMIT - 1):
        breaker.record_failure("died")
    assert breaker.state == "closed"

    breaker.record_failure("died")

    assert (breaker.state, breaker.problem) == ("open", "died")


def test_a_hard_failure_opens_it_at_once(breaker: CircuitBreaker) -> None:
    """Nothing listens there: the next person need not wait for a second proof."""
    breaker.record_failure("refused", hard=True)

    assert breaker.state == "open"


def test_it_closes_by_a_health_check_and_an_answer(breaker: CircuitBreaker, clock: Clock) -> None:
    """The check comes when the pause is over. A healthy engine is tried; its first answer closes the breaker."""
    breaker.record_failure("refused", hard=True)
    assert not breaker.needs_check
    clock.now_s = 2
    assert breaker.needs_check

    breaker.record_healthy()
    assert breaker.state == "half_open"
    breaker.record_success()

    assert (breaker.state, breaker.problem) == ("closed", None)


def test_each_opening_lasts_longer(breaker: CircuitBreaker, clock: Clock) -> None:
    """One failure opens a half-open breaker again. The pauses double up to a limit, and an answer resets them."""
    breaker.record_failure("refused", hard=True)
    clock.now_s = 2
    breaker.record_healthy()
    breaker.record_failure("died")
    clock.now_s += 1.5
    assert not breaker.needs_check
    for _ in range(20):
        breaker.record_unhealthy("still away")
    clock.now_s += 40
    assert breaker.needs_check

    breaker.record_healthy()
    breaker.record_success()
    breaker.record_failure("refused", hard=True)
    clock.now_s += 1.5

    assert breaker.needs_check


def test_many_streams_that_break_at_once_are_one_opening(breaker: CircuitBreaker, clock: Clock) -> None:
    """Fifty people read answers when an engine dies. Its pause is that of a first failure."""
    for _ in range(50):
        breaker.record_failure("died")
    clock.now_s = 1.5

    assert breaker.needs_check


def test_an_old_answer_does_not_close_an_open_breaker(breaker: CircuitBreaker) -> None:
    """It began before the engine failed."""
    breaker.record_failure("refused", hard=True)
    breaker.record_success()

    assert breaker.state == "open"


def test_a_busy_engine_is_left_alone_for_a_bounded_time(breaker: CircuitBreaker, clock: Clock) -> None:
    """Retry-After is no failure, and one of a day is not believed."""
    breaker.record_busy(86_400)
    assert (breaker.state, breaker.busy_s) == ("closed", BUSY_LIMIT_S)
    clock.now_s = BUSY_LIMIT_S

    assert breaker.busy_s == 0
