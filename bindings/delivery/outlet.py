"""What delivery asks of a platform, and how a platform refuses. Each adapter implements `Outlet` for its own.

A page is one message of the platform. Its text is Markdown from a model: hostile. Whoever renders it sees to it that it
pings nobody, unfurls nothing and breaks out of nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from core.contract import Language, Source
from core.errors import CspsError


class DeliveryError(CspsError):
    """The platform did not do what it was asked.

    DeliveryError
    ├── Throttled       come back in retry_after_s; it was not done
    ├── Unreachable     5xx, a timeout, a broken connection: it may or may not have been done
    ├── Gone            the message, channel or installation is no more: nobody waits for this answer
    └── Refused         a mistake of ours or of the set-up: trying again cannot help; the message says what to click
    """

    code: ClassVar[str] = "delivery"
    status: ClassVar[int] = 502


class Throttled(DeliveryError):
    """`retry_after_s` is always set."""


class Unreachable(DeliveryError):
    pass


class Gone(DeliveryError):
    pass


class Refused(DeliveryError):
    pass


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one message."""

    page_chars: int  # of rendered text, the closing included
    edit_interval_s: float  # between two edits of an answer
    first_words_s: float = 0.0  # how long to gather text before the first post
    stream_limit_s: float | None = None  # after which the platform ends a native stream
    post_interval_s: float = 0.0  # between two posts in one channel, over all answers there


@dataclass(frozen=True, slots=True)
class Closing:
    """What stands under a finished answer. Plain text of ours, in the person's language, except for the sources."""

    answer: str  # its id, for feedback and regenerate; "": this is a notice, and has no buttons
    footer: str  # that an AI wrote it, and which model; "": none
    note: str | None = None  # why it is not whole
    notice: str | None = None  # what a person is told at the first contact
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """One message as it should now look. Without a closing there is more to come: on this page or on a later one."""

    text: str  # balanced: a code fence that is cut is closed here and opened again on the next page
    language: Language
    status: str | None = None  # what is being waited for; shown in place of, or under, the text
    final: bool = False  # it will not be edited any more in this delivery
    closing: Closing | None = None  # of the last page, once it is final
    ours: bool = False  # the text is words of ours, and none of a model's


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that goes with an answer."""

    name: str
    media_type: str
    body: bytes


class Outlet(Protocol):
    """Where one answer goes. Methods raise DeliveryError and nothing else on purpose; they do not retry by themselves.

    Refs are the platform's ids of messages, as text that still means something after a restart.
    """

    limits: Limits
    ai_label: bool  # the platform shows its own AI label, so the footer need not

    def length(self, page: Page) -> int:
        """Of the rendered page, as the platform counts. What is the same text takes no more room once it is final."""
        ...

    async def post(self, page: Page, nonce: str) -> str:
        """A new message in reply to the question; its ref. `nonce` is the same if the same post is tried again."""
        ...

    async def edit(self, ref: str, page: Page) -> None:
        """Also after a restart, when `ref` was posted by a process that is gone."""
        ...

    async def find(self, nonce: str) -> str | None:
        """The ref of a post whose outcome is unknown, if it was made and the platform can tell; else None."""
        ...

    async def delete(self, ref: str) -> None:
        """Of a page that is no longer needed; one that is gone already is no error."""
        ...

    async def upload(self, upload: Upload, nonce: str) -> bool:
        """False if files cannot be sent here: it is then shown as text."""
        ...


class Ledger(Protocol):
    """Remembers what was posted, so that a process which comes after a crash goes on with it."""

    refs: list[str]  # of the pages, in order
    begun_before: bool  # by a process that is gone: posts of it may be there that it could not write down

    async def posted(self, ref: str) -> None:
        """Appended, and durable when this returns."""
        ...

    async def removed(self, ref: str) -> None: ...


Sentences = Mapping[Language, str]
