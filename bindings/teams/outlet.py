"""Where one answer goes: streamed in a personal chat, by updates of a message everywhere else.

Owns the order of calls, and what is done when Teams ends a stream. What they say is in `messages` and `streaming`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from botbuilder.schema import Activity, Attachment
from botbuilder.schema.teams import FileConsentCard

from bindings.delivery.outlet import Gone, Page, PageLimits, Refused, Upload
from bindings.incoming import IncomingMessage, Place
from bindings.teams import formatting, messages, words
from bindings.teams.connector import Connector, StreamEnded
from bindings.teams.parcels import Parcel, Parcels
from bindings.teams.streaming import Chunk, Stream, Streams, activity_of, ref_of, was_streamed
from core.contract import Language
from core.errors import StorageError

# UTF-16 units: a message may take 100 KB with all that goes with it; who reads it on a telephone is glad of less.
PAGE_UNITS = 10_000
STREAM_INTERVAL_S = 1.5  # Teams: gather for 1.5 to 2 s, and not more than one call a second
EDIT_INTERVAL_S = 2.0  # 1,800 operations an hour in one conversation
CONSENT = "application/vnd.microsoft.teams.card.file.consent"

STREAMED = PageLimits(PAGE_UNITS, STREAM_INTERVAL_S)
EDITED = PageLimits(PAGE_UNITS, EDIT_INTERVAL_S, first_words_s=0.5)

Stopped = Callable[[Place, str], Awaitable[None]]


class TeamsOutlet:
    """Implements `bindings.delivery.outlet.Outlet`. `stopped` is told when a person ends a stream."""

    ai_label = True

    def __init__(
        self, incoming: IncomingMessage, connector: Connector, streams: Streams, parcels: Parcels, stopped: Stopped
    ) -> None:
        self._place = incoming.place
        self._question = incoming.message
        self._language: Language = incoming.language or "en"
        self._connector = connector
        self._streams = streams
        self._parcels = parcels
        self._stopped = stopped
        self._may_stream = incoming.place.kind == "personal"
        self._stream: Stream | None = None
        self.limits = STREAMED if self._may_stream else EDITED

    @property
    def _chat(self) -> str:
        return self._place.route["conversation"]

    def length(self, page: Page) -> int:
        return len(formatting.render(page).encode("utf-16-le")) // 2

    async def post(self, page: Page, nonce: str) -> str:
        if not page.final and self._may_stream and (stream := self._streams.claim(self._chat)):
            ref = await self._begin(stream, page)
            if ref is not None:
                return ref
        sent = await self._send(messages.message(page, self._place, self._question))
        return ref_of(named(sent), streamed=False)

    async def edit(self, ref: str, page: Page) -> None:
        stream = self._stream if self._stream and ref == ref_of(self._stream.id, streamed=True) else None
        if not was_streamed(ref) or self._streams.is_over(ref):
            await self._update(ref, page)
        elif stream is None:
            await self._end(ref, page)
        elif page.final:
            await self._finish(stream, ref, page)
        elif stream.is_late(self._streams.clock()):
            await self._turn_to_updates(stream, ref, page)
        else:
            await self._advance(stream, ref, page)

    async def find(self, nonce: str) -> str | None:
        """Teams lets a bot read no messages, and takes no key with one."""
        return None

    async def delete(self, ref: str) -> None:
        self._streams.end(self._chat, ref)
        try:
            await self._connector.delete(self._place.route["service_url"], self._chat, activity_of(ref))
        except Gone:
            return

    async def upload(self, upload: Upload, nonce: str) -> bool:
        """Offered: the person decides whether it is put in their OneDrive. Only a personal chat has such offers."""
        if self._place.kind != "personal":
            return False
        try:
            name = await self._parcels.put(Parcel(upload, self._chat))
        except StorageError:
            return False  # it is then shown as text
        context = {"parcel": name, "language": self._language}
        offer = FileConsentCard(
            description=words.FILE_OFFERED[self._language],
            size_in_bytes=len(upload.body),
            accept_context=context,
            decline_context=context,
        )
        attachment = Attachment(content_type=CONSENT, name=upload.name, content=offer.serialize())
        await self._send(messages.card(attachment, self._place, self._language))
        return True

    async def _begin(self, stream: Stream, page: Page) -> str | None:
        """The ref of the stream; None: it has to be a plain message."""
        status = page.status or words.WAITING
        chunk = stream.next(formatting.streamed(page.text), status)
        assert chunk is not None, "a stream that has not begun shows at least a status"
        try:
            stream.id = named(await self._stream_chunk(stream, chunk, page))
        except StreamEnded:
            self._may_stream = False
            return None
        finally:
            if not stream.id:
                self._streams.release(self._chat)
        self._stream = stream
        return ref_of(stream.id, streamed=True)

    async def _advance(self, stream: Stream, ref: str, page: Page) -> None:
        chunk = stream.next(formatting.streamed(page.text), page.status or "")
        if chunk is None:
            return
        try:
            await self._stream_chunk(stream, chunk, page)
        except StreamEnded as exc:
            if exc.why != "other":  # else this text could not be streamed: it is shown when it is whole
                await self._ended(ref, page, exc)

    async def _ended(self, ref: str, page: Page, exc: StreamEnded) -> None:
        """By Teams or by the person, and not by us."""
        self._streams.end(self._chat, ref)
        if exc.why == "stopped" and page.closing is None:
            await self._stopped(self._place, ref)
            if not page.final:
                return  # it comes once more, with the note that it was stopped
        await self._update(ref, page)

    async def _finish(self, stream: Stream, ref: str, page: Page) -> None:
        """Where the text was divided after it was streamed, the stream is ended with what it has, and corrected."""
        if not stream.continues(formatting.render(page)):
            await self._turn_to_updates(stream, ref, page)
            return
        await self._end(ref, page)

    async def _turn_to_updates(self, stream: Stream, ref: str, page: Page) -> None:
        last = messages.final(Page("", page.language, page.status), self._place, self._question, stream.id)
        last.text = stream.shown or last.text
        try:
            await self._send(last)
        except StreamEnded as exc:
            await self._ended(ref, page, exc)
        else:
            self._streams.end(self._chat, ref)
            await self._update(ref, page)

    async def _end(self, ref: str, page: Page) -> None:
        """By this page. A stream that was begun by a process which is gone may be open, over, or finished."""
        try:
            await self._send(messages.final(page, self._place, self._question, activity_of(ref)))
        except StreamEnded as exc:
            await self._ended(ref, page, exc)
        else:
            self._streams.end(self._chat, ref)

    async def _stream_chunk(self, stream: Stream, chunk: Chunk, page: Page) -> str:
        activity = messages.chunk(chunk.text, chunk.kind, self._place, page.language, chunk.sequence, stream.id or None)
        sent = await self._send(activity)
        stream.sent(chunk)
        return sent

    async def _update(self, ref: str, page: Page) -> None:
        activity_id = activity_of(ref)
        activity = messages.message(page, self._place, self._question)
        activity.id = activity_id
        await self._connector.update(self._place.route["service_url"], self._chat, activity_id, activity)

    async def _send(self, activity: Activity) -> str:
        return await self._connector.send(self._place.route["service_url"], self._chat, activity)


def named(activity_id: str) -> str:
    """What can never be updated must not be posted again and again: it is told as a fault."""
    if not activity_id:
        raise Refused("Teams took a message and did not say under which id")
    return activity_id
