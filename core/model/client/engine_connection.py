"""One engine: its connection with its deadlines, the models that it lists, and what it can do.

Knows no other engine, and nothing behind the protocol (docs/protocols.md, "The model process").
"""

from __future__ import annotations

import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import replace

import httpx
import structlog

from core.contract import ModelProgress
from core.errors import CspsError, ModelTooSlow
from core.model.client.chat_request import ChatRequest, build_body
from core.model.client.responses import drain, parse_object, raise_for_error, read_error_body, translate_errors
from core.model.client.served_models import ModelInfo, ServedModels, parse_models
from core.model.client.token_counter import TokenCounter
from core.model.client.window_finder import WindowFinder
from core.openai.chat_protocol import (
    Fields,
    Message,
    StreamEvent,
    TextDelta,
    ThinkingStarted,
    error_from_response,
)
from core.openai.continuation import JoinFilter, join_events
from core.openai.dialects import (
    CONTINUING,
    UNKNOWN,
    ContinuationSupport,
    EngineCapabilities,
    TokenizeSupport,
    continuation_form,
)
from core.openai.refused_fields import learn_refusal
from core.openai.stream_reader import StreamReader

log = structlog.get_logger()

TIMEOUT = httpx.Timeout(connect=5, read=120, write=30, pool=30)  # of all requests but those for an answer
PROBE_TIMEOUT_S = 3
LIST_TTL_S = 30  # of an engine behind a URL
LOCAL_LIST_TTL_S = 2.0  # our own process changes its models while people watch
RELIST_S = 0.5  # between lists for a name that the last one lacks
ABSENT_STATUSES = {404, 405, 501}
GATEWAY_TIMEOUT = 504


class EngineConnection:
    """One per engine and model.

    `model`: its name there, for calls that name none. None: `preferred` if the engine lists it, else the first.
    `label`: the engine's name in messages, logs and metrics. `timeout_s`: the seconds that it may be silent before or
    within an answer. `is_local`: it is our own process. `assumed`: what it can do, as long as nothing else is learned.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        label: str = "local",
        model: str | None = None,
        preferred: str | None = None,
        window: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        timeout_s: float = 600,
        is_local: bool = False,
        assumed: EngineCapabilities = UNKNOWN,
    ) -> None:
        self.label = label
        self.is_local = is_local
        self._http = http
        self._model = model
        self._preferred = preferred
        self._window = window
        self._clock = clock
        self._timeout_s = timeout_s
        self._served: ServedModels | None = None
        self._served_at = -math.inf  # the time of the list
        self.on_listed: Callable[[EngineConnection], None] = lambda _: None  # called after each list of models
        self.on_forgotten: Callable[[EngineConnection], None] = lambda _: None
        self._counter = TokenCounter(http)
        self._windows = WindowFinder(self.probe, clock)
        self._assumed = assumed
        self._capabilities: dict[str, EngineCapabilities] = {}  # by model

    async def close(self) -> None:
        await self._http.aclose()

    def forget_models(self) -> None:
        """Has the list of models read again: the engine may come back with another model."""
        self._served_at = -math.inf
        self._windows.forget()
        self.on_forgotten(self)

    @property
    def is_declared(self) -> bool:
        """True if somebody said what it can do, so that nothing is tried."""
        return self._assumed != UNKNOWN

    def capabilities(self, model: str | None = None) -> EngineCapabilities:
        """The known capabilities of the model. None: the model for calls that name none."""
        return self._capabilities.get(model or self.usual_model(), self._assumed)

    def learn(self, model: str, capabilities: EngineCapabilities) -> None:
        """Uses these capabilities from now on."""
        self._capabilities[model] = capabilities

    def usual_model(self) -> str:
        """The model for calls that name none, as far as the latest list knows it."""
        name = self._model or self._preferred
        if self._served is None:
            return self._model or ""
        if name and name in self._served:
            return self._served.requested(name).name
        return self._model or self._served.names()[0]

    async def stream(self, request: ChatRequest, model: str | None = None) -> AsyncGenerator[StreamEvent, None]:
        """Yields the events of one answer, `StreamFinished` last. Raises what `ModelClient.stream` raises."""
        name = await self._requested(model)
        reader = StreamReader(is_continuation=request.continue_last and self._form(name) in CONTINUING)
        with translate_errors(), self._answer_errors(reader):
            async with self._post_chat(request, name) as response:
                join, chunks = self._join_filter(request, name), response.aiter_bytes()
                async for chunk in chunks:
                    for event in join_events(join, reader.feed(chunk)):
                        yield event
                    if reader.is_done:
                        await drain(chunks)
                        break
        for event in join_events(join, reader.end()):
            yield event

    def _form(self, model: str | None) -> ContinuationSupport | None:
        """The form in which the engine continues an answer."""
        return continuation_form(self.capabilities(model))

    def _join_filter(self, request: ChatRequest, model: str | None) -> JoinFilter | None:
        """The filter of an answer's continuation; None if the engine is known to send nothing but the rest."""
        form = self._form(model)
        if not request.continue_last or form in CONTINUING:
            return None
        return JoinFilter(request.begun, is_prompted=form == "none" and bool(request.continue_prompt))

    @asynccontextmanager
    async def _post_chat(self, request: ChatRequest, model: str | None) -> AsyncIterator[httpx.Response]:
        """The response to a chat request. Asks again without the fields that the engine refuses, one by one."""
        known = capabilities = self.capabilities(model)
        while True:
            body = self._body(request, model, capabilities)
            async with self._post(body) as response:
                if response.status_code == 200:
                    if capabilities != known:
                        self._learn_refused(model, capabilities)
                    yield response
                    return
                self.forget_models()
                if response.status_code == GATEWAY_TIMEOUT:
                    raise ModelTooSlow("a proxy in front of the model did not wait for the answer (504)")
                refusal = await read_error_body(response)
                learned = learn_refusal(capabilities, response.status_code, refusal, body)
                if learned is None:
                    raise error_from_response(response.status_code, refusal, response.headers.get("retry-after"))
                capabilities = learned

    def _learn_refused(self, model: str | None, capabilities: EngineCapabilities) -> None:
        self.learn(model or self.usual_model(), capabilities)
        if capabilities.refused:
            log.warning("engine_fields_refused", model=model, engine=self.label, fields=capabilities.refused)
        if capabilities.extensions is False:
            log.info("engine_extensions_refused", model=model, engine=self.label)

    def _body(self, request: ChatRequest, model: str | None, capabilities: EngineCapabilities) -> Fields:
        return build_body(request, model, capabilities, is_local=self.is_local, is_ours=self._is_ours)

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
        found = served.answering(name)
        if found.tells_window or self.is_local or (window := await self._windows.find(found.name)) is None:
            return found
        return replace(found, window=min(window, self._window or window))

    async def progress(self, model: str | None = None) -> ModelProgress | None:
        """The progress of `model` while another one answers in its place. Raises as `info` does."""
        served, name = await self._find(model)
        return served.awaited(name)

    async def served(self) -> ServedModels:
        """All models, as listed a moment ago. Raises ModelUnavailable, ModelRefused."""
        ttl_s = LOCAL_LIST_TTL_S if self.is_local else LIST_TTL_S
        return await self._list(ttl_s)

    def listed(self, name: str) -> ModelInfo | None:
        """The model of this name in the latest list."""
        return self._served.requested(name) if self._served and name in self._served else None

    def title(self, name: str) -> str:
        """The title of the model that an answer names; the name itself if the latest list lacks it."""
        return self._served.title(name) if self._served else name

    async def _find(self, model: str | None) -> tuple[ServedModels, str | None]:
        """The list, and the name of the requested model in it; None for the default model.

        Our own process may not have read a changed personality yet. The default model answers until it has.
        """
        name = model or self._model
        served = await self.served()
        if name is not None and name not in served:
            served = await self._list(RELIST_S)
        if name is None and self._preferred in served:
            return served, self._preferred
        return served, None if self.is_local and name is not None and name not in served else name

    async def _requested(self, model: str | None) -> str | None:
        """The name to send. Our own process chooses the default: what we know of it may be two seconds old."""
        served, name = await self._find(model)
        return name if self.is_local else served.answering(name).name

    async def count(self, messages: Sequence[Message], model: str | None = None) -> int | None:
        """The tokens of the messages as a prompt. None: the engine does not count."""
        return await self._counter.count(messages, await self._requested(model))

    async def probe(self, method: str, path: str, body: Fields | None = None) -> tuple[int, Fields]:
        """The status of a small request, and its object; an empty one if it sent none. Raises ModelUnavailable."""
        with translate_errors():
            response = await self._http.request(method, path, json=body, timeout=PROBE_TIMEOUT_S)
        try:
            data = response.json() if response.status_code == 200 else {}
        except ValueError:
            data = {}
        return response.status_code, data if isinstance(data, dict) else {"data": data}

    async def metrics(self) -> str | None:
        """Prometheus's text of the engine; None if it has none. Raises ModelUnavailable."""
        with translate_errors():
            response = await self._http.get("/metrics", timeout=PROBE_TIMEOUT_S)
        return response.text if response.status_code == 200 else None

    @property
    def token_support(self) -> TokenizeSupport | None:
        """The form of /tokenize that the engine has; None: unknown."""
        return self._counter.support

    async def answer(self, body: Fields) -> tuple[str, bool]:
        """The text of a short answer, and whether the model thought before it. Raises the engine's refusal."""
        reader, events = StreamReader(), list[StreamEvent]()
        with translate_errors(), self._answer_errors(reader):
            async with self._post({**body, "stream": True}) as response:
                await raise_for_error(response)
                async for chunk in response.aiter_bytes():
                    events += reader.feed(chunk)
                    if reader.is_done:
                        break
        events += reader.end()
        text = "".join(event.text for event in events if isinstance(event, TextDelta))
        return text, any(isinstance(event, ThinkingStarted) for event in events)

    async def forget(self, keys: Sequence[str]) -> None:
        """Has an engine of ours delete the states of these conversations. Raises CspsError if it could not now.

        Others keep none. One that is away and was never known counts as another's: it got no keys from this process.
        """
        if not self._is_ours:
            with suppress(CspsError):
                await self.served()
        if not self._is_ours:
            return
        with translate_errors():
            response = await self._http.post("/forget", json={"prompt_cache_key": list(keys)})
        if response.status_code not in ABSENT_STATUSES:  # an older version keeps no states on disk
            await raise_for_error(response)

    @property
    def _is_ours(self) -> bool:
        return self.is_local or (self._served is not None and self._served.is_ours)

    async def ready(self) -> None:
        """Returns if the engine answers now. Raises ModelUnavailable if not, ModelRefused if it never will."""
        with translate_errors():
            response = await self._http.get("/health", timeout=PROBE_TIMEOUT_S)
            # A proxy in front of an engine may not have this path, or may restrict it.
            if (response.status_code < 500 and response.status_code != 200) or response.status_code in ABSENT_STATUSES:
                response = await self._http.get("/v1/models", timeout=PROBE_TIMEOUT_S)
        if not (response.status_code in ABSENT_STATUSES and self._model):  # a gateway without a list of models
            await raise_for_error(response)

    async def _list(self, ttl_s: float) -> ServedModels:
        """The list of models, which may be `ttl_s` seconds old."""
        if self._served is None or self._clock() >= self._served_at + ttl_s:
            with translate_errors():
                response = await self._http.get("/v1/models")
            self._served = await self._parse_list(response)
            self._counter.support = None  # an engine that was loading may count by now
            self._served_at = self._clock()
            self.on_listed(self)
        return self._served

    async def _parse_list(self, response: httpx.Response) -> ServedModels:
        """The models of the response. A gateway may have no list: then the configured model is there."""
        if response.status_code in ABSENT_STATUSES and self._model:
            return parse_models({"data": [{"id": self._model}]}, self._window)
        return parse_models(await parse_object(response), self._window)
