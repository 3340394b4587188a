"""The order of waiting requests, and who leaves a full queue."""

from __future__ import annotations

import numpy as np

from core.contract import Priority, Sampling
from core.model.worker.request_queue import BATCH_TURN, RequestQueue
from core.model.worker.sequence import Sequence
from tests.core.model.worker.support_fake_model import FakeSampler


def request(user: str | None = None, priority: Priority = "interactive") -> Sequence:
    made = Sequence(np.zeros(5, np.int32), 10, Sampling(), lambda _: None, user)
    made.priority = priority
    return made


def queue_of(*requests: Sequence) -> RequestQueue:
    queue = RequestQueue()
    for each in requests:
        queue.add(each)
    return queue


def serve_all(queue: RequestQueue) -> list[Sequence]:
    order = []
    while len(queue):
        order.append(next(iter(queue)))
        queue.serve(order[-1])
    return order


def test_people_come_before_batches() -> None:
    """A row of a batch that came first waits for a person's request."""
    row, person = request("a", "batch"), request("b")

    assert serve_all(queue_of(row, person)) == [person, row]


def test_one_turn_in_some_is_a_batchs() -> None:
    """A batch does not starve behind people, however many there are; the announced order is the served one."""
    rows = [request("batch", "batch") for _ in range(3)]
    people = [request(f"user {n}") for n in range(4 * BATCH_TURN)]
    queue = queue_of(*rows, *people)
    announced = list(queue)
    order = serve_all(queue)

    assert order == announced
    assert [order.index(row) for row in rows] == [BATCH_TURN * n - 1 for n in (1, 2, 3)]


def test_two_hundred_users_are_served_in_turns() -> None:
    """The first request of each user comes before anybody's second one."""
    requests = [request(f"user {n % 200}") for n in range(600)]
    order = [each.user for each in serve_all(queue_of(*requests))]

    assert all(len(set(order[n : n + 200])) == 200 for n in (0, 200, 400))


def test_the_user_with_most_waiting_makes_room() -> None:
    """The latest request of that user leaves; a user who has as many as the largest gets no room."""
    crowd = [request("crowd") for _ in range(3)]
    queue = queue_of(*crowd, request("few"))

    assert queue.crowding_out(request("new")) is crowd[-1]
    assert queue.crowding_out(request("few")) is crowd[-1]
    assert queue.crowding_out(request("crowd")) is None
    queue.add(request("few"))
    assert queue.crowding_out(request("few")) is None, "both would have three"


def test_batches_make_room_for_people() -> None:
    """A row never displaces a person's request, and begun answers stay."""
    begun, row = request("batch", "batch"), request("batch", "batch")
    begun.sampler = FakeSampler(1)
    queue = queue_of(begun, row, *(request("crowd") for _ in range(5)))

    assert queue.crowding_out(request("crowd")) is row
    assert queue.crowding_out(request("other", "batch")) is row
    queue.remove(row)
    assert queue.crowding_out(request("other", "batch")) is None
