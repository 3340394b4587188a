"""Rate limits, retries and options of deliveries, and their outcome. Knows no outlet but its errors.

All deliveries of a process share a `DeliveryContext`; each has its own `DeliveryOptions`. Clocks are monotonic, in
seconds, and injected.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal, TypeVar

import structlog

from bindings.delivery.outlet import CredentialsRefused, DeliveryError, Gone, Refused, Throttled, Unreachable
from core.contract import Done, Language, PersonalInformation
from core.errors import CspsError, LeaseLost
from core.runtime.backoff import Backoff, Cooldowns

log = structlog.get_logger()

Clock = Callable[[], float]
DeliveryEnding = Literal["delivered", "stopped", "failed", "withdrawn", "gone", "refused", "undelivered"]
Result = TypeVar("Result")
PASSING = (Throttled, Unreachable, CredentialsRefused)  # a retry of the call can help
CREDENTIALS_PAUSE_S = 30.0  # at least, between two calls with refused credentials
TRACKED_CHANNELS = 1024  # above that, channels that may be posted to again are dropped from memory


class RateLimit:
    """Spaces the posts in each channel. One per process, because platforms count all posts of a bot in a channel."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self.clock = clock
        self._cooldowns = Cooldowns(clock, TRACKED_CHANNELS)

    def next_post_at(self, channel: str) -> float:
        return self._cooldowns.until(channel)

    def record_post(self, channel: str, interval_s: float) -> None:
        """Reserves the channel for `interval_s` from now."""
        if interval_s > 0 and channel:
            self._cooldowns.start(channel, interval_s)


class EditInterval:
    """Spaces the edits of one answer. The first post counts as an edit, so that the message does not flicker."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._last_at: float | None = None

    def next_edit_at(self, interval_s: float) -> float:
        """The time of the next edit. Each call passes the interval, because an outlet may have to slow down."""
        return 0.0 if self._last_at is None else self._last_at + interval_s

    def record_edit(self) -> None:
        self._last_at = self._clock()


class PlatformHealth:
    """Logs one line when the platform starts to fail and one when it works again, over all deliveries of a process.

    It fails after `failures` failed calls in a row and `grace_s` without a success. Single failures are not logged:
    each delivery retries by itself. Refused credentials are logged at once, because only the operator can help.
    """

    def __init__(self, failures: int = 3, grace_s: float = 5.0, clock: Clock = time.monotonic) -> None:
        self._limit = failures
        self._grace_s = grace_s
        self._clock = clock
        self._count = 0
        self._since: float | None = None
        self.failing = False
        self.credentials_problem: str | None = None  # says what the operator has to do

    def record_failure(self, error: CspsError) -> None:
        """Counts a call that was throttled, did not reach the platform, or was made with refused credentials."""
        if isinstance(error, CredentialsRefused):
            self._record_credentials(error)
            return
        self._count += 1
        self._since = self._clock() if self._since is None else self._since
        if not self.failing and self._count >= self._limit and self._clock() - self._since >= self._grace_s:
            self.failing = True
            log.warning("platform_failed", code=type(error).__name__, problem=error.message)

    def record_success(self) -> None:
        if self.failing and self._since is not None:
            log.info("platform_recovered", after_s=round(self._clock() - self._since))
        if self.credentials_problem is not None:
            log.info("platform_credentials_accepted")
        self._count, self._since, self.failing, self.credentials_problem = 0, None, False, None

    def _record_credentials(self, error: CredentialsRefused) -> None:
        if self.credentials_problem is None:
            log.error("platform_credentials_refused", problem=error.message)
        self.credentials_problem = error.message


@dataclass(frozen=True, slots=True)
class RetryPolicy(Backoff):
    """Pauses between failed calls, and limits. A longer Retry-After takes precedence over a pause."""

    give_up_after_s: float = 600.0  # without a success, once the answer is complete; before that, no limit
    call_limit_s: float = 60.0  # the deadline of one call, whose outcome is then unknown


def always_valid() -> None:
    """The lease of a process that is alone."""


# The check of the delivery that a task works on.
CHECK_LEASE: ContextVar[Callable[[], None]] = ContextVar("CHECK_LEASE", default=always_valid)


def require_lease() -> None:
    """Raises LeaseLost. For the platforms' clients, right before a request: one call of a delivery may need several."""
    CHECK_LEASE.get()()


@dataclass(frozen=True, slots=True)
class DeliveryContext:
    """The state and limits that all deliveries of a process share."""

    rate_limit: RateLimit = field(default_factory=RateLimit)
    health: PlatformHealth = field(default_factory=PlatformHealth)
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    status_after_s: float = 1.5  # delay of the first status, so that quick answers do not flicker
    loading_after_s: float = 0.5  # delay of the status that a model is loaded, which takes longer than most waits
    answer_limit_chars: int = 200_000  # cuts off an engine that never ends
    check_lease: Callable[[], None] = always_valid  # raises LeaseLost if another process may make the calls now


def no_footer(model: str | None) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class DeliveryOptions:
    """The options of one delivery. Its events end it: `stop` with a note, `withdrawn` (question deleted) silently."""

    language: Language
    answer_id: str  # for buttons and nonces
    channel: str = ""  # the key for the platform's rate limit of posts; "": only this answer
    footer: Callable[[str | None], str] = no_footer  # from the model's name; None: the answer did not finish
    labelled_footer: Callable[[str | None], str] | None = None  # where the outlet shows an AI label; None: the same
    notice: str | None = None  # shown below the answer, as in Closing
    masked: tuple[PersonalInformation, ...] = ()  # taken out of the message before the events began
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    withdrawn: asyncio.Event = field(default_factory=asyncio.Event)
    context: DeliveryContext = field(default_factory=DeliveryContext)

    def nonce(self, page: int | str, form: str = "") -> str:
        """The nonce of a page, numbered from 1, or of a "file". Each form has its own: its posts are others."""
        return f"{self.answer_id}-{form}-{page}" if form else f"{self.answer_id}-{page}"


@dataclass(frozen=True, slots=True)
class DeliveryOutcome:
    """The result of a delivery.

    ending:
    - delivered     complete, or cut by the token budget with a note
    - stopped       by the person; the text so far stays, with a note
    - failed        the engine failed; the person sees an error
    - withdrawn     the question was deleted, and its answer with it
    - gone          the place no longer exists, and nobody waits for the answer
    - refused       the platform rejected every form of it; the reason is in the log
    - undelivered   the platform stayed down: try again later with the same ledger
    """

    ending: DeliveryEnding
    chars: int = 0  # of the model's text
    edits: int = 0
    posts: int = 0
    done: Done | None = None
    reason: str | None = None  # of a delivery that failed, or was refused or gone; for the operator


class RetryingCaller:
    """Makes the calls of one delivery: one at a time, with a deadline, and a pause after each failure."""

    def __init__(self, context: DeliveryContext) -> None:
        self._context = context
        self._clock = context.rate_limit.clock
        self._failures = 0
        self._succeeded_at = 0.0
        self._unauthorized = False
        self.next_call_at = 0.0

    async def call(self, act: Callable[[], Awaitable[Result]]) -> Result:
        """Makes one attempt. Raises DeliveryError; for the adapter's own defects, Refused.

        Raises LeaseLost if the process may no longer write; `require_lease` does so before each request of the call.
        """
        CHECK_LEASE.set(self._context.check_lease)
        require_lease()
        limit_s = self._context.retry.call_limit_s
        try:
            async with asyncio.timeout(limit_s):
                result = await act()
        except LeaseLost:
            raise
        except (*PASSING, Gone, Refused) as exc:
            self._record_failure(exc)
            raise
        except TimeoutError as exc:
            raise self._record_failure(Unreachable(f"the platform did not answer within {limit_s:g} s")) from exc
        except Exception as exc:
            log.exception("outlet_failed")
            raise self._record_failure(Refused("the adapter failed; the log line above has the traceback")) from exc
        self._record_success()
        return result

    async def call_until_done(self, act: Callable[[], Awaitable[Result]]) -> Result:
        """Repeats `act`, which makes calls, until it succeeds or the retry policy gives up. Raises as `call`."""
        begun_at = self._clock()
        while True:
            try:
                return await act()
            except PASSING:
                if self.gives_up(begun_at):
                    raise
            await asyncio.sleep(max(0.0, self.next_call_at - self._clock()))

    def gives_up(self, since: float) -> bool:
        """True if the next call would come too late, counted from `since` or from the last success.

        Never with refused credentials: another delivery of the same answer would meet them too.
        """
        limit_s = self._context.retry.give_up_after_s
        return not self._unauthorized and self.next_call_at > max(since, self._succeeded_at) + limit_s

    def _record_success(self) -> None:
        self._failures, self._unauthorized = 0, False
        self._succeeded_at = self._clock()
        self._context.health.record_success()

    def _record_failure(self, error: DeliveryError) -> DeliveryError:
        if isinstance(error, PASSING):
            self._failures += 1
            self._unauthorized = isinstance(error, CredentialsRefused)
            at_least_s = CREDENTIALS_PAUSE_S if self._unauthorized else error.retry_after_s or 0.0
            pause_s = max(self._context.retry.pause_s(self._failures), at_least_s)
            self.next_call_at = self._clock() + pause_s
            self._context.health.record_failure(error)
        return error
