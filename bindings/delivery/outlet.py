"""The interface between delivery and a platform: outlets, pages and the errors of a platform.

A page is one message of the platform. Its text is Markdown from a model and hostile. Renderers make sure that it pings
nobody, unfurls no link and cannot break out of its message.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

from core.contract import Language, Source
from core.errors import CspsError


class DeliveryError(CspsError):
    """The platform did not carry out a call.

    DeliveryError
    ├── Throttled       rejected for now: retry after retry_after_s
    ├── Unreachable     5xx, a timeout or a broken connection: the call may have taken effect
    ├── Gone            the message, channel or installation no longer exists: nobody waits for this answer
    └── Refused         our mistake or a wrong set-up: a retry cannot help; the message tells the operator what to do
    """

    code: ClassVar[str] = "delivery"
    status: ClassVar[int] = 502


class Throttled(DeliveryError):
    """Rejected by a rate limit. `retry_after_s` is always set."""


class Unreachable(DeliveryError):
    pass


class Gone(DeliveryError):
    pass


class Refused(DeliveryError):
    pass


@dataclass(frozen=True, slots=True)
class PageLimits:
    """The platform's limits for the pages of one answer."""

    page_chars: int  # of rendered text, the closing included
    edit_interval_s: float  # between two edits of an answer
    first_words_s: float = 0.0  # delay of the first post, so that it holds more than one word
    stream_limit_s: float | None = None  # after which the platform ends a native stream
    post_interval_s: float = 0.0  # between two posts in one channel, over all answers there


@dataclass(frozen=True, slots=True)
class Closing:
    """The lines below a finished answer: our plain text in the person's language, and the sources."""

    answer_id: str  # for feedback and regenerate; "": a notice, which has no buttons
    footer: str  # the AI disclosure with the model's name; "": none
    note: str | None = None  # the reason why the answer is incomplete
    notice: str | None = None  # unread files; at first contact, the privacy notice
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """One message as it should look now. Without a closing, more text follows: on this page or on a later one."""

    text: str  # balanced: a code fence that is cut is closed here and opened again on the next page
    language: Language
    status: str | None = None  # the current activity; shown in place of, or below, the text
    final: bool = False  # this delivery will not edit it again
    closing: Closing | None = None  # on the last page, once it is final
    is_notice: bool = False  # the text is ours, not the model's


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that belongs to an answer."""

    name: str
    media_type: str
    body: bytes


class Outlet(Protocol):
    """The place of one answer on a platform. Methods raise only DeliveryError, and do not retry.

    Refs are the platform's message ids, as text that stays valid after a restart.
    """

    limits: PageLimits
    ai_label: bool  # the platform shows an AI label itself, so the footer need not

    def length(self, page: Page) -> int:
        """The length of the rendered page, as the platform counts. A final page is not longer than the same text."""
        ...

    async def post(self, page: Page, nonce: str) -> str:
        """Posts a message in reply to the question and returns its ref. A retry of the post has the same `nonce`."""
        ...

    async def edit(self, ref: str, page: Page) -> None:
        """Replaces a message, even if an earlier process posted it."""
        ...

    async def find(self, nonce: str) -> str | None:
        """Returns the ref of a post with unknown outcome. None: not posted, or the platform cannot tell."""
        ...

    async def delete(self, ref: str) -> None:
        """Deletes a page that is no longer needed. A page that is already gone is no error."""
        ...

    async def upload(self, upload: Upload, nonce: str) -> bool:
        """Sends a file. False: files cannot be sent here, so the caller shows the content as text."""
        ...


class PostLedger(Protocol):
    """The durable list of posted pages, with which the next process continues after a crash."""

    refs: list[str]  # of the pages, in order
    resumed: bool  # an earlier process began: it may have posted pages that are not in `refs`

    async def add(self, ref: str) -> None:
        """Appends a ref; durable when this returns."""
        ...

    async def remove(self, ref: str) -> None: ...
