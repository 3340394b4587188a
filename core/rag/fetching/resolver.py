"""Names to addresses, by the operating system's resolver.

Owns the threads in which that happens, and refuses to know which addresses are good. Threads of its own: a name whose
servers never answer holds its thread for half a minute, which must neither take one from the database's pool nor
delay the end of the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable, Sequence

# A name, with a final dot if no search list may complete it → its addresses; OSError if there are none.
Resolve = Callable[[str], Awaitable[Sequence[str]]]

AT_ONCE = 16


class SystemResolver:
    """Called with a name. Raises OSError if it has no address."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._free = asyncio.Semaphore(at_once)

    async def __call__(self, name: str) -> Sequence[str]:
        await self._free.acquire()
        answer: asyncio.Future[Sequence[str]] = asyncio.get_running_loop().create_future()
        threading.Thread(target=self._look_up, args=(name, answer), name="resolver", daemon=True).start()
        return await answer

    def _look_up(self, name: str, answer: asyncio.Future[Sequence[str]]) -> None:
        found: Sequence[str] | OSError
        try:
            # Bytes, so that Python does not encode the name once more.
            records = socket.getaddrinfo(name.encode("ascii"), None, type=socket.SOCK_STREAM)
            found = [str(record[4][0]) for record in records]
        except OSError as exc:
            found = exc
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            answer.get_loop().call_soon_threadsafe(self._hand_over, answer, found)

    def _hand_over(self, answer: asyncio.Future[Sequence[str]], found: Sequence[str] | OSError) -> None:
        self._free.release()  # only now: a thread that nobody waits for still counts
        if answer.cancelled():
            return
        if isinstance(found, OSError):
            answer.set_exception(found)
        else:
            answer.set_result(found)
