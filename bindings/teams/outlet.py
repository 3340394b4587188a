"""The place and form of one answer, from a stream down to a plain message in the asker's personal chat.

    stream (personal chat) or updates → a plain message → a direct message
                                      → a confirmed message → a direct message

All but the first are posted once they are whole, because an update may be what Teams refuses. Decides which form
follows a refusal. `stream_writer` and `chat_writer` make the calls.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import structlog
from botbuilder.schema import Attachment
from botbuilder.schema.teams import FileConsentCard

from bindings.delivery.outlet import (
    DIRECT,
    DeliveryError,
    Gone,
    OutcomeUnknown,
    Outlet,
    Page,
    PageLimits,
    Refused,
    Unreachable,
    Unsent,
    Upload,
)
from bindings.incoming import IncomingMessage, Place
from bindings.teams import formatting, messages
from bindings.teams.chat_writer import ChatWriter, DirectWriter
from bindings.teams.connector import Connector, PlaceGone, TooLarge
from bindings.teams.files import PendingFile, PendingFiles
from bindings.teams.stream_writer import StreamWriter
from bindings.teams.streaming import ChatStreams, build_ref, is_streamed, parse_ref
from core.contract import Language
from core.errors import StorageError
from core.texts import text

log = structlog.get_logger()

# UTF-16 units. Teams allows 100 KB for a whole message; shorter pages are easier to read on a phone.
PAGE_UNITS = 10_000
SHORT_PAGE_UNITS = 2_000  # after "too large"
STREAM_INTERVAL_S = 1.5  # Teams: collect text for 1.5 to 2 s, at most one call a second
EDIT_INTERVAL_S = 2.0  # Teams: 1,800 operations an hour in one conversation
CONSENT_CARD = "application/vnd.microsoft.teams.card.file.consent"
RICHEST, PLAIN = "", "plain"
# After two posts with unknown outcome, the connector must confirm another call before each further post.
CONFIRMED, CONFIRMED_AGAIN = "confirmed", "confirmed-again"
CONFIRMED_PAUSE_S = {CONFIRMED: 30.0, CONFIRMED_AGAIN: 120.0}  # before the next copy; each form posts two at most
NO_ID = "-"  # the ref of a final message that Teams accepted without returning its id

STREAM_LIMITS = PageLimits(PAGE_UNITS, STREAM_INTERVAL_S)
EDIT_LIMITS = PageLimits(PAGE_UNITS, EDIT_INTERVAL_S, first_words_s=0.5)

StopAnswer = Callable[[Place, str], Awaitable[None]]


class TeamsOutlet(Outlet):
    """Implements `bindings.delivery.outlet.Outlet`. Calls `stop_answer` when a person ends a stream."""

    can_find = False

    def __init__(
        self,
        incoming: IncomingMessage,
        connector: Connector,
        streams: ChatStreams,
        pending: PendingFiles,
        stop_answer: StopAnswer,
        *,
        form: str = RICHEST,
        page_units: int = PAGE_UNITS,
    ) -> None:
        self._incoming = incoming
        self._connector = connector
        self._streams = streams
        self._pending = pending
        self._stop_answer = stop_answer
        self._page_units = page_units
        self._place = place = incoming.place
        self._language: Language = incoming.language or "en"
        self._must_pause = form == CONFIRMED_AGAIN  # the outcome of the previous copy is unknown
        self.form = form
        self.ai_label = self.can_edit = form == RICHEST
        self._chat = (
            DirectWriter(connector, place)
            if form == DIRECT
            else ChatWriter(connector, place, incoming.message, plain=form != RICHEST)
        )
        self._stream = StreamWriter(self._chat, place, incoming.message, streams, self._stop)
        self._stream.may_stream &= form == RICHEST and page_units == PAGE_UNITS
        self.limits = replace(STREAM_LIMITS if self._stream.may_stream else EDIT_LIMITS, page_chars=page_units)

    def length(self, page: Page) -> int:
        return len(formatting.render_page(page).encode("utf-16-le")) // 2

    async def post(self, page: Page, nonce: str) -> str:
        if not page.final and (ref := await self._stream.begin(page)) is not None:
            return ref
        if self.form in CONFIRMED_PAUSE_S:
            await self._confirm_connector()
        try:
            return build_ref(await self._chat.post(page) or NO_ID, streamed=False)
        except Unreachable as exc:
            self._must_pause |= not isinstance(exc, Unsent)
            raise

    async def edit(self, ref: str, page: Page) -> None:
        if ref == NO_ID:
            return  # it was final when it was posted
        if is_streamed(ref):
            await self._stream.edit(ref, page)
        else:
            await self._chat.update(parse_ref(ref), page)

    async def find(self, nonce: str) -> str | None:
        """Returns None, once Teams answers: it lets a bot read no messages, and a message carries no key."""
        try:
            await self._chat.check()
        except (Gone, Refused):
            return None
        return None

    async def delete(self, ref: str) -> None:
        if ref == NO_ID:
            raise Refused("Teams returned no id of this message")
        self._stream.end(ref)
        try:
            await self._chat.delete(parse_ref(ref))
        except PlaceGone:
            raise
        except Gone:
            return

    async def upload(self, upload: Upload, nonce: str) -> bool:
        """Offers the file; the person decides whether to save it to OneDrive. Only personal chats have such offers."""
        if self._place.kind != "personal":
            return False
        try:
            name = await self._pending.add(PendingFile(upload, self._place.route["conversation"]))
        except StorageError:
            return False
        context = {"parcel": name, "language": self._language}
        card = FileConsentCard(
            description=text("teams-file-offer", self._language),
            size_in_bytes=len(upload.body),
            accept_context=context,
            decline_context=context,
        )
        attachment = Attachment(content_type=CONSENT_CARD, name=upload.name, content=card.serialize())
        await self._chat.send(messages.build_card(attachment, self._place, self._language))
        return True

    def plainer(self, error: DeliveryError) -> TeamsOutlet | None:
        """Shorter pages if they are too large, else a plain message, else a direct one where the place is closed."""
        if isinstance(error, OutcomeUnknown):
            further = {CONFIRMED: CONFIRMED_AGAIN, CONFIRMED_AGAIN: None}.get(self.form, CONFIRMED)
            return self._build(further) if further else None
        if isinstance(error, TooLarge) and self._page_units == PAGE_UNITS:
            return self._build(self.form, SHORT_PAGE_UNITS)
        is_elsewhere = self._place.kind != "personal"
        if self.form == RICHEST and not (is_elsewhere and isinstance(error, PlaceGone)):
            return self._build(PLAIN, self._page_units)
        if self.form != DIRECT and is_elsewhere:
            return self._build(DIRECT, self._page_units)
        return None

    def in_form(self, form: str) -> TeamsOutlet:
        return self if form == self.form else self._build(form)

    def _build(self, form: str, page_units: int = PAGE_UNITS) -> TeamsOutlet:
        parts = (self._incoming, self._connector, self._streams, self._pending, self._stop_answer)
        return TeamsOutlet(*parts, form=form, page_units=page_units)

    async def _confirm_connector(self) -> None:
        """Makes a call like a post, but shows nothing. Raises Unsent while the connector does not confirm it.

        A connector that accepts posts without confirming them would otherwise show one copy after another. One that
        loses posts without confirming anything else is given time, so that the answer is not lost.
        """
        if self._must_pause:
            self._must_pause = False
            raise Unsent("the outcome of the last post is unknown", retry_after_s=CONFIRMED_PAUSE_S[self.form])
        try:
            await self._connector.begin_chat(self._place)
        except Unreachable as exc:
            raise Unsent(exc.message) from exc
        except (Gone, Refused) as exc:  # an answer too: people without the app have no chat with it
            log.debug("connector_confirmed", problem=exc.message)

    async def _stop(self, ref: str) -> None:
        await self._stop_answer(self._place, ref)
