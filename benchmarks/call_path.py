"""Counts what one plain question passes through in `core`: functions, files, jumps between files, async generators.

The question is "Where is Ottawa?" in a conversation. The model answers at once with three tokens over HTTP.
`core.bootstrap` builds the engine, with a new SQLite database and one personality without sources. The counts begin
when the adapter's side calls `reply` and end when it has received `Done`. The same question runs once before,
uncounted, so that the database is open and the engine knows its model.

A profile function sees each Python call, also in the database's threads. A context variable marks the calls that belong
to the question, so the engine's background tasks do not count.

- A function counts once, however often it runs. Comprehensions and generated methods do not count.
- A jump is a call between two files of `core`. Its caller is the nearest function of `core` on the stack, so library
  code between the two is skipped. Calls between the same two functions are one jump. Tasks and threads start with an
  empty stack: the first function in one has no caller and is no jump.
- The nested async generators are those of `core` on the stack when the HTTP client reads bytes.

`--list` names the functions and the jumps. To count another checkout, set PYTHONPATH to its folder and run this file.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager
from contextvars import ContextVar
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from aiohttp import web

import core
from core import bootstrap
from core.contract import Done, Engine, Prompt

CORE = Path(core.__file__).parent
COMPREHENSIONS = ("<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>", "<module>")
PERSONALITY = """
title = "Whisper"
language = "en"
description = { en = "Answers.", fr = "Répond." }
system = "Answer briefly."
greeting = "Hello!"
"""
CHUNKS = [{"content": token} for token in ("Ottawa", " is in", " Ontario.")]
HTTP_READ = "aiter_bytes"  # httpx.Response's

in_question: ContextVar[bool] = ContextVar("in_question", default=False)


class CallPath:
    """Set as the profile function of every thread."""

    def __init__(self) -> None:
        self.functions: set[CodeType] = set()
        self.jumps: set[tuple[CodeType, CodeType]] = set()
        self.generators: list[str] = []

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        if event != "call" or not in_question.get():
            return
        if frame.f_code.co_name == HTTP_READ:
            nested = [each.f_code for each in core_frames(frame) if each.f_code.co_flags & inspect.CO_ASYNC_GENERATOR]
            self.generators = max(self.generators, [code.co_qualname for code in nested], key=len)
        if is_core(frame.f_code) and frame.f_code.co_name not in COMPREHENSIONS:
            self.functions.add(frame.f_code)
            caller = next((each.f_code for each in core_frames(frame.f_back)), None)
            if caller and caller.co_filename != frame.f_code.co_filename:
                self.jumps.add((caller, frame.f_code))

    @property
    def files(self) -> set[str]:
        return {code.co_filename for code in self.functions}


def is_core(code: CodeType) -> bool:
    return code.co_filename.startswith(f"{CORE}/")


def core_frames(frame: FrameType | None) -> Iterator[FrameType]:
    """The functions of `core` on the stack, the innermost first."""
    while frame:
        if is_core(frame.f_code):
            yield frame
        frame = frame.f_back


@asynccontextmanager
async def model_at(socket: Path) -> AsyncIterator[None]:
    """An OpenAI-compatible model on a Unix socket."""
    app = web.Application()
    app.router.add_get("/v1/models", list_models)
    app.router.add_post("/v1/chat/completions", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    socket.parent.mkdir(parents=True, exist_ok=True)
    await web.UnixSite(runner, str(socket)).start()
    try:
        yield
    finally:
        await runner.cleanup()


async def list_models(_request: web.Request) -> web.Response:
    return web.json_response({"object": "list", "data": [{"id": "model", "max_model_len": 4096}]})


async def answer(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for delta in CHUNKS:
        chunk: dict[str, Any] = {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
        await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
    end = '{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}'
    await response.write(f"data: {end}\n\ndata: [DONE]\n\n".encode())
    return response


async def trace(path: CallPath, folder: str) -> None:
    """Asks the question once, with `path` as the profile function."""
    settings = load_settings(folder)
    build = getattr(bootstrap, "run_engine", None) or bootstrap.engine  # its name in older checkouts
    async with model_at(settings.model_socket), build(settings) as engine:
        await ask(engine, await engine.open("whisper"))
        conversation = await engine.open("whisper")
        threading.setprofile(path)
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())  # threads that have the profile function
        sys.setprofile(path)
        in_question.set(True)
        await ask(engine, conversation)
        in_question.set(False)
        sys.setprofile(None)
        threading.setprofile(None)


async def ask(engine: Engine, conversation: str) -> None:
    async with aclosing(engine.reply(Prompt("whisper", "Where is Ottawa?", conversation))) as events:
        async for event in events:
            if isinstance(event, Done):
                break


def load_settings(folder: str) -> Any:
    try:
        from core.configuration import settings
    except ImportError:  # an older checkout
        from core import settings  # type: ignore[attr-defined,no-redef]
    config = Path(folder) / "config"
    (config / "personalities").mkdir(parents=True)
    (config / "personalities" / "whisper.toml").write_text(PERSONALITY, encoding="utf-8")
    return settings.load({"CSPS_LLM_DATA": folder, "CSPS_LLM_CONFIG": str(config)})


def main() -> None:
    path = CallPath()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(trace(path, folder))
    if "--list" in sys.argv:
        print(
            *sorted(f"{Path(code.co_filename).relative_to(CORE)}: {code.co_qualname}" for code in path.functions),
            sep="\n",
        )
        print(*sorted(f"{one.co_qualname} -> {other.co_qualname}" for one, other in path.jumps), sep="\n")
    print(f"functions of core: {len(path.functions)}, in {len(path.files)} files")
    print(f"jumps between files: {len(path.jumps)}")
    print(f"nested async generators for each token: {len(path.generators)} ({', '.join(path.generators)})")


if __name__ == "__main__":
    main()
