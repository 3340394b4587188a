"""Serves one `Llama` behind a lock, as most projects do, until SIGTERM: `python locked_llama.py MODEL PORT THREADS`."""

import asyncio
import json
import sys

from aiohttp import web
from llama_cpp import Llama

llama = Llama(sys.argv[1], n_ctx=4096, n_threads=int(sys.argv[3]), verbose=False)
lock = asyncio.Lock()


async def health(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


async def chat(request: web.Request) -> web.StreamResponse:
    body = await request.json()
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    count = 0
    async with lock:
        chunks = llama.create_chat_completion(
            body["messages"],
            max_tokens=body["max_tokens"],
            temperature=body["temperature"],
            seed=body["seed"],
            stream=True,
        )
        while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
            count += bool(chunk["choices"][0]["delta"].get("content"))
            await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
    await response.write(f"data: {json.dumps({'choices': [], 'usage': {'completion_tokens': count}})}\n\n".encode())
    return response


app = web.Application()
app.router.add_get("/health", health)
app.router.add_post("/v1/chat/completions", chat)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[2]), access_log=None, print=None)
