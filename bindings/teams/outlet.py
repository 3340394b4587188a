"""The place of one answer: a stream in a personal chat, updates of a message elsewhere.

Decides the order of calls, and the reaction when Teams ends a stream. `messages` and `streaming` build the activities.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from botbuilder.schema import Activity, Attachment
from botbuilder.schema.teams import FileConsentCard

from bindings.delivery.outlet import Gone, Outlet, Page, PageLimits, Refused, Upload
from bindings.incoming import IncomingMessage, Place
from bindings.teams import formatting, messages
from bindings.teams.connector import Connector, StreamEnded
from bindings.teams.files import PendingFile, PendingFiles
from bindings.teams.streaming import ChatStreams, MessageStream, StreamChunk, build_ref, is_streamed, parse_ref
from core.contract import Language
from core.errors import StorageError
from core.texts import text

# UTF-16 units. Teams allows 100 KB for a whole message; shorter pages are easier to read on a phone.
PAGE_UNITS = 10_000
STREAM_INTERVAL_S = 1.5  # Teams: collect text for 1.5 to 2 s, at most one call a second
EDIT_INTERVAL_S = 2.0  # Teams: 1,800 operations an hour in one conversation
CONSENT_CARD = "application/vnd.microsoft.teams.card.file.consent"

STREAM_LIMITS = PageLimits(PAGE_UNITS, STREAM_INTERVAL_S)
EDIT_LIMITS = PageLimits(PAGE_UNITS, EDIT_INTERVAL_S, first_words_s=0.5)

StopAnswer = Callable[[Place, str], Awaitable[None]]


class TeamsOutlet(Outlet):
    """Implements `bindings.delivery.outlet.Outlet`. Calls `stop_answer` when a person ends a stream."""

    ai_label = True

    def __init__(
        self,
        incoming: IncomingMessage,
        connector: Connector,
        streams: ChatStreams,
        pending: PendingFiles,
        stop_answer: StopAnswer,
    ) -> None:
        self._place = incoming.place
        self._question = incoming.message
        self._language: Language = incoming.language or "en"
        self._connector = connector
        self._streams = streams
        self._pending = pending
        self._stop_answer = stop_answer
        self._may_stream = incoming.place.kind == "personal"
        self._stream: MessageStream | None = None
        self.limits = STREAM_LIMITS if self._may_stream else EDIT_LIMITS

    @property
    def _chat(self) -> str:
        return self._place.route["conversation"]

    def length(self, page: Page) -> int:
        return len(formatting.render_page(page).encode("utf-16-le")) // 2

    async def post(self, page: Page, nonce: str) -> str:
        if not page.final and self._may_stream and (stream := self._streams.claim(self._chat)):
            ref = await self._begin_stream(stream, page)
            if ref is not None:
                return ref
        activity_id = await self._send(messages.build_message(page, self._place, self._question))
        return build_ref(require_id(activity_id), streamed=False)

    async def edit(self, ref: str, page: Page) -> None:
        stream = self._stream if self._stream and ref == build_ref(self._stream.id, streamed=True) else None
        if not is_streamed(ref) or self._streams.has_ended(ref):
            await self._update(ref, page)
        elif stream is None or (page.final and stream.continues(formatting.render_page(page))):
            await self._end_stream(ref, page)
        elif page.final or stream.is_late(self._streams.clock()):
            await self._change_to_updates(stream, ref, page)
        else:
            await self._continue_stream(stream, ref, page)

    async def find(self, nonce: str) -> str | None:
        """Returns None: Teams lets a bot read no messages, and a message carries no key."""
        return None

    async def delete(self, ref: str) -> None:
        self._streams.end(self._chat, ref)
        try:
            await self._connector.delete(self._place, parse_ref(ref))
        except Gone:
            return

    async def upload(self, upload: Upload, nonce: str) -> bool:
        """Offers the file; the person decides whether to save it to OneDrive. Only personal chats have such offers."""
        if self._place.kind != "personal":
            return False
        try:
            name = await self._pending.add(PendingFile(upload, self._chat))
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
        await self._send(messages.build_card(attachment, self._place, self._language))
        return True

    async def _begin_stream(self, stream: MessageStream, page: Page) -> str | None:
        """Returns the ref of the stream. None: streaming is not allowed, so the page becomes a plain message."""
        chunk = stream.next_chunk(formatting.render_stable(page.text), page.status or messages.WAITING)
        assert chunk is not None, "a new stream shows at least a status"
        try:
            stream.id = require_id(await self._send_chunk(stream, chunk, page))
        except StreamEnded:
            self._may_stream = False
            return None
        finally:
            if not stream.id:
                self._streams.release(self._chat)
        self._stream = stream
        return build_ref(stream.id, streamed=True)

    async def _continue_stream(self, stream: MessageStream, ref: str, page: Page) -> None:
        chunk = stream.next_chunk(formatting.render_stable(page.text), page.status or "")
        if chunk is None:
            return
        try:
            await self._send_chunk(stream, chunk, page)
        except StreamEnded as exc:
            if exc.reason != "other":  # "other": Teams refuses only this text; a later part contains it
                await self._handle_ended(ref, page, exc)

    async def _change_to_updates(self, stream: MessageStream, ref: str, page: Page) -> None:
        """Ends the stream with its own text, then updates the message: the page may differ from the streamed text."""
        final = messages.build_final(Page("", page.language, page.status), self._place, self._question, stream.id)
        final.text = stream.text or final.text
        try:
            await self._send(final)
        except StreamEnded as exc:
            await self._handle_ended(ref, page, exc)
        else:
            self._streams.end(self._chat, ref)
            await self._update(ref, page)

    async def _end_stream(self, ref: str, page: Page) -> None:
        """Sends the page as the final part. A stream of an earlier process may be open, late or complete."""
        try:
            await self._send(messages.build_final(page, self._place, self._question, parse_ref(ref)))
        except StreamEnded as exc:
            await self._handle_ended(ref, page, exc)
        else:
            self._streams.end(self._chat, ref)

    async def _handle_ended(self, ref: str, page: Page, exc: StreamEnded) -> None:
        """Continues after Teams or the person ended the stream."""
        self._streams.end(self._chat, ref)
        if exc.reason == "stopped" and page.closing is None:
            await self._stop_answer(self._place, ref)
            if not page.final:
                return  # delivery sends the page again, with the note that it was stopped
        await self._update(ref, page)

    async def _send_chunk(self, stream: MessageStream, chunk: StreamChunk, page: Page) -> str:
        activity_id = await self._send(messages.build_chunk(chunk, self._place, page.language, stream.id))
        stream.record(chunk)
        return activity_id

    async def _update(self, ref: str, page: Page) -> None:
        activity = messages.build_message(page, self._place, self._question)
        activity.id = parse_ref(ref)
        await self._connector.update(self._place, activity.id, activity)

    async def _send(self, activity: Activity) -> str:
        return await self._connector.send(self._place, activity)


def require_id(activity_id: str) -> str:
    """Raises Refused for "", so that a message that cannot be updated is not posted again and again."""
    if not activity_id:
        raise Refused("Teams accepted a message without returning its id")
    return activity_id
