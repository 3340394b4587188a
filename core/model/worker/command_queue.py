"""Functions that other threads pass to one thread, which calls them in order."""

from __future__ import annotations

import queue
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Result = TypeVar("Result")
Command = Callable[[], None]


class CommandQueue:
    """Any thread may call `put` and `run`; `take` and `call_all` belong to the one thread."""

    def __init__(self) -> None:
        self._commands: queue.SimpleQueue[Command] = queue.SimpleQueue()

    def put(self, command: Command) -> None:
        self._commands.put(command)

    def run(self, work: Callable[[], Result]) -> Future[Result]:
        """Calls `work` on the thread; the future has its result."""
        future: Future[Result] = Future()

        def do() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(work())
            except Exception as exc:  # noqa: BLE001 - the future carries it to the caller
                future.set_exception(exc)

        self._commands.put(do)
        return future

    def take(self, timeout_s: float | None) -> Command | None:
        """Waits for the next command; None after the timeout, if there is one."""
        try:
            return self._commands.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def call_all(self) -> None:
        """Calls the commands that are there, and those that they add."""
        while not self._commands.empty():
            self._commands.get()()
