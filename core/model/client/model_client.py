"""The HTTP client of the model: the local process on its Unix socket, or any OpenAI-compatible engine by URL.

Owns the connection, its deadlines, and the list of served models. Knows no personality, no conversation, and nothing
behind the protocol (docs/protocols.md, "The model process").
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import asdict
from typing import Any

import httpx
import structlog

from core.configuration.settings import Settings
from core.contract import Json, ModelProgress, Sampling
from core.errors import ModelRefused, ModelTooSlow, ModelUnavailable
from core.model.client.served_models import ModelInfo, ServedModels, parse_models
from core.openai.chat_protocol import (
    RETRY_AFTER_S,
    Fields,
    Message,
    StreamEvent,
    error_from_response,
    model_field,
    refuses_extensions,
    request_body,
    without_extensions,
)
from core.openai.stream_reader import StreamReader
from core.runtime.backoff import NO_JITTER, Backoff
from core.runtime.http_server import reachable_url
from core.runtime.network_errors import explain

log = structlog.get_logger()

TIMEOUT = httpx.Timeout(connect=5, read=120, write=30, pool=30)  # of all requests but those for an answer
DRAIN_S = 1.0  # the wait for the connection's own end after a whole answer
LIMITS = httpx.Limits(max_connections=None)  # the engine limits concurrency, not the client
PROBE_TIMEOUT_S = 3
ERROR_BODY_LIMIT_BYTES = 2**16
LIST_TTL_S = 30  # of an engine behind a URL
LOCAL_LIST_TTL_S = 2.0  # our own process changes its models while people watch
RELIST_S = 0.5  # between lists for a name that the last one lacks
BACKOFF = Backoff(first_s=0.05, limit_s=1.0, jitter=NO_JITTER)
ABSENT_STATUSES = {404, 405, 501}
GATEWAY_TIMEOUT = 504
OTHER_BODY_STATUSES = ABSENT_STATUSES | {422}  # 422: a /tokenize that expects another body


class ModelClient:
    """One per process. `model`: the model for calls that name none; None: the first that the engine lists.

    `timeout_s`: the seconds that an engine may be silent before or within an answer. `is_local`: it is our own process.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        model: str | None = None,
        window: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        timeout_s: float = 600,
        is_local: bool = False,
    ) -> None:
        self._http = http
        self._model = model
        self._window = window
        self._clock = clock
        self._timeout_s = timeout_s
        self._is_local = is_local
        self._served: ServedModels | None = None
        self._served_at = -math.inf  # the time of the list
        self._can_count = True
        self._openai_only: set[str] = set()  # the models whose engine refuses fields that are not OpenAI's

    @classmethod
    def from_settings(cls, settings: Settings) -> ModelClient:
        model = settings.model
        headers = {"Authorization": f"Bearer {model.api_key.get_secret_value()}"} if model.api_key else {}
        options: dict[str, Any] = {"headers": headers, "timeout": TIMEOUT, "limits": LIMITS}
        if model.url:
            http = httpx.AsyncClient(base_url=strip_version(model.url), **options)
            return cls(http, model.name, model.context_window, timeout_s=model.timeout_s)
        if model.listen:
            http = httpx.AsyncClient(base_url=local_url(model.listen), trust_env=False, **options)
        else:
            transport = httpx.AsyncHTTPTransport(uds=str(settings.model_socket), limits=LIMITS)
            http = httpx.AsyncClient(base_url="http://model", transport=transport, **options)
        return cls(http, timeout_s=model.timeout_s, is_local=True)

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
        """Yields the events of one answer, `StreamFinished` last. Closing it closes the connection and frees the slot.

        `continue_last`: the model continues the last message, which is the assistant's. `keep_prefix`: the engine may
        keep the system message computed for other users. Raises ModelUnavailable if the engine is away or goes away,
        ModelTooSlow if it does not begin, Overloaded, PromptTooLong, SchemaRefused, ModelRefused.
        """
        body = request_body(await self._requested(model), messages, sampling)
        body |= {"user": user} if user else {}
        body |= {"response_format": response_format} if response_format else {}
        # vLLM answers a last assistant message unless the request says to continue it.
        body |= {"continue_final_message": True, "add_generation_prompt": False} if continue_last else {}
        body |= {"keep_prefix": True} if keep_prefix and self._is_local else {}
        reader = StreamReader(is_continuation=continue_last)
        with translate_errors(), self._answer_errors(reader):
            async with self._post_chat(body) as response:
                chunks = response.aiter_bytes()
                async for chunk in chunks:
                    for event in reader.feed(chunk):
                        yield event
                    if reader.is_done:
                        await drain(chunks)
                        break
        for event in reader.end():
            yield event

    @asynccontextmanager
    async def _post_chat(self, body: Fields) -> AsyncIterator[httpx.Response]:
        """The response to a chat request. Asks once more without the extensions if the engine refuses them."""
        model = body.get("model", "")
        if model in self._openai_only:
            body = without_extensions(body)
        async with self._post(body) as response:
            if response.status_code == 200:
                yield response
                return
            self._forget_list()  # the engine may serve another model by now
            if response.status_code == GATEWAY_TIMEOUT:
                raise ModelTooSlow("a proxy in front of the model did not wait for the answer (504)")
            refusal = await read_error_body(response)
            if not refuses_extensions(response.status_code, refusal, body):
                raise error_from_response(response.status_code, refusal, response.headers.get("retry-after"))
        async with self._post(without_extensions(body)) as response:
            await raise_for_error(response)
            self._openai_only.add(model)
            log.info("engine_extensions_refused", model=model)
            yield response

    def _post(self, body: Fields) -> AbstractAsyncContextManager[httpx.Response]:
        timeout = httpx.Timeout(**{**TIMEOUT.as_dict(), "read": self._timeout_s})
        return self._http.stream("POST", "/v1/chat/completions", json=body, timeout=timeout)

    @contextmanager
    def _answer_errors(self, reader: StreamReader) -> Iterator[None]:
        """Ignores how the connection of a whole answer ends. Raises ModelTooSlow if the answer did not begin in time.

        Silence before an answer is a queue, not a death: a second request would lose its place in that queue.
        """
        try:
            yield
        except httpx.TransportError as exc:
            if reader.is_finished:
                return
            if reader.has_begun or not isinstance(exc, httpx.ReadTimeout):
                raise
            raise ModelTooSlow(f"the model began no answer within {self._timeout_s:g} s (LLM_TIMEOUT_S)") from exc

    async def info(self, model: str | None = None) -> ModelInfo:
        """The model that answers a request for `model`: another one while that is not there.

        Raises ModelUnavailable, or ModelRefused if an engine behind a URL does not serve it.
        """
        served, name = await self._find(model)
        return served.answering(name)

    async def progress(self, model: str | None = None) -> ModelProgress | None:
        """How far `model` is while another one answers in its place. Raises as `info` does."""
        served, name = await self._find(model)
        return served.requested(name).progress

    async def served(self) -> ServedModels:
        """All models, as listed a moment ago. Raises ModelUnavailable, ModelRefused."""
        ttl_s = LOCAL_LIST_TTL_S if self._is_local else LIST_TTL_S
        return await self._list(ttl_s)

    async def _find(self, model: str | None) -> tuple[ServedModels, str | None]:
        """The list, and the name of the requested model in it; None for the default model.

        Our own process may not have read a changed personality yet. The default model answers until it has.
        """
        name = model or self._model
        served = await self.served()
        if name is not None and name not in served:
            served = await self._list(RELIST_S)
        return served, None if self._is_local and name is not None and name not in served else name

    async def _requested(self, model: str | None) -> str | None:
        """The name to send. Our own process chooses the default: what we know of it may be two seconds old."""
        served, name = await self._find(model)
        return name if self._is_local else served.answering(name).name

    def title(self, name: str) -> str:
        """What people see of the model that an answer names, as far as the latest list knows it."""
        return self._served.title(name) if self._served else name

    def _forget_list(self) -> None:
        self._served_at = -math.inf

    async def count(self, messages: Sequence[Message], model: str | None = None) -> int | None:
        """The tokens of the messages as a prompt. None: the engine does not count."""
        name = await self._requested(model)
        if not self._can_count:
            return None
        body = model_field(name) | {"messages": [asdict(message) for message in messages]}
        with translate_errors():
            response = await self._http.post("/tokenize", json=body)
        if 400 <= response.status_code < 500 or response.status_code in ABSENT_STATUSES:
            self._can_count = response.status_code not in OTHER_BODY_STATUSES
            return None
        # llama-server's /tokenize ignores `messages` and sends no count.
        count = (await parse_object(response)).get("count")
        self._can_count = isinstance(count, int)
        return count if isinstance(count, int) else None

    async def ready(self) -> None:
        """Returns if the engine answers now. Raises ModelUnavailable if not, ModelRefused if it never will."""
        with translate_errors():
            response = await self._http.get("/health", timeout=PROBE_TIMEOUT_S)
            # A proxy in front of an engine may not have this path, or may restrict it.
            if (response.status_code < 500 and response.status_code != 200) or response.status_code in ABSENT_STATUSES:
                response = await self._http.get("/v1/models", timeout=PROBE_TIMEOUT_S)
        await raise_for_error(response)

    async def wait_ready(self, wait_s: float) -> None:
        """Returns when the engine answers. Raises ModelUnavailable after `wait_s` seconds."""
        self._forget_list()  # the engine may come back with another model
        deadline = self._clock() + wait_s
        pauses = BACKOFF.pauses()
        while True:
            try:
                return await self.ready()
            except ModelUnavailable:
                pause_s = next(pauses)
                if self._clock() + pause_s > deadline:
                    raise
            # The engine is another process, which does not announce its start: only polling finds it.
            await asyncio.sleep(pause_s)

    async def _list(self, ttl_s: float) -> ServedModels:
        """The list of models, which may be `ttl_s` seconds old."""
        if self._served is None or self._clock() >= self._served_at + ttl_s:
            with translate_errors():
                response = await self._http.get("/v1/models")
            self._served = parse_models(await parse_object(response), self._window)
            self._can_count = True  # an engine that was loading may count by now
            self._served_at = self._clock()
        return self._served


async def drain(chunks: AsyncIterator[bytes]) -> None:
    """Waits up to DRAIN_S for the connection's own end, so that it can be used again."""
    with suppress(TimeoutError, httpx.TransportError):
        async with asyncio.timeout(DRAIN_S):
            async for _ in chunks:
                pass


def strip_version(url: str) -> str:
    """`url` without a final /v1: OpenAI's clients want it there, but /health and /tokenize are beside it."""
    return url.rstrip("/").removesuffix("/v1")


def local_url(listen: str) -> str:
    """The URL of a server that listens on "host:port". A wildcard address is reached on the loopback."""
    host, _, port = listen.rpartition(":")
    return reachable_url(host, port)


@contextmanager
def translate_errors() -> Iterator[None]:
    try:
        yield
    except httpx.RequestError as exc:
        raise ModelUnavailable(f"the model cannot be reached: {explain(exc)}", retry_after_s=RETRY_AFTER_S) from exc


async def raise_for_error(response: httpx.Response) -> None:
    if response.status_code != 200:
        refusal = await read_error_body(response)
        raise error_from_response(response.status_code, refusal, response.headers.get("retry-after"))


async def read_error_body(response: httpx.Response) -> bytes:
    """The start of the body, up to ERROR_BODY_LIMIT_BYTES."""
    body = b""
    async for chunk in response.aiter_bytes():
        body = (body + chunk)[:ERROR_BODY_LIMIT_BYTES]
        if len(body) == ERROR_BODY_LIMIT_BYTES:
            break
    return body


async def parse_object(response: httpx.Response) -> Fields:
    await raise_for_error(response)
    try:
        data = response.json()
    except ValueError as exc:
        raise ModelRefused(f"the answer of {response.request.url.path} is not JSON") from exc
    return data if isinstance(data, dict) else {}
