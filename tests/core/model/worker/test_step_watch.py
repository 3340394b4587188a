"""An inference thread that hangs is noticed by what its calls usually take."""

from __future__ import annotations

from core.model.worker.step_watch import FIRST_CALLS, FLOOR_S, UNKNOWN_S, StepWatch


class Thread:
    """A thread that computes calls, and a health check that looks once a second."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.watch = StepWatch(lambda: self.now_s)

    def call(self, took_s: float, expected_s: float = 0.0) -> None:
        self.watch.begin()
        self.watch.begin_call(expected_s)
        self.now_s += took_s
        self.watch.end_call()
        self.watch.end()

    def run(self, calls: int, took_s: float) -> None:
        for _ in range(calls):
            self.call(took_s)

    def hang(self, expected_s: float = 0.0, tick_s: float = 1.0) -> float:
        """The seconds until a call that never returns is noticed."""
        self.watch.begin()
        self.watch.begin_call(expected_s)
        began_s = self.now_s
        while not self.watch.is_overdue():
            self.now_s += tick_s
        return self.now_s - began_s


def test_a_call_that_hangs_is_noticed_by_the_floor() -> None:
    """A machine whose calls take milliseconds gives none of them two minutes."""
    thread = Thread()
    thread.run(FIRST_CALLS + 100, 0.05)
    assert FLOOR_S < thread.hang() <= FLOOR_S + 2


def test_a_slow_machine_has_a_later_deadline() -> None:
    """Ten times the slowest of the latest calls, up to the limit of unknown work."""
    thread = Thread()
    thread.run(FIRST_CALLS + 10, 4.0)
    assert 40 < thread.hang() <= 42
    slower = Thread()
    slower.run(FIRST_CALLS + 10, 60.0)
    assert UNKNOWN_S < slower.hang() <= UNKNOWN_S + 2


def test_one_slow_call_is_remembered_for_a_while() -> None:
    """A prompt's slice after a thousand quick tokens has time; much later the deadline is short again."""
    thread = Thread()
    thread.run(FIRST_CALLS + 1, 8.0)
    thread.run(500, 0.01)
    assert thread.hang() > 40
    thread.watch.end()
    thread.run(5000, 0.01)
    assert thread.hang() < FLOOR_S + 2


def test_a_call_that_should_be_long_has_time() -> None:
    """The rates of the machine foretell a large slice of a prompt, even if no call was so long before."""
    thread = Thread()
    thread.run(FIRST_CALLS + 1, 0.01)
    assert 30 < thread.hang(expected_s=3.0) <= 32


def test_first_calls_and_other_work_have_two_minutes() -> None:
    """Kernels warm up, and a suspended conversation is read from the disk."""
    assert UNKNOWN_S < Thread().hang() <= UNKNOWN_S + 2
    thread = Thread()
    thread.run(FIRST_CALLS + 1, 0.01)
    thread.watch.begin()
    began_s = thread.now_s
    while not thread.watch.is_overdue():
        thread.now_s += 1
    assert thread.now_s - began_s > UNKNOWN_S


def test_a_machine_that_slept_has_no_hanging_thread() -> None:
    """A jump of the clock, or a stopped process, counts as one look."""
    thread = Thread()
    thread.run(FIRST_CALLS + 1, 0.01)
    thread.watch.begin()
    thread.watch.begin_call(0.01)
    assert not thread.watch.is_overdue()
    thread.now_s += 40 * 24 * 3600
    assert not thread.watch.is_overdue()
    thread.watch.end_call()
    thread.run(5000, 0.01)
    assert thread.hang() < FLOOR_S + 2
