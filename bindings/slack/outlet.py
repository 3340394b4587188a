"""One answer in one place of Slack: a native stream where there can be one, else a message that is edited.

Owns what was shown, and how a stream becomes an edited message. Knows nothing of prompts and engines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import structlog

from bindings.delivery.outlet import DeliveryError, Gone, Page, PageLimits, Refused, Throttled, Unreachable, Upload
from bindings.incoming import Place
from bindings.slack.api import Answered, Api
from bindings.slack.defuse import defused, steady
from bindings.slack.files import Files
from bindings.slack.formatting import PAGE_CHARS, blocks, body, closing_blocks, length, preview
from bindings.slack.history import EVENT_TYPE, History
from bindings.slack.streams import STOPPED, Stream, Streams

log = structlog.get_logger()

APPEND_INTERVAL_S = 0.6  # 100 a minute
UPDATE_INTERVAL_S = 1.2  # 50 a minute
POST_INTERVAL_S = 1.0  # in one channel
FIRST_WORDS_S = 0.3
UNKNOWN = "of-before"  # the nonce of what another process posted: without any it would pass for a lost stream
CALL_CHARS = 12_000  # of markdown_text
QUIET: Mapping[str, Any] = {"unfurl_links": False, "unfurl_media": False, "parse": "none", "link_names": False}


class SlackOutlet:
    """`question` is the message that is answered; `stopped` is told of an answer whose stop button was pressed."""

    ai_label = False

    def __init__(
        self,
        api: Api,
        place: Place,
        question: str,
        streams: Streams,
        files: Files,
        history: History,
        stopped: Callable[[Place, str], None],
    ) -> None:
        self._api = api
        self._place = place
        self._question = question
        self._streams = streams
        self._files = files
        self._history = history
        self._stopped = stopped
        self._open: dict[str, Stream] = {}
        self._nonces: dict[str, str] = {}  # by ref
        self.limits = limits(streaming=self._streaming())

    def length(self, page: Page) -> int:
        return length(page)

    async def post(self, page: Page, nonce: str) -> str:
        if not page.final and self._streaming() and (ref := await self._start(page, nonce)):
            return ref
        answer = await self._api.write(
            "chat.postMessage",
            channel=self._place.channel,
            thread_ts=self._place.thread,
            text=preview(page),
            blocks=blocks(page),
            metadata=metadata(nonce),
            **QUIET,
        )
        return self._begun(str(answer["ts"]), nonce, page)

    async def edit(self, ref: str, page: Page) -> None:
        if ref not in self._nonces:
            await self._take_over(ref)
        stream = self._open.get(ref)
        if stream is None:
            await self._update(ref, page)
        elif page.final:
            await self._finish(stream, page)
        else:
            await self._append(stream, page)
        if page.final:
            self._streams.ended(ref)

    async def find(self, nonce: str) -> str | None:
        """By the nonce that posts carry. A stream has none before it ends: it is known by being nobody else's."""
        ref = await self._history.find(self._place, self._question, nonce, self._streams.is_known)
        if ref is not None and not nonce.endswith("-file"):
            await self._take_over(ref, nonce)
        return ref

    async def delete(self, ref: str) -> None:
        if self._open.pop(ref, None):
            await self._stop_stream(ref)
        self._streams.ended(ref)
        try:
            await self._api.write("chat.delete", channel=self._place.channel, ts=ref)
        except Gone:
            log.debug("slack_message_gone_already", channel=self._place.channel)

    async def upload(self, upload: Upload, nonce: str) -> bool:
        return await self._files.send(upload, self._place, nonce)

    # ------------------------------------------------------------ streams

    def _streaming(self) -> bool:
        """A stream is a reply; in a direct conversation without threads it would open one."""
        return self._place.thread is not None and self._streams.possible(self._place.channel)

    async def _start(self, page: Page, nonce: str) -> str | None:
        """None: Slack has no stream for this place, or not for so many answers at once."""
        if not self._streams.starts.spent():
            return None
        text = shown(page)
        try:
            answer = await self._api.write(
                "chat.startStream",
                channel=self._place.channel,
                thread_ts=self._place.thread,
                markdown_text=text or None,
                recipient_user_id=self._place.route.get("user") or None,
                recipient_team_id=self._place.route.get("team") or None,
            )
        except Refused as error:
            if isinstance(error, Answered):
                self._streams.refused(self._place.channel, error)
            self.limits = limits(streaming=False)
            return None
        ref = self._begun(str(answer["ts"]), nonce, page)
        self._open[ref] = Stream(ref, nonce, text)
        if page.status:
            await self._say_waiting(page.status)
        return ref

    async def _append(self, stream: Stream, page: Page) -> None:
        text = shown(page)
        if stream.sent is None or not (text.startswith(stream.sent) or stream.sent.startswith(text)):
            await self._leave(stream, page)
            return
        more = text[len(stream.sent) : len(stream.sent) + CALL_CHARS]
        if not more:
            if page.status:
                await self._say_waiting(page.status)
            return
        self._streams.appends.spend()
        try:
            await self._api.write("chat.appendStream", channel=self._place.channel, ts=stream.ref, markdown_text=more)
        except Unreachable:
            stream.sent = None  # added or not: adding it again could double it
            raise
        except Refused as error:
            await self._over(stream, page, error)
            return
        stream.sent += more

    async def _over(self, stream: Stream, page: Page, error: Refused) -> None:
        """The stream ended without us: by time, or because the person has read enough."""
        if isinstance(error, Answered) and error.reason == STOPPED:
            log.info("slack_stream_stopped", channel=self._place.channel)
            del self._open[stream.ref]
            self._stopped(self._place, stream.ref)
            return
        await self._leave(stream, page)

    async def _finish(self, stream: Stream, page: Page) -> None:
        """The rest of the text and what stands under it, in the call that ends the stream."""
        text = body(page)
        if stream.sent is None or not text.startswith(stream.sent) or not text:
            await self._leave(stream, page)
            return
        try:
            await self._api.write(
                "chat.stopStream",
                channel=self._place.channel,
                ts=stream.ref,
                markdown_text=text[len(stream.sent) :] or None,
                blocks=closing_blocks(page) or None,
                metadata=metadata(stream.nonce),
            )
        except (Throttled, Unreachable) as error:
            stream.sent = stream.sent if isinstance(error, Throttled) else None
            raise
        except Refused:
            await self._leave(stream, page)
            return
        del self._open[stream.ref]

    async def _leave(self, stream: Stream, page: Page) -> None:
        """From a stream to an edited message."""
        await self._stop_stream(stream.ref)
        self._open.pop(stream.ref, None)
        await self._update(stream.ref, page)

    async def _take_over(self, ref: str, nonce: str = UNKNOWN) -> None:
        """From a process or a call that is gone. It may be streaming, and then Slack would show a pulse for minutes."""
        await self._stop_stream(ref)
        self._nonces[ref] = nonce
        self._streams.known(ref)

    async def _stop_stream(self, ref: str) -> None:
        """Where there is none, that is what was wanted."""
        try:
            await self._api.write("chat.stopStream", channel=self._place.channel, ts=ref)
        except Refused as error:
            log.debug("slack_stream_over_already", problem=error.message)

    async def _say_waiting(self, status: str) -> None:
        """Under the stream, which has no text of its own for it. Gone by itself with the next words."""
        try:
            await self._api.write(
                "assistant.threads.setStatus",
                channel_id=self._place.channel,
                thread_ts=self._place.thread,
                status=status,
            )
        except DeliveryError as error:
            log.info("slack_status_not_shown", problem=error.message)  # the stream's own pulse shows that we are at it

    # ------------------------------------------------------------ messages

    async def _update(self, ref: str, page: Page) -> None:
        self._streams.updates.spend()
        await self._api.write(
            "chat.update",
            channel=self._place.channel,
            ts=ref,
            text=preview(page),
            blocks=blocks(page),
            metadata=metadata(self._nonces.get(ref, UNKNOWN)),
            **QUIET,
        )

    def _begun(self, ref: str, nonce: str, page: Page) -> str:
        self._nonces[ref] = nonce
        if page.final:
            self._streams.known(ref)
        else:
            self._streams.begun(ref, self._place)
        return ref


def limits(*, streaming: bool) -> PageLimits:
    interval_s = APPEND_INTERVAL_S if streaming else UPDATE_INTERVAL_S
    return PageLimits(PAGE_CHARS, interval_s, FIRST_WORDS_S, post_interval_s=POST_INTERVAL_S)


def shown(page: Page) -> str:
    """What of a page that is still being written may go into a stream."""
    return defused(steady(page.text)).lstrip("\n")


def metadata(nonce: str) -> dict[str, Any]:
    """Not shown; by it a post is found again. Anybody in the workspace may read it: it says nothing."""
    return {"event_type": EVENT_TYPE, "event_payload": {"nonce": nonce}}
