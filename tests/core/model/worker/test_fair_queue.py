"""Fairness between users, without a clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.worker.fair_queue import FairQueue


def drain(queue: FairQueue[str]) -> list[str]:
    """Removes all items; returns them in service order."""
    order = []
    while len(queue):
        first = next(iter(queue))
        queue.remove(first)
        order.append(first)
    return order


def test_one_user_is_served_in_order() -> None:
    """The queue serves one user first come, first served."""
    queue: FairQueue[str] = FairQueue()
    for item in ("a1", "a2", "a3"):
        queue.add(item, "a")

    assert drain(queue) == ["a1", "a2", "a3"]


def test_a_hundred_requests_delay_another_user_by_one_turn() -> None:
    """Another user does not wait for all hundred requests."""
    queue: FairQueue[str] = FairQueue()
    for n in range(100):
        queue.add(f"a{n}", "a")
    queue.add("b0", "b")

    assert drain(queue).index("b0") == 1


def test_users_take_turns() -> None:
    """While two users have waiting requests, neither gets two turns in a row."""
    queue: FairQueue[str] = FairQueue()
    for n in range(5):
        queue.add(f"a{n}", "a")
    for n in range(5):
        queue.add(f"b{n}", "b")

    assert drain(queue) == ["a0", "b0", "a1", "b1", "a2", "b2", "a3", "b3", "a4", "b4"]


def test_idling_earns_no_credit() -> None:
    """A user who returns takes turns from now on, and gets no extra turns for the past."""
    queue: FairQueue[str] = FairQueue()
    items = [f"a{n}" for n in range(10)]
    for item in items:
        queue.add(item, "a")
    for item in items[:8]:
        queue.remove(item)
    for n in range(4):
        queue.add(f"b{n}", "b")

    assert drain(queue)[:4] == ["b0", "a8", "b1", "a9"]


def test_cancelled_requests_do_not_delay_newcomers() -> None:
    """Cancelling requests far behind leaves the other turns unchanged."""
    queue: FairQueue[str] = FairQueue()
    items = [f"a{n}" for n in range(100)]
    for item in items:
        queue.add(item, "a")
    for item in items[50:]:
        queue.remove(item)
    queue.add("b0", "b")

    assert drain(queue).index("b0") == 1


def test_a_preempted_item_is_served_next() -> None:
    """A preempted item goes before all others; of several, the last one preempted is first."""
    queue: FairQueue[str] = FairQueue()
    queue.add("a", "a")
    queue.add_first("younger", "b")
    queue.add_first("older", "c")

    assert drain(queue) == ["older", "younger", "a"]


def test_an_item_that_is_not_queued_cannot_be_removed() -> None:
    """Removing an unknown item raises ValueError."""
    with pytest.raises(ValueError, match="not queued"):
        FairQueue[str]().remove("a")


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.booleans()), max_size=200))
def test_any_arrivals_are_served_once_in_order_and_fairly(arrivals: list[tuple[str, bool]]) -> None:
    """Each item is served once and each user in order; no user is served twice while another waits unserved."""
    queue: FairQueue[str] = FairQueue()
    order: list[str] = []
    waited: dict[str, int] = {}  # turns of other users since this user began to wait
    names = [f"{user}{n}" for n, (user, _) in enumerate(arrivals)]

    def serve() -> None:
        first = next(iter(queue))
        waiting = {item[0] for item in queue}
        queue.remove(first)
        order.append(first)
        for user in waiting - {first[0]}:
            waited[user] = waited.get(user, 0) + 1
            assert waited[user] <= 2 * 3, f"{user} waits too long"
        waited[first[0]] = 0

    for name, (user, then_serve) in zip(names, arrivals, strict=True):
        queue.add(name, user)
        if then_serve:
            serve()
    while len(queue):
        serve()

    assert sorted(order) == sorted(names)
    for user in "abcd":
        assert [item for item in order if item[0] == user] == [item for item in names if item[0] == user]


def test_idle_users_are_forgotten() -> None:
    """Users without waiting requests take no memory, whether the queue empties or not."""
    queue: FairQueue[str] = FairQueue()
    for n in range(1000):
        queue.add("item", f"user {n}")
        queue.remove("item")
    assert not queue._last_start

    queue.add("always", "second user")
    for n in range(1000):
        queue.add("one", f"user {n}")
        queue.add("two", f"user {n}")
        for item in ("always", "one", "two"):
            queue.remove(item)
        queue.add("always", "second user")
        queue.add("one", "third user")
        queue.remove("one")
    assert len(queue._last_start) < 100
