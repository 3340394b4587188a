"""Fairness between users, without a clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.fair_queue import FairQueue


def served(queue: FairQueue[str]) -> list[str]:
    """Everybody, in the order of service."""
    order = []
    while len(queue):
        first = next(iter(queue))
        queue.remove(first)
        order.append(first)
    return order


def test_one_user_is_served_in_order() -> None:
    """First come, first served."""
    queue: FairQueue[str] = FairQueue()
    for item in ("a1", "a2", "a3"):
        queue.add(item, "a")

    assert served(queue) == ["a1", "a2", "a3"]


def test_a_crowd_delays_a_newcomer_by_one_turn() -> None:
    """Someone with a hundred waiting requests does not make another user wait for all of them."""
    queue: FairQueue[str] = FairQueue()
    for n in range(100):
        queue.add(f"a{n}", "a")
    queue.add("b0", "b")

    assert served(queue).index("b0") == 1


def test_users_take_turns() -> None:
    """While both have requests waiting, neither is served twice in a row."""
    queue: FairQueue[str] = FairQueue()
    for n in range(5):
        queue.add(f"a{n}", "a")
    for n in range(5):
        queue.add(f"b{n}", "b")

    assert served(queue) == ["a0", "b0", "a1", "b1", "a2", "b2", "a3", "b3", "a4", "b4"]


def test_idling_earns_no_credit() -> None:
    """A user who was away while another was served takes turns from now on, and is not paid back for the past."""
    queue: FairQueue[str] = FairQueue()
    items = [f"a{n}" for n in range(10)]
    for item in items:
        queue.add(item, "a")
    for item in items[:8]:
        queue.remove(item)
    for n in range(4):
        queue.add(f"b{n}", "b")

    assert served(queue)[:4] == ["b0", "a8", "b1", "a9"]


def test_a_crowd_that_gives_up_does_not_delay_newcomers() -> None:
    """Requests that are cancelled far behind leave the others' turns as they were."""
    queue: FairQueue[str] = FairQueue()
    items = [f"a{n}" for n in range(100)]
    for item in items:
        queue.add(item, "a")
    for item in items[50:]:
        queue.remove(item)
    queue.add("b0", "b")

    assert served(queue).index("b0") == 1


def test_who_stepped_back_is_next() -> None:
    """A sequence that lost its place is served before everybody; of several, the one that stepped back last."""
    queue: FairQueue[str] = FairQueue()
    queue.add("a", "a")
    queue.add_first("younger")
    queue.add_first("older")

    assert served(queue) == ["older", "younger", "a"]


def test_an_item_that_is_not_queued_cannot_be_removed() -> None:
    """A caller's mistake shows at once."""
    with pytest.raises(ValueError, match="not queued"):
        FairQueue[str]().remove("a")


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.booleans()), max_size=200))
def test_nobody_is_lost_and_nobody_gets_ahead(arrivals: list[tuple[str, bool]]) -> None:
    """Whatever comes and goes: each item is served once, each user's in order, and among those that wait together
    nobody is served twice while another is not served at all."""
    queue: FairQueue[str] = FairQueue()
    order: list[str] = []
    waited: dict[str, int] = {}  # per user: how often each other was served while they waited
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


def test_users_who_left_are_forgotten() -> None:
    """A million users that came once take no memory: neither one after the other, nor while somebody always waits."""
    queue: FairQueue[str] = FairQueue()
    for n in range(1000):
        queue.add("item", f"user {n}")
        queue.remove("item")
    assert not queue._last_start

    queue.add("always", "somebody")
    for n in range(1000):
        queue.add("one", f"user {n}")
        queue.add("two", f"user {n}")
        for item in ("always", "one", "two"):
            queue.remove(item)
        queue.add("always", "somebody")
        queue.add("one", "somebody else")
        queue.remove("one")
    assert len(queue._last_start) < 100
