"""The parts that handlers share: engine, metrics, limits, drain gate, user ids. Knows no routes and no wire formats."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from aiohttp import hdrs, web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from core.configuration.setting_sections import WebSettings
from core.contract import (
    DESCRIBE_WAIT_S,
    Description,
    Done,
    Engine,
    Event,
    Language,
    Prompt,
    Task,
    Text,
    ToilEvent,
    ToilResult,
    ToolEvent,
    ToolsChosen,
    Usage,
)
from core.errors import AccessRefused, CspsError, Overloaded, PersonalityUnknown, Stopping
from core.model_report import describe
from core.rag.source_list import append_source_list
from core.runtime.answer_counter import AnswerCounter
from core.runtime.http_server import count_tokens
from web.client_identity import ClientIdentity
from web.identity.caller import find_caller
from web.identity.limits import CallerLimits, Limited
from web.large_inputs import LargeInputs

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
FIRST_WORDS_BUCKETS_S = (0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120)


@dataclass(frozen=True, slots=True)
class WebLimits:
    """The fixed limits of the web process. `core.configuration.settings` has those that an operator can change."""

    target_bytes: int = 16_384  # a request's path with its query
    line_bytes: int = 65_536  # an unparsed request line; above target_bytes, so that 414 can explain
    send_timeout_s: float = 30.0  # until a client must have taken the data
    heartbeat_s: float = 20.0  # between pings on a socket; a pong is due within half of it
    stream_heartbeat_s: float = 15.0  # between comments on a silent stream of /v1
    close_timeout_s: float = 2.0  # until a client must answer a closing frame
    waiting_prompts: int = 8  # on one socket, beside the one being answered
    unwatched_answers: int = 4  # of one owner, that go on without a connection
    files: int = 4  # in memory at once, each of at most WEB_FILE_LIMIT
    batch_rows: int = 16  # of one batch, answered at once; `create_app` takes it from LLM_SLOTS
    retry_after_s: float = 5.0  # the Retry-After of a refusal
    grace_s: float = 3.0  # after the drain, for the last frames


class WebMetrics:
    """Prometheus metrics. Labels are bounded and identify no person. Each app has a registry: a test may run two."""

    def __init__(self) -> None:
        self.registry = r = CollectorRegistry()
        self.requests = Counter("csps_web_requests", "Requests answered", ("route", "method", "status"), registry=r)
        self.errors = Counter("csps_web_errors", "Errors sent to clients", ("code",), registry=r)
        self.running = Gauge("csps_web_replies_running", "Answers being written", registry=r)
        self.tokens = Counter("csps_web_tokens", "Tokens as the model counted them", ("kind",), registry=r)
        self.answers = AnswerCounter("csps_web_answers", r)
        self.first_words = Histogram(
            "csps_web_first_words_seconds", "From prompt to first words", buckets=FIRST_WORDS_BUCKETS_S, registry=r
        )
        ProcessCollector(registry=r)

    def count_request(self, route: str, method: str, status: int) -> None:
        # A client may send any word as a method, and each would be a time series.
        label = method if method in hdrs.METH_ALL else "other"
        self.requests.labels(route, label, str(status)).inc()

    def count_error(self, error: CspsError) -> None:
        self.errors.labels(error.code).inc()

    def count_usage(self, usage: Usage) -> None:
        count_tokens(self.tokens, usage)

    def count_answer(self, answer: Done | ToilResult) -> None:
        self.count_usage(answer.usage)
        self.answers.count(answer.model)


class DrainGate:
    """Admits at most `limit` requests at once, and none after `stop`. Running ones then have `drain_s` seconds.

    `ending` is set by `end`, before `stop`: the process is not ready any more, but still admits requests.
    """

    def __init__(self, limit: int, drain_s: float, retry_after_s: float) -> None:
        self.drain_s = drain_s
        self.ending = asyncio.Event()
        self.stopping = asyncio.Event()
        self.active = 0
        self._limit = limit
        self._retry_after_s = retry_after_s
        self._idle = asyncio.Event()
        self._idle.set()

    @contextmanager
    def admit(self) -> Iterator[None]:
        """Counts one request or socket while the block runs. Raises Stopping or Overloaded."""
        self.check_open()
        if self.active >= self._limit:
            raise Overloaded("too many connections at once", retry_after_s=self._retry_after_s)
        self.active += 1
        self._idle.clear()
        try:
            yield
        finally:
            self.active -= 1
            if not self.active:
                self._idle.set()

    def check_open(self) -> None:
        """Raises Stopping after `stop`."""
        if self.stopping.is_set():
            raise self.build_error()

    def check_ready(self) -> None:
        """Raises Stopping after `end`."""
        if self.ending.is_set():
            raise self.build_error()

    def build_error(self) -> Stopping:
        return Stopping("the service is being stopped", retry_after_s=self._retry_after_s)

    def end(self) -> None:
        self.ending.set()

    def stop(self) -> None:
        self.end()
        self.stopping.set()

    async def wait_idle(self) -> None:
        """Returns once no request is active."""
        await self._idle.wait()


@dataclass(frozen=True, slots=True)
class Service:
    engine: Engine
    settings: WebSettings
    limits: WebLimits
    gate: DrainGate
    metrics: WebMetrics
    identity: ClientIdentity
    callers: CallerLimits
    large_inputs: LargeInputs = field(default_factory=LargeInputs)
    # New in each process, so that an id cannot be traced to an address, nor across restarts.
    salt: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def check_personality(self, name: str, names: frozenset[str]) -> str:
        """Returns `name`. `names`: the caller's. Raises AccessRefused, PersonalityUnknown with those for the caller."""
        usable = self.engine.personalities(names)
        if name in usable:
            return name
        if name in self.engine.personalities():
            raise AccessRefused("this personality is for people and programs that its access list names")
        raise PersonalityUnknown(f"no such personality; there are: {', '.join(usable)}")

    def user_id(self, request: web.Request, claimed_user: str = "") -> str:
        """An opaque id for fairness. `claimed_user`: the user that a program says it asks for."""
        person = self.identity.identify(request.remote, request.headers.getall("X-Forwarded-For", ()), claimed_user)
        if key := find_caller(request).key:
            person = (f"key:{key.id}", person[1])
        person_bytes = "\0".join(person).encode(errors="surrogatepass")
        return hashlib.blake2b(person_bytes, key=self.salt, digest_size=16).hexdigest()

    async def reply(self, prompt: Prompt) -> AsyncGenerator[Event, None]:
        """The engine's reply, counted in the metrics. Closing it closes the engine's."""
        who = await self.callers.admit(prompt.user, prompt.names)
        started_s = time.monotonic()
        has_text = False
        with self.metrics.running.track_inprogress():
            async with aclosing(self.engine.reply(prompt)) as events:
                async for event in events:
                    if isinstance(event, Text) and not has_text:
                        has_text = True
                        self.metrics.first_words.observe(time.monotonic() - started_s)
                    if isinstance(event, Done):
                        await self._count(who, event)
                    yield event

    async def _count(self, who: Limited, answer: Done | ToilResult) -> None:
        self.metrics.count_answer(answer)
        await self.callers.count(who, answer.usage)

    async def toil(self, task: Task) -> ToilResult:
        who = await self.callers.admit(task.user, task.names)
        with self.metrics.running.track_inprogress():
            result = await self.engine.toil(task)
        await self._count(who, result)
        return result

    async def toil_events(self, task: Task) -> AsyncGenerator[ToilEvent, None]:
        who = await self.callers.admit(task.user, task.names)
        with self.metrics.running.track_inprogress():
            async with aclosing(self.engine.toil_events(task)) as events:
                async for event in events:
                    if isinstance(event, ToilResult):
                        await self._count(who, event)
                    yield event

    async def choose_tools(self, prompt: Prompt) -> AsyncGenerator[ToolEvent, None]:
        who = await self.callers.admit(prompt.user, prompt.names)
        with self.metrics.running.track_inprogress():
            async with aclosing(self.engine.choose_tools(prompt)) as events:
                async for event in events:
                    if isinstance(event, ToolsChosen):
                        self.metrics.count_usage(event.usage)
                        await self.callers.count(who, event.usage)
                    yield event

    async def description(self, personality: str, wait_s: float = DESCRIBE_WAIT_S) -> Description | None:
        return await describe(self.engine, personality, wait_s)

    async def language(self, personality: str) -> Language | None:
        description = await self.description(personality)
        return description.language if description else None


RECEIPT_HEADER = "X-Receipt"  # the id of the answer's receipt: it is known before the answer
SERVICE: web.AppKey[Service] = web.AppKey("service", Service)


@asynccontextmanager
async def open_reply(
    service: Service, prompt: Prompt, *, sources_in_text: bool = False
) -> AsyncIterator[AsyncGenerator[Event, None]]:
    """The reply's events; leaving the block cancels the rest. `sources_in_text`: the text also lists the sources."""
    reply = service.reply(prompt)
    async with aclosing(append_source_list(reply) if sources_in_text else reply) as events:
        yield events
