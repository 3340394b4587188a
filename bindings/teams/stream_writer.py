"""Streams one message in a personal chat, and continues it by updates once its stream ends, for whatever reason.

Decides the order of calls. A refused part never ends the answer: the stream is closed with its own text, so that no
fragment stays "typing", and the same message is updated. Only a person's stop stops the answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog
from botbuilder.schema import Activity

from bindings.delivery.outlet import Gone, Page, Refused
from bindings.incoming import Place
from bindings.teams import formatting, messages
from bindings.teams.chat_writer import ChatWriter, require_id
from bindings.teams.connector import Dropped, PlaceGone, StreamEnded
from bindings.teams.streaming import ChatStreams, MessageStream, StreamChunk, build_ref, parse_ref

log = structlog.get_logger()


class StreamWriter:
    """`place` is a personal chat, or streams nothing. Calls `stop_answer` with the ref when a person ends a stream."""

    def __init__(
        self,
        chat: ChatWriter,
        place: Place,
        question: str,
        streams: ChatStreams,
        stop_answer: Callable[[str], Awaitable[None]],
    ) -> None:
        self._chat = chat
        self._place = place
        self._question = question
        self._streams = streams
        self._stop_answer = stop_answer
        self._stream: MessageStream | None = None
        self._is_stopped = False
        self.may_stream = place.kind == "personal"

    @property
    def _conversation(self) -> str:
        return self._place.route["conversation"]

    async def begin(self, page: Page) -> str | None:
        """Returns the ref of a new stream. None: it is refused here or now, so the page becomes a plain message."""
        if not self.may_stream or (stream := self._streams.claim(self._conversation)) is None:
            return None
        chunk = stream.next_chunk(formatting.render_stable(page.text), page.status or messages.WAITING)
        assert chunk is not None, "a new stream shows at least a status"
        try:
            stream.id = require_id(await self._send_chunk(stream, chunk, page))
        except PlaceGone:
            raise
        except (Refused, Gone) as exc:
            log.info("stream_refused", problem=exc.message)
            self.may_stream = False
            return None
        finally:
            if not stream.id:
                self._streams.release(self._conversation)
        self._stream = stream
        return build_ref(stream.id, streamed=True)

    async def edit(self, ref: str, page: Page) -> None:
        """Shows the page in the stream with this ref, which may be of an earlier process: open, late or complete."""
        stream = self._stream if self._stream and ref == build_ref(self._stream.id, streamed=True) else None
        if self._streams.has_ended(ref):
            await self._update(ref, page)
        elif stream is None or (page.final and stream.continues(formatting.render_page(page))):
            final = messages.build_final(page, self._place, self._question, parse_ref(ref))
            await self._close(ref, page, final, shows_page=True)
        elif page.final or stream.refused or stream.is_late(self._streams.clock()):
            await self._change_to_updates(stream, ref, page)
        else:
            await self._continue(stream, ref, page)

    def end(self, ref: str) -> None:
        self._streams.end(self._conversation, ref)

    async def _continue(self, stream: MessageStream, ref: str, page: Page) -> None:
        chunk = stream.next_chunk(formatting.render_stable(page.text), page.status or "")
        if chunk is None:
            return
        try:
            await self._send_chunk(stream, chunk, page)
        except Dropped:
            stream.skip(chunk)  # the next part has the text too, under a higher number
        except StreamEnded as exc:
            if exc.reason != "mismatch":  # Teams refuses only this text; a later part contains it
                await self._handle_ended(ref, page, exc)
        except Refused as exc:
            log.info("stream_refused", problem=exc.message)
            stream.refused = True
            await self._change_to_updates(stream, ref, page)

    async def _change_to_updates(self, stream: MessageStream, ref: str, page: Page) -> None:
        """Ends the stream with its own text, then updates the message: the page may differ from the streamed text."""
        shown = Page("", page.language, page.status)
        final = messages.build_final(shown, self._place, self._question, stream.id)
        final.text = stream.text or final.text
        await self._close(ref, page, final, shows_page=False)

    async def _close(self, ref: str, page: Page, final: Activity, *, shows_page: bool) -> None:
        """Sends the final part. `shows_page`: it has the page's text."""
        try:
            await self._chat.send(final)
        except StreamEnded as exc:
            await self._handle_ended(ref, page, exc)
            return
        except Refused as exc:
            log.info("stream_refused", problem=exc.message)
            shows_page = False
        self.end(ref)
        if not shows_page:
            await self._update(ref, page)

    async def _handle_ended(self, ref: str, page: Page, exc: StreamEnded) -> None:
        """Continues after Teams or the person ended the stream."""
        self.end(ref)
        if exc.reason == "stopped":
            self._is_stopped = True
            if page.closing is None:
                await self._stop_answer(ref)
                if not page.final:
                    return  # delivery sends the page again, with the note that it was stopped
        await self._update(ref, page)

    async def _update(self, ref: str, page: Page) -> None:
        try:
            await self._chat.update(parse_ref(ref), page)
        except (Refused, Gone) as exc:
            if not self._is_stopped:
                raise
            # The person wants no more text, and Teams lets no bot change a stopped message.
            log.info("stopped_message_left", problem=exc.message)

    async def _send_chunk(self, stream: MessageStream, chunk: StreamChunk, page: Page) -> str:
        activity_id = await self._chat.send(messages.build_chunk(chunk, self._place, page.language, stream.id))
        stream.record(chunk)
        return activity_id
