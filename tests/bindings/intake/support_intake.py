"""An intake with a platform in memory, a database on disk, and a switch that kills the process between two steps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from prometheus_client import Gauge

from bindings.delivery.context import DeliveryContext, RetryPolicy
from bindings.delivery.outlet import DeliveryError, Page, PageLimits
from bindings.incoming import AttachedFile, BotCommand, IncomingMessage, Place, ThreadMessages
from bindings.intake.intake import Intake
from bindings.metrics import BotMetrics
from bindings.process_lease import ProcessLease
from bindings.selftest.changes import Changes
from bindings.store import Store
from bindings.tables import deliveries
from core.configuration import settings
from core.configuration.personalities import Personalities
from core.contract import Done, Engine, Language, Prompt, Text, Usage
from core.rag.facts.editing import FactsEditing
from core.screening import Screener
from core.storage.database import Database
from tests.bindings.support_fakes import Call, FakeOutlet, FakePlatform, link_forms
from tests.support.fake_engine import ReplyStep

Result = TypeVar("Result")
LEASE_S = 5.0
AT_ONCE = PageLimits(page_chars=20_000, edit_interval_s=0.0)
QUICK = DeliveryContext(retry=RetryPolicy(first_s=0.0, limit_s=0.0, give_up_after_s=60.0), status_after_s=0.0)


def echo(prompt: Prompt) -> Iterable[ReplyStep]:
    """Repeats the question."""
    return (Text(f"re: {prompt.text}"), Done("stop", "fake-model", Usage(3, 2, 1)))


class Killed(BaseException):
    """Stands for `kill -9`: no code of ours catches it."""


@dataclass
class KillSwitch:
    """Kills at a point, counted from 0. None: never."""

    at: int | None = None
    count: int = 0
    killed: bool = False

    def kill_point(self) -> None:
        here, self.count = self.count, self.count + 1
        if self.killed or here == self.at:
            self.killed = True
            raise Killed


@dataclass
class KillingOutlet(FakeOutlet):
    """`shown`: the platform took a call of this outlet, in any form."""

    switch: KillSwitch = field(default_factory=KillSwitch)
    changes: Changes = field(default_factory=Changes)
    shown: asyncio.Event = field(default_factory=asyncio.Event)

    async def _do(self, call: Call, act: Callable[[], Result]) -> Result:
        self.switch.kill_point()
        result = await super()._do(call, act)
        self.shown.set()
        self.changes.notify()
        self.switch.kill_point()
        return result


class KillingDatabase(Database):
    """Has a kill point before and after each write. Reads change nothing, so they have none."""

    switch = KillSwitch()
    changes = Changes()

    async def write(self, work: Callable[[Any], Result]) -> Result:
        self.switch.kill_point()
        result = await super().write(work)
        self.changes.notify()
        self.switch.kill_point()
        return result


class RunningGauge(Gauge):
    """The number of running deliveries. A delivery leaves it last, after the files of its job were removed."""

    changes = Changes()

    def dec(self, amount: float = 1) -> None:
        super().dec(amount)
        self.changes.notify()


@dataclass
class FakeChannels:
    """Implements `bindings.incoming.Platform`, with a channel for each conversation. Channels outlive processes."""

    name: str = "slack"
    limits: PageLimits = AT_ONCE
    takes_files: bool = True
    ai_label: bool = False
    switch: KillSwitch = field(default_factory=KillSwitch)
    channels: dict[str, FakePlatform] = field(default_factory=dict)
    thread: ThreadMessages = field(default_factory=ThreadMessages)
    thread_failure: Exception | None = None
    files: dict[str, bytes | Exception] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)
    outlets: list[KillingOutlet] = field(default_factory=list)
    languages: list[Language | None] = field(default_factory=list)  # of each outlet
    forgotten: list[str] = field(default_factory=list)
    purges: int = 0
    refuses: Callable[[Call], DeliveryError | None] = lambda call: None  # in the richest form
    plainer: str | None = None  # a second form
    changes: Changes = field(default_factory=Changes)

    def outlet(self, incoming: IncomingMessage) -> KillingOutlet:
        channel = self.channels.setdefault(incoming.place.conversation, FakePlatform())
        outlet = KillingOutlet(
            self.limits,
            channel,
            takes_files=self.takes_files,
            ai_label=self.ai_label,
            switch=self.switch,
            changes=self.changes,
            refuses=self.refuses,
        )
        if self.plainer is not None:
            form = KillingOutlet(
                self.limits, form=self.plainer, switch=self.switch, changes=self.changes, shown=outlet.shown
            )
            link_forms(outlet, form)
        self.outlets.append(outlet)
        self.languages.append(incoming.language)
        return outlet

    async def thread_messages(self, incoming: IncomingMessage) -> ThreadMessages:
        if self.thread_failure:
            raise self.thread_failure
        return self.thread

    async def fetch(self, file: AttachedFile, limit_bytes: int) -> bytes:
        self.fetched.append(file.url)
        body = self.files[file.url]
        if isinstance(body, Exception):
            raise body
        return body

    async def forget(self, place: Place) -> None:
        self.forgotten.append(place.conversation)

    async def purge(self) -> None:
        self.purges += 1
        self.changes.notify()

    def shown(self, conversation: str) -> list[Page]:
        channel = self.channels.get(conversation)
        return list(channel.messages.values()) if channel else []

    def texts(self, conversation: str) -> list[str]:
        return [page.text for page in self.shown(conversation)]


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class BotHarness:
    """The database, disk and platform, which outlive processes, and the parts of each process."""

    folder: Path
    engine: Engine
    channels: FakeChannels = field(default_factory=FakeChannels)
    environ: dict[str, str] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)
    metrics: BotMetrics = field(default_factory=BotMetrics)
    context: DeliveryContext = QUICK
    editing: Callable[[Database], FactsEditing] | None = None  # builds what the command `facts` edits
    screener: Screener | None = None
    store: Store = field(init=False)

    def settings(self) -> settings.Settings:
        return settings.load({"CSPS_LLM_DATA": str(self.folder), **self.environ})

    @asynccontextmanager
    async def open(self, switch: KillSwitch | None = None) -> AsyncIterator[Intake]:
        """A process that takes messages, but answers none."""
        loaded = self.settings()
        database = KillingDatabase(loaded.database_url)
        personalities = Personalities(loaded.config / "personalities")
        personalities.load()
        lease = ProcessLease(database, self.channels.name, LEASE_S) if database.serves_several else None
        self.store = Store(database, self.clock, lease)
        await database.upgrade()
        database.switch = self.channels.switch = switch or KillSwitch()
        self.metrics.running = running = RunningGauge("running", "Running deliveries", registry=None)
        running.changes = database.changes = self.channels.changes
        editing = self.editing(database) if self.editing else None
        try:
            yield Intake(
                self.engine,
                self.channels,
                self.store,
                personalities,
                loaded,
                self.metrics,
                self.context,
                self.clock,
                editing,
                self.screener,
            )
        finally:
            database.switch = KillSwitch()
            await database.close()

    @asynccontextmanager
    async def process(self, switch: KillSwitch | None = None) -> AsyncIterator[Intake]:
        """A process that also answers. It is cancelled at the end of the block."""
        async with self.open(switch) as intake:
            running = asyncio.create_task(intake.run())
            try:
                yield intake
            finally:
                running.cancel()
                await asyncio.wait({running})

    async def until(self, condition: Callable[[], object]) -> None:
        """Waits until a condition holds, checked after each step of a process: a write, a call, an ended delivery."""
        await self.channels.changes.until(condition)

    async def until_finished(self) -> None:
        await self.until(self.is_finished)

    async def is_finished(self) -> bool:
        """True if all deliveries are finished and no job is left."""
        return not (await self.unfinished() or self.jobs)

    @property
    def jobs(self) -> list[Path]:
        """The folders of the jobs."""
        return list(self.folder.glob("jobs/slack/*"))

    async def unfinished(self) -> int:
        wanted = sa.select(sa.func.count()).where(deliveries.c.state == "received")
        return await self.store._database.read(lambda db: db.execute(wanted).scalar_one())

    async def answer_all(self, *messages: IncomingMessage) -> None:
        """One process takes the messages and finishes them."""
        async with self.process() as intake:
            for message in messages:
                await intake.take(message)
            await self.until_finished()


THREAD = Place("slack", "T1", "C1", "1.0", "channel")
DIRECT = Place("slack", "T1", "D1", None, "personal")


def message(
    text: str,
    number: int = 1,
    place: Place = THREAD,
    user: str = "U1",
    language: Language | None = None,
    command: BotCommand | None = None,
    toil: bool = False,
    **files: str,
) -> IncomingMessage:
    """A message. `files`: URLs by file name, with two underscores for a dot."""
    attached = tuple(AttachedFile(name.replace("__", "."), url, "") for name, url in files.items())
    incoming = IncomingMessage(f"{place.conversation}:{number}", place, f"m{number}", user, text, language=language)
    return replace(incoming, command=command, toil=toil, files=attached)
