"""A queue that is fair between users: start-time fair queueing, with a cost of one for each request.

Goyal, Vin, Cheng, "Start-time fair queueing" (SIGCOMM 1996). A user with a hundred waiting requests delays another
user's first request by one turn, not by a hundred. Knows no clock.
"""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item", bound=Hashable)


class FairQueue(Generic[Item]):
    def __init__(self) -> None:
        self._order: list[tuple[float, int, Item]] = []
        self._users: dict[Item, Hashable] = {}
        self._virtual_time = 0.0
        self._last_start: dict[Hashable, float] = {}
        self._arrivals = 0

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[Item]:
        """Iterates in service order."""
        return iter([item for _, _, item in self._order])

    def add(self, item: Item, user: Hashable) -> None:
        start = max(self._virtual_time, self._last_start.get(user, -1.0) + 1.0)
        self._last_start[user] = start
        self._insert(start, item, user)

    def add_first(self, item: Item, user: Hashable) -> None:
        """Inserts in front of all others: a preempted sequence returns here."""
        first = self._order[0][0] if self._order else self._virtual_time
        self._insert(first - 1.0, item, user)

    def counts(self) -> Counter[Hashable]:
        """The number of waiting items of each user."""
        return Counter(self._users.values())

    def items_of(self, user: Hashable) -> list[Item]:
        """A user's items in service order."""
        return [item for item in self if self._users[item] == user]

    def remove(self, item: Item) -> None:
        """Removes an item that is about to be served, or was cancelled. Raises ValueError if it is not queued."""
        index = next((i for i, entry in enumerate(self._order) if entry[2] is item), None)
        if index is None:
            raise ValueError("not queued")
        start = self._order.pop(index)[0]
        del self._users[item]
        if not self._order:  # an empty queue leaves no claims
            self._virtual_time = 0.0
            self._last_start.clear()
            return
        # Never past a waiting item: a cancelled request far behind must not push newcomers behind all others.
        self._virtual_time = max(self._virtual_time, min(start, self._order[0][0]))
        self._forget_idle_users()

    def _insert(self, start: float, item: Item, user: Hashable) -> None:
        self._arrivals += 1
        self._users[item] = user
        bisect.insort(self._order, (start, self._arrivals, item), key=lambda entry: entry[:2])

    def _forget_idle_users(self) -> None:
        # A user whose last start lies behind the virtual time has no claim left.
        if len(self._last_start) > 2 * len(self._order) + 64:
            self._last_start = {u: s for u, s in self._last_start.items() if s + 1.0 > self._virtual_time}
