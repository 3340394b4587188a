"""Talks to the model: the local process on its Unix socket or any OpenAI-compatible engine by URL, by the same code.

Owns the connection, its deadlines, and which models are served. Knows no personality, no conversation, and nothing of
what runs behind the protocol (docs/protocols.md, "The model process").
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import httpx
import structlog

from core.configuration.settings import Settings
from core.contract import Json, Sampling
from core.errors import ModelRefused, ModelTooSlow, ModelUnavailable
from core.openai.chat_protocol import (
    RETRY_AFTER_S,
    Fields,
    Message,
    StreamEvent,
    StreamReader,
    error_from_response,
    refuses_extensions,
    request_body,
    without_extensions,
)
from core.openai.thinking import ThinkingFilter
from core.runtime.backoff import NO_JITTER, Backoff
from core.runtime.http_server import reachable_url
from core.runtime.network_errors import explain

log = structlog.get_logger()

TIMEOUT = httpx.Timeout(connect=5, read=120, write=30, pool=30)  # of what is no answer
REST_S = 1.0  # for the connection's own end, after an answer's
LIMITS = httpx.Limits(max_connections=None)  # how many may ask at once is the engine's decision
PROBE_TIMEOUT_S = 3
ERROR_BODY_LIMIT_BYTES = 2**16
INFO_TTL_S = 30
BACKOFF = Backoff(first_s=0.05, limit_s=1.0, jitter=NO_JITTER)
ASSUMED_WINDOW_TOKENS = 4096  # where neither the engine nor LLM_CONTEXT_WINDOW says
ABSENT_STATUSES = {404, 405, 501}
GATEWAY_TIMEOUT = 504
OTHER_BODY_STATUSES = ABSENT_STATUSES | {422}  # of an endpoint of this name that wants something else


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model that the engine serves. `window`: tokens that prompt and answer share."""

    name: str
    window: int
    starter: bool


async def until_whole(reader: StreamReader, chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """The chunks of an answer. Once it is whole, it is no matter how the connection ends, or when.

    The rest is waited for a moment, so that the connection can be used again. Raises httpx.TransportError before that.
    """
    try:
        async for chunk in chunks:
            yield chunk
            if reader.is_done:
                break
        async with asyncio.timeout(REST_S):
            async for _ in chunks:
                pass
    except (TimeoutError, httpx.TransportError):
        if not reader.is_finished:
            raise


class ModelClient:
    """One per process. `model` is what to ask for where a call names none; None: the first that is served.

    `timeout_s`: how long an engine may be silent while it owes an answer. `ours`: it is our own process.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        model: str | None = None,
        window: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        timeout_s: float = 600,
        ours: bool = False,
    ) -> None:
        self._http = http
        self._model = model
        self._window = window
        self._clock = clock
        self._timeout_s = timeout_s
        self._ours = ours
        self._served: dict[str, ModelInfo] = {}
        self._served_until = 0.0
        self._counts = True
        self._plain: set[str] = set()  # models whose engine takes OpenAI's fields only

    @classmethod
    def of(cls, settings: Settings) -> ModelClient:
        """For the engine that the settings name."""
        model = settings.model
        headers = {"Authorization": f"Bearer {model.api_key.get_secret_value()}"} if model.api_key else {}
        options: dict[str, Any] = {"headers": headers, "timeout": TIMEOUT, "limits": LIMITS}
        if model.url:
            http = httpx.AsyncClient(base_url=root_of(model.url), **options)
            return cls(http, model.name, model.context_window, timeout_s=model.timeout_s)
        if model.listen:
            http = httpx.AsyncClient(base_url=local_url(model.listen), trust_env=False, **options)
        else:
            transport = httpx.AsyncHTTPTransport(uds=str(settings.model_socket), limits=LIMITS)
            http = httpx.AsyncClient(base_url="http://model", transport=transport, **options)
        return cls(http, timeout_s=model.timeout_s, ours=True)

    async def close(self) -> None:
        await self._http.aclose()

    async def stream(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        *,
        user: str | None = None,
        response_format: Json = None,
        continue_last: bool = False,
        keep_prefix: bool = False,
        model: str | None = None,
    ) -> AsyncGenerator[StreamEvent, None]:
        """Ask, and yield the events, `StreamFinished` last. `continue_last`: go on with the last, assistant message.

        `keep_prefix`: the system message may be kept for others who bring it. Raises ModelUnavailable if the engine
        cannot be reached or goes away, ModelTooSlow if it does not begin, Overloaded, PromptTooLong, SchemaRefused,
        ModelRefused. Closing it closes the connection, which frees the slot.
        """
        body = request_body((await self.info(model)).name, messages, sampling)
        body |= {"user": user} if user else {}
        body |= {"response_format": response_format} if response_format else {}
        # vLLM answers a last assistant message unless it is told to continue it.
        body |= {"continue_final_message": True, "add_generation_prompt": False} if continue_last else {}
        body |= {"keep_prefix": True} if keep_prefix and self._ours else {}
        reader = StreamReader(None if continue_last else ThinkingFilter())
        with translated_failures(), self._patience(reader):
            async with (
                self._answering(body) as response,
                aclosing(until_whole(reader, response.aiter_bytes())) as chunks,
            ):
                async for chunk in chunks:
                    for piece in reader.feed(chunk):
                        yield piece
        for piece in reader.end():
            yield piece

    @asynccontextmanager
    async def _answering(self, body: Fields) -> AsyncIterator[httpx.Response]:
        """What answers a request. An engine that refuses what is not OpenAI's is asked again without it."""
        model = body["model"]
        if model in self._plain:
            body = without_extensions(body)
        async with self._post(body) as response:
            if response.status_code == 200:
                yield response
                return
            self._served_until = 0  # perhaps another model is served meanwhile
            if response.status_code == GATEWAY_TIMEOUT:
                raise ModelTooSlow("what is in front of the model did not wait for its answer (504)")
            refusal = await body_of(response)
            if not refuses_extensions(response.status_code, refusal, body):
                raise error_from_response(response.status_code, refusal, response.headers.get("retry-after"))
        async with self._post(without_extensions(body)) as response:
            await raise_for_error(response)
            self._plain.add(model)
            log.info("engine_without_extensions", model=model)
            yield response

    def _post(self, body: Fields) -> AbstractAsyncContextManager[httpx.Response]:
        timeout = httpx.Timeout(**{**TIMEOUT.as_dict(), "read": self._timeout_s})
        return self._http.stream("POST", "/v1/chat/completions", json=body, timeout=timeout)

    @contextmanager
    def _patience(self, reader: StreamReader) -> Iterator[None]:
        """Silence before an answer begins is a queue, not a death: whoever asked again would lose their place in it."""
        try:
            yield
        except httpx.ReadTimeout as exc:
            if reader.begun:
                raise
            raise ModelTooSlow(f"the model began no answer within {self._timeout_s:g} s (LLM_TIMEOUT_S)") from exc

    async def info(self, model: str | None = None) -> ModelInfo:
        """The model that would answer. Raises ModelUnavailable, or ModelRefused if it is not served."""
        if self._clock() >= self._served_until:
            self._served = await self._list()
            self._counts = True  # perhaps it could not while it was loading
            self._served_until = self._clock() + INFO_TTL_S
        name = model or self._model
        if name is None:
            return next(iter(self._served.values()))
        if name not in self._served:
            raise ModelRefused(f"the engine does not serve the model {name!r}; it serves: {', '.join(self._served)}")
        return self._served[name]

    async def count(self, messages: Sequence[Message], model: str | None = None) -> int | None:
        """The tokens that the messages take as a prompt; None where the engine does not tell."""
        name = (await self.info(model)).name
        if not self._counts:
            return None
        body = {"model": name, "messages": [asdict(message) for message in messages]}
        with translated_failures():
            response = await self._http.post("/tokenize", json=body)
        if 400 <= response.status_code < 500 or response.status_code in ABSENT_STATUSES:
            self._counts = response.status_code not in OTHER_BODY_STATUSES
            return None
        # llama-server's /tokenize takes no messages and counts none.
        count = (await fields_of(response)).get("count")
        self._counts = isinstance(count, int)
        return count if isinstance(count, int) else None

    async def ready(self) -> None:
        """Raises ModelUnavailable at once if a request would not be answered now, ModelRefused if none ever will."""
        with translated_failures():
            response = await self._http.get("/health", timeout=PROBE_TIMEOUT_S)
            # What is in front of an engine may have no such path, or its own idea of who may ask there.
            if (response.status_code < 500 and response.status_code != 200) or response.status_code in ABSENT_STATUSES:
                response = await self._http.get("/v1/models", timeout=PROBE_TIMEOUT_S)
        await raise_for_error(response)

    async def wait_ready(self, wait_s: float) -> None:
        """Returns when the engine answers; ModelUnavailable if it does not within `wait_s` seconds."""
        self._served_until = 0  # another model may come back
        deadline = self._clock() + wait_s
        pauses = BACKOFF.pauses()
        while True:
            try:
                return await self.ready()
            except ModelUnavailable:
                pause_s = next(pauses)
                if self._clock() + pause_s > deadline:
                    raise
            # Another process comes up by itself and tells nobody: asking again is all there is.
            await asyncio.sleep(pause_s)

    async def _list(self) -> dict[str, ModelInfo]:
        with translated_failures():
            response = await self._http.get("/v1/models")
        listed = (await fields_of(response)).get("data")
        models = [model for model in listed if isinstance(model, dict)] if isinstance(listed, list) else []
        if not models:
            raise ModelRefused("the engine lists no model at /v1/models")
        return {info.name: info for info in map(self._info_of, models)}

    def _info_of(self, model: Fields) -> ModelInfo:
        meta = model.get("meta")  # where llama-server has it
        told = model.get("max_model_len") or (meta.get("n_ctx") if isinstance(meta, dict) else None)
        windows = [window for window in (told, self._window) if isinstance(window, int) and window > 0]
        return ModelInfo(str(model.get("id")), min(windows, default=ASSUMED_WINDOW_TOKENS), bool(model.get("starter")))


def root_of(url: str) -> str:
    """OpenAI's clients want a URL that ends in /v1, ours has endpoints beside it: both forms are understood."""
    return url.rstrip("/").removesuffix("/v1")


def local_url(listen: str) -> str:
    """Where to reach what listens on "host:port"; a wildcard address is reached on the loopback."""
    host, _, port = listen.rpartition(":")
    return reachable_url(host, port)


@contextmanager
def translated_failures() -> Iterator[None]:
    try:
        yield
    except httpx.RequestError as exc:
        raise ModelUnavailable(f"the model cannot be reached: {explain(exc)}", retry_after_s=RETRY_AFTER_S) from exc


async def raise_for_error(response: httpx.Response) -> None:
    if response.status_code != 200:
        raise error_from_response(response.status_code, await body_of(response), response.headers.get("retry-after"))


async def body_of(response: httpx.Response) -> bytes:
    """Of an error: its beginning."""
    body = b""
    async for chunk in response.aiter_bytes():
        body = (body + chunk)[:ERROR_BODY_LIMIT_BYTES]
        if len(body) == ERROR_BODY_LIMIT_BYTES:
            break
    return body


async def fields_of(response: httpx.Response) -> Fields:
    await raise_for_error(response)
    try:
        data = response.json()
    except ValueError as exc:
        raise ModelRefused(f"the answer of {response.request.url.path} is not JSON") from exc
    return data if isinstance(data, dict) else {}
