"""Asks child processes what strangers' input may make slow, huge or fatal; the kernel ends those that it does.

A child is any command that reads questions from stdin and writes one line of JSON, an object, for each; `"spent": true`
in it asks for the child's end. Children live on from question to question, for starting one takes longer than most
answers. What a question is, and which limits hold in the child, is the caller's and the child's matter.
"""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from core.configuration.settings import ROOT

LINE_LIMIT_BYTES = 64 * 1024 * 1024
END_LIMIT_S = 5.0


class ChildEnded(Exception):
    """The child did not answer: its question took too long, or too much memory, or it crashed."""


class ChildPool:
    """One per event loop. Children are started when they are needed, and ended by `close` or with this process."""

    def __init__(self, command: Sequence[str], *, at_once: int, wall_limit_s: float) -> None:
        self._command = command
        self._wall_limit_s = wall_limit_s
        self._turn = asyncio.Semaphore(at_once)
        self._idle: list[Process] = []  # the one used last comes first: its memory is warm

    async def ask(self, question: bytes) -> dict[str, Any]:
        """Raises ChildEnded."""
        async with self._turn, self._child() as child:
            answer = await asked(child, question, self._wall_limit_s)
            if answer.get("spent"):
                await end(child)
        return answer

    @asynccontextmanager
    async def _child(self) -> AsyncIterator[Process]:
        """A child for one question. One that did not answer it whole answers no other."""
        child = self._idle.pop() if self._idle else None
        if child is None or child.returncode is not None:
            child = await self._started()
        try:
            yield child
        except BaseException:
            await end(child)
            raise
        if child.returncode is None:
            self._idle.append(child)

    async def _started(self) -> Process:
        # asyncio waits for ever for a child whose start is cancelled half-way: it is ended once it is there.
        starting = asyncio.ensure_future(
            asyncio.create_subprocess_exec(
                *self._command,
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                cwd=ROOT,
                limit=LINE_LIMIT_BYTES,
                start_new_session=True,  # Ctrl-C in a terminal is ours to answer, not the child's
            )
        )
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            starting.add_done_callback(kill)
            raise

    async def close(self) -> None:
        """Ends the children. Nothing is under way then."""
        while self._idle:
            await end(self._idle.pop())


async def asked(child: Process, question: bytes, wall_limit_s: float) -> dict[str, Any]:
    """Raises ChildEnded if the child has to be ended over it."""
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        async with asyncio.timeout(wall_limit_s):
            child.stdin.write(question)
            await child.stdin.drain()
            line = await child.stdout.readline()
    except (TimeoutError, ConnectionError, ValueError) as exc:  # ValueError: a line longer than the limit
        raise ChildEnded from exc
    if not line.endswith(b"\n"):
        raise ChildEnded
    answer: dict[str, Any] = json.loads(line)
    return answer


def kill(started: asyncio.Future[Process]) -> None:
    if not started.cancelled() and started.exception() is None:
        started.result().kill()


async def end(child: Process) -> None:
    """Also its pipes: a transport left open would outlive its loop."""
    if child.returncode is None:
        child.kill()
    with suppress(TimeoutError):  # its pipes may not have ended with it, which asyncio waits for
        async with asyncio.timeout(END_LIMIT_S):
            await child.wait()
    if child.stdin is not None:
        child.stdin.close()
