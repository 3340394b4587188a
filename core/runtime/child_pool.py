"""A pool of child processes for input that may be slow, huge or fatal; the kernel ends a child that breaks its limits.

A child is any command that reads requests from stdin and writes one line of JSON, an object, for each. A child asks to
be ended by `"spent": true` in its answer. Children are reused, because starting one takes longer than most answers.
The caller and the child define the request and the limits in the child.
"""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from core import PROJECT_ROOT

LINE_LIMIT_BYTES = 64 * 1024 * 1024
END_LIMIT_S = 5.0


class ChildEnded(Exception):
    """The child did not answer: it exceeded its time or memory, or crashed."""


class ChildPool:
    """Starts at most `limit` children on demand; they end with `close` or with this process. One per event loop."""

    def __init__(self, command: Sequence[str], *, limit: int, wall_limit_s: float) -> None:
        self._command = command
        self._wall_limit_s = wall_limit_s
        self._slots = asyncio.Semaphore(limit)
        self._idle: list[Process] = []  # a stack: the memory of the child used last is warm

    async def ask(self, request: bytes) -> dict[str, Any]:
        """Returns a child's answer. Raises ChildEnded."""
        async with self._slots, self._child() as child:
            answer = await ask_child(child, request, self._wall_limit_s)
            if answer.get("spent"):
                await end_child(child)
        return answer

    @asynccontextmanager
    async def _child(self) -> AsyncIterator[Process]:
        """Lends a child for one request. A child that did not answer in full is ended."""
        child = self._idle.pop() if self._idle else None
        if child is None or child.returncode is not None:
            child = await self._start()
        try:
            yield child
        except BaseException:
            await end_child(child)
            raise
        if child.returncode is None:
            self._idle.append(child)

    async def _start(self) -> Process:
        # asyncio never ends a child whose start is cancelled half-way: the callback kills it once it has started.
        starting = asyncio.ensure_future(
            asyncio.create_subprocess_exec(
                *self._command,
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                cwd=PROJECT_ROOT,
                limit=LINE_LIMIT_BYTES,
                start_new_session=True,  # this process handles Ctrl-C in a terminal, the child must not
            )
        )
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            starting.add_done_callback(kill_started)
            raise

    async def close(self) -> None:
        """Ends the children. No request may be running."""
        while self._idle:
            await end_child(self._idle.pop())


async def ask_child(child: Process, request: bytes, wall_limit_s: float) -> dict[str, Any]:
    """Returns the answer of `child`. Raises ChildEnded if `child` must be ended."""
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        async with asyncio.timeout(wall_limit_s):
            child.stdin.write(request)
            await child.stdin.drain()
            line = await child.stdout.readline()
    except (TimeoutError, ConnectionError, ValueError) as exc:  # ValueError: a line longer than the limit
        raise ChildEnded from exc
    if not line.endswith(b"\n"):
        raise ChildEnded
    answer: dict[str, Any] = json.loads(line)
    return answer


def kill_started(starting: asyncio.Future[Process]) -> None:
    if not starting.cancelled() and starting.exception() is None:
        starting.result().kill()


async def end_child(child: Process) -> None:
    """Kills the child and closes its pipes: an open transport would outlive its loop."""
    if child.returncode is None:
        child.kill()
    with suppress(TimeoutError):  # asyncio also waits for the pipes, which may stay open after the child has ended
        async with asyncio.timeout(END_LIMIT_S):
            await child.wait()
    if child.stdin is not None:
        child.stdin.close()
