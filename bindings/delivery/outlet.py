"""The interface between delivery and a platform: outlets, pages and the errors of a platform.

A page is one message of the platform. Its text is Markdown from a model and hostile. Renderers make sure that it pings
nobody, unfurls no link and cannot break out of its message.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol

from core.contract import Language, Source
from core.errors import CspsError


class DeliveryError(CspsError):
    """The platform did not carry out a call.

    DeliveryError
    ├── Throttled            rejected for now: retry after retry_after_s
    ├── Unreachable          5xx but 501, a timeout or a broken connection: the call may have taken effect
    │   └── Unsent           no connection: it had no effect
    ├── CredentialsRefused   the bot's token is dead: every call fails until the operator helps; deliveries wait
    ├── Gone                 the message, channel or installation no longer exists
    └── Refused              lasting, also 501: a retry cannot help; the message tells the operator what to do
        └── OutcomeUnknown   raised by delivery, see `Outlet.can_find`

    After Refused and Gone, `Outlet.plainer` decides whether the answer takes a plainer form.
    """

    code: ClassVar[str] = "delivery"
    status: ClassVar[int] = 502


class Throttled(DeliveryError):
    """Rejected by a rate limit. `retry_after_s` is always set."""


class Unreachable(DeliveryError):
    pass


class Unsent(Unreachable):
    """The connection failed before the call was sent, so it certainly had no effect."""


class CredentialsRefused(DeliveryError):
    """The token is revoked, expired or wrong. The message tells the operator what to do."""

    code: ClassVar[str] = "credentials_refused"


class Gone(DeliveryError):
    pass


class Refused(DeliveryError):
    pass


class OutcomeUnknown(Refused):
    """Two posts may have taken effect, and the platform cannot look them up: a third could be a third copy."""


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


DIRECT = "direct"  # the form of an answer that goes to the asker alone, because its place refused it


class PostedPage(NamedTuple):
    """A message on the platform, and the form in which it was posted."""

    form: str
    ref: str


class Outlet(Protocol):
    """The place and form of one answer on a platform. Methods raise only DeliveryError, and do not retry.

    Refs are the platform's message ids, as text that stays valid after a restart. Adapters derive from this class, for
    the defaults of an outlet without plainer forms.
    """

    limits: PageLimits
    ai_label: bool  # the platform shows an AI label itself, so the footer need not
    form: str = ""  # names the messages that this outlet can edit: "" for the richest form, DIRECT for direct messages
    can_find: bool = True  # `find` returns the ref of every post that took effect
    can_edit: bool = True  # False: pages are posted once they are final

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
        """Returns the ref of a post with unknown outcome. None: not posted, or the platform cannot tell.

        An outlet without `can_find` makes a call here that shows nothing. While that fails, nothing is posted again;
        afterwards, a post with unknown outcome is repeated once.
        """
        ...

    async def delete(self, ref: str) -> None:
        """Deletes a page that is no longer needed. A page that is already gone is no error."""
        ...

    async def upload(self, upload: Upload, nonce: str) -> bool:
        """Sends a file. False: files cannot be sent here, so the caller shows the content as text."""
        ...

    def plainer(self, error: DeliveryError) -> Outlet | None:
        """The outlet of the next plainer form, after a call was Refused or its place is Gone. None: there is no other.

        An outlet of the same `form` continues with the posted messages. One of another form posts the whole answer
        again, and delivery deletes what was posted before. The asker deleted the question: None.
        """
        return None

    def in_form(self, form: str) -> Outlet:
        """The richest outlet of this form, which an earlier call or process reached by `plainer`."""
        return self


class PostLedger(Protocol):
    """The durable list of posted pages, with which the next process continues after a crash.

    Each change is durable when the method returns.
    """

    form: str  # of the outlet that posts now
    refs: list[str]  # of the pages in this form, in order
    leftovers: list[PostedPage]  # pages that are to be deleted, of any form
    resumed: bool  # an earlier process began: it may have posted pages that are not in `refs`

    async def add(self, ref: str) -> None:
        """Appends a ref. It is no leftover any more: a platform may return an earlier post instead of a new one."""
        ...

    async def discard(self, ref: str) -> None:
        """Makes a page a leftover."""
        ...

    async def change_form(self, form: str) -> None:
        """Begins a plainer form: all pages become leftovers."""
        ...

    async def forget_leftover(self, page: PostedPage) -> None:
        """Removes a page that no longer needs anything."""
        ...
