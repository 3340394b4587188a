"""A platform and a ledger in memory, and an event loop whose clock jumps, so that tests never wait."""

from __future__ import annotations

import asyncio
import itertools
import selectors
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from bindings.delivery.outlet import Closing, DeliveryError, Gone, Outlet, Page, PageLimits, PostedPage, Upload

STARTED_AT = 1000.0  # of the clock
Result = TypeVar("Result")
CallName = Literal["post", "edit", "find", "delete", "upload"]


class JumpingSelector(selectors.DefaultSelector):
    """Adds each timeout to the clock instead of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = STARTED_AT

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("every task waits for ever: a deadlock")
        self.now_s += 0.0 if ready else timeout or 0.0
        return ready


class JumpingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.jumping = JumpingSelector()
        super().__init__(self.jumping)

    def time(self) -> float:
        return self.jumping.now_s


def run(main: Coroutine[Any, Any, Result]) -> Result:
    """Works as `asyncio.run`, on a jumping clock. It does not suit tests with other processes or threads."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(main)


def clock() -> float:
    """The time of the running loop."""
    return asyncio.get_running_loop().time()


@dataclass(frozen=True)
class Call:
    """One call to the platform, its time and its arguments."""

    name: CallName
    at: float
    ref: str | None = None  # of the message that was edited or deleted
    page: Page | None = None
    nonce: str | None = None


@dataclass
class CallFailure:
    """An error raised instead of the call, or after it (`done`)."""

    error: BaseException
    done: bool = False


class FakePlatform:
    """A channel of a platform. `messages` are visible to people, and survive the processes that post them."""

    def __init__(self) -> None:
        self.messages: dict[str, Page] = {}  # in order
        self.forms: dict[str, str] = {}  # by ref
        self.nonces: dict[str, str] = {}
        self.files: dict[str, Upload] = {}
        self.posted_nonces: list[str] = []
        self.counter = itertools.count(1)


class PlaceGone(Gone):
    """The channel no longer exists; the asker may be reached elsewhere."""


@dataclass
class FakeOutlet(Outlet):
    """Records calls. `failures` has one item for each call; None, or no item left: the call succeeds."""

    limits: PageLimits = field(default_factory=lambda: PageLimits(page_chars=500, edit_interval_s=1.0))
    platform: FakePlatform = field(default_factory=FakePlatform)
    failures: Iterator[CallFailure | None] = field(default_factory=lambda: iter(()))
    call_s: float = 0.0  # duration of each call
    takes_files: bool = True
    undeletable: DeliveryError | None = None
    ai_label: bool = False
    form: str = ""
    can_find: bool = True
    refuses: Callable[[Call], DeliveryError | None] = lambda call: None
    plainer_forms: tuple[FakeOutlet, ...] = ()  # in order, as `link_forms` sets them
    calls: list[Call] = field(default_factory=list)

    def length(self, page: Page) -> int:
        return len(rendered(page))

    async def post(self, page: Page, nonce: str) -> str:
        def act() -> str:
            ref = f"m{next(self.platform.counter)}"
            self.platform.messages[ref] = page
            self.platform.forms[ref] = self.form
            self.platform.nonces[nonce] = ref
            self.platform.posted_nonces.append(nonce)
            return ref

        return await self._do(Call("post", clock(), page=page, nonce=nonce), act)

    async def edit(self, ref: str, page: Page) -> None:
        def act() -> None:
            if ref not in self.platform.messages:
                raise Gone("there is no such message")
            if self.platform.forms[ref] != self.form:
                raise AssertionError(f"the form {self.form!r} edits a message of another form")
            self.platform.messages[ref] = page

        await self._do(Call("edit", clock(), ref=ref, page=page), act)

    async def find(self, nonce: str) -> str | None:
        return await self._do(
            Call("find", clock(), nonce=nonce), lambda: self.platform.nonces.get(nonce) if self.can_find else None
        )

    async def delete(self, ref: str) -> None:
        def act() -> None:
            if self.platform.forms.get(ref, self.form) != self.form:
                raise AssertionError(f"the form {self.form!r} deletes a message of another form")
            if self.undeletable:
                raise self.undeletable
            self.platform.messages.pop(ref, None)

        await self._do(Call("delete", clock(), ref=ref), act)

    async def upload(self, upload: Upload, nonce: str) -> bool:
        def act() -> bool:
            if self.takes_files:
                self.platform.files[f"f{next(self.platform.counter)}"] = upload
                self.platform.nonces[nonce] = "f"
            return self.takes_files

        return await self._do(Call("upload", clock(), nonce=nonce), act)

    def plainer(self, error: DeliveryError) -> Outlet | None:
        """Goes down for a refusal and a gone place, not for a message that a person deleted."""
        goes_down = self.plainer_forms and (isinstance(error, PlaceGone) or not isinstance(error, Gone))
        return self.plainer_forms[0] if goes_down else None

    def in_form(self, form: str) -> Outlet:
        return next(outlet for outlet in (self, *self.plainer_forms) if outlet.form == form)

    async def _do(self, call: Call, act: Callable[[], Result]) -> Result:
        self.calls.append(call)
        failure = next(self.failures, None)
        await asyncio.sleep(self.call_s)
        if refusal := self.refuses(call):
            raise refusal
        if failure and not failure.done:
            raise failure.error
        result = act()
        if failure:
            raise failure.error
        return result

    def calls_named(self, *names: CallName) -> list[Call]:
        return [call for call in self.calls if call.name in names]

    @property
    def pages(self) -> list[Page]:
        return list(self.platform.messages.values())


def link_forms(*outlets: FakeOutlet) -> FakeOutlet:
    """Makes outlets, from the richest to the plainest, a ladder on one platform. Returns the richest."""
    richest = outlets[0]
    for number, outlet in enumerate(outlets):
        outlet.platform, outlet.failures, outlet.calls = richest.platform, richest.failures, richest.calls
        outlet.plainer_forms = outlets[number + 1 :]
    return richest


@dataclass
class FakeLedger:
    """A durable ledger: pass `restarted()` to the next delivery."""

    refs: list[str] = field(default_factory=list)
    resumed: bool = False
    failure: Exception | None = None
    form: str = ""
    leftovers: list[PostedPage] = field(default_factory=list)

    async def add(self, ref: str) -> None:
        self._check()
        self.refs.append(ref)
        self.leftovers = [page for page in self.leftovers if page.ref != ref]

    async def discard(self, ref: str) -> None:
        self._check()
        self.refs.remove(ref)
        self.leftovers.append(PostedPage(self.form, ref))

    async def change_form(self, form: str) -> None:
        self._check()
        self.leftovers += [PostedPage(self.form, ref) for ref in self.refs]
        self.form, self.refs = form, []

    async def forget_leftover(self, page: PostedPage) -> None:
        self._check()
        self.leftovers.remove(page)

    def restarted(self) -> FakeLedger:
        return FakeLedger(list(self.refs), resumed=True, form=self.form, leftovers=list(self.leftovers))

    def _check(self) -> None:
        if self.failure:
            raise self.failure


def rendered(page: Page) -> str:
    """The page as plain text."""
    return "\n".join(part for part in (page.text, page.status, *closing_lines(page.closing)) if part)


def closing_lines(closing: Closing | None) -> list[str]:
    if closing is None:
        return []
    sources = [f"[{source.number}] {source.title} {source.url or ''}" for source in closing.sources]
    return [*sources, *(part for part in (closing.note, closing.footer, closing.notice) if part)]
