"""Shared values and functions of the tests of /gpt-socket."""

from __future__ import annotations

from collections.abc import Iterator

from aiohttp import ClientWebSocketResponse, WSMsgType

from core.contract import Done, Prompt, Text, Usage
from tests.support.fake_engine import ReplyStep

PROMPT = {"type": "prompt", "text": "Hi"}
DONE = Done("stop", "fake-model", Usage(7, 3, 2))


def echo(prompt: Prompt) -> Iterator[ReplyStep]:
    yield Text("You said: ")
    yield Text(prompt.text)
    yield DONE


async def receive_close_code(socket: ClientWebSocketResponse) -> int | None:
    """The code with which the server closed the socket."""
    while (await socket.receive()).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING):
        pass
    return socket.close_code


# ---------------------------------------------------------------- plain
