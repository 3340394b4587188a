"""Waiting requests in the order of service: fair between users, people before batches. Knows no clock."""

from __future__ import annotations

from collections.abc import Iterator

from core.contract import Priority
from core.model.worker.fair_queue import FairQueue
from core.model.worker.sequence import Sequence

BATCH_TURN = 8  # while people wait, one of this many turns is a batch's: it never starves


class RequestQueue:
    """A fair queue for each priority. Requests without a user share one user's turns."""

    def __init__(self) -> None:
        self._queues: dict[Priority, FairQueue[Sequence]] = {"interactive": FairQueue(), "batch": FairQueue()}
        self._turns = 0  # of people since the last one of a batch

    def __len__(self) -> int:
        return sum(len(queue) for queue in self._queues.values())

    def __iter__(self) -> Iterator[Sequence]:
        """Iterates in service order."""
        batch, turns = iter(self._queues["batch"]), self._turns
        for sequence in self._queues["interactive"]:
            if turns >= BATCH_TURN - 1 and (other := next(batch, None)):
                yield other
                turns = 0
            yield sequence
            turns += 1
        yield from batch

    def add(self, sequence: Sequence) -> None:
        self._queue_of(sequence).add(sequence, sequence.user or "")

    def add_first(self, sequence: Sequence) -> None:
        """Inserts a preempted sequence in front of all others of its priority."""
        self._queue_of(sequence).add_first(sequence, sequence.user or "")

    def serve(self, sequence: Sequence) -> None:
        """Removes a sequence that gets a slot."""
        passes_batches = sequence.priority == "interactive" and len(self._queues["batch"]) > 0
        self._turns = self._turns + 1 if passes_batches else 0
        self.remove(sequence)

    def remove(self, sequence: Sequence) -> None:
        """Raises ValueError if it is not queued."""
        self._queue_of(sequence).remove(sequence)

    def crowding_out(self, newcomer: Sequence) -> Sequence | None:
        """The request that has to leave a full queue for `newcomer`; None if no other user has more waiting.

        It is the latest one of the user who has most: of batches first. A begun answer stays.
        """
        if newcomer.priority == "interactive" and (latest := self._latest_of_most("batch", at_least=1)):
            return latest
        own = self._queue_of(newcomer).counts()[newcomer.user or ""]
        return self._latest_of_most(newcomer.priority, at_least=own + 2)

    def _latest_of_most(self, priority: Priority, at_least: int) -> Sequence | None:
        queue = self._queues[priority]
        for user, count in queue.counts().most_common():
            if count < at_least:
                break
            if latest := [sequence for sequence in queue.items_of(user) if not sequence.begun]:
                return latest[-1]
        return None

    def _queue_of(self, sequence: Sequence) -> FairQueue[Sequence]:
        return self._queues[sequence.priority]
