"""One answer in one place of Slack: a native stream if possible, otherwise a message that is edited.

The answer to a slash command is an ephemeral message, which only its author sees. Knows no prompts and no engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from bindings.delivery.outlet import Gone, Outlet, Page, PageLimits, Refused, Unreachable, Upload
from bindings.incoming import Place
from bindings.slack.api import NO_PINGS, SlackApi
from bindings.slack.formatting import (
    PAGE_CHARS,
    build_blocks,
    build_closing_blocks,
    find_table,
    page_length,
    page_text,
    render_markdown,
    updated_text,
)
from bindings.slack.history import EVENT_TYPE
from bindings.slack.refusals import CONTENT, SlackErrorResponse, SlackRefused
from bindings.slack.sanitize import sanitize_markdown, stable_prefix
from bindings.slack.services import SlackServices
from bindings.slack.streams import STOPPED, OpenStream

log = structlog.get_logger()

APPEND_INTERVAL_S = 0.6  # 100 a minute
UPDATE_INTERVAL_S = 1.2  # 50 a minute
POST_INTERVAL_S = 1.0  # in one channel
FIRST_WORDS_S = 0.3
UNKNOWN_NONCE = "of-before"  # for another process's post, which must have some nonce (see `find`); posts contain it
APPEND_CHARS = 12_000  # Slack's limit for markdown_text
EPHEMERAL_REF = "aside"  # stands in for a message id; deliveries in databases contain it


class SlackOutlet(Outlet):
    """`question` is the message to answer."""

    ai_label = False

    def __init__(self, services: SlackServices, place: Place, question: str) -> None:
        self._services = services
        self._api = services.api
        self._streams = services.streams
        self._place = place
        self._question = question
        self._open: dict[str, OpenStream] = {}
        self._nonces: dict[str, str] = {}  # by ref
        self.limits = build_limits(streaming=self._can_stream())

    def length(self, page: Page) -> int:
        return page_length(page)

    async def post(self, page: Page, nonce: str) -> str:
        if not page.final and self._can_stream() and (ref := await self._start_stream(page, nonce)):
            return ref
        place = self._place
        where = {"channel": place.channel, "thread_ts": place.thread, "text": page_text(page)}
        answer = await self._write_page("chat.postMessage", page, nonce, where)
        ref = self._record_start(str(answer["ts"]), nonce, page)
        await self._finish_session(page)
        return ref

    async def edit(self, ref: str, page: Page) -> None:
        if ref not in self._nonces:
            await self._take_over(ref)
        stream = self._open.get(ref)
        if stream is None:
            await self._update(ref, page)
        elif page.final:
            await self._finish_stream(stream, page)
        else:
            await self._append(stream, page)
        if page.final:
            self._streams.record_end(ref)
        await self._finish_session(page)

    async def find(self, nonce: str) -> str | None:
        """Finds a post by its nonce. A stream gets its nonce at its end: before, one without an owner counts."""
        ref = await self._services.history.find(self._place, self._question, nonce, self._streams.is_known)
        if ref is not None and not nonce.endswith("-file"):
            await self._take_over(ref, nonce)
        return ref

    async def delete(self, ref: str) -> None:
        if self._open.pop(ref, None):
            await self._stop_stream(ref)
        self._streams.record_end(ref)
        try:
            await self._api.write("chat.delete", channel=self._place.channel, ts=ref)
        except Gone:
            log.debug("slack_message_already_deleted", channel=self._place.channel)
        await self._services.sessions.finish(self._place)

    async def _finish_session(self, page: Page) -> None:
        """Ends the agent's busy state with the last page of the answer."""
        if page.final and page.closing:
            await self._services.sessions.finish(self._place)

    async def upload(self, upload: Upload, nonce: str) -> bool:
        return await self._services.files.send(upload, self._place, nonce)

    # ------------------------------------------------------------ streams

    def _can_stream(self) -> bool:
        """A stream is a reply: in a direct conversation without threads it would open a thread."""
        return self._place.thread is not None and self._streams.is_available(self._place)

    async def _start_stream(self, page: Page, nonce: str) -> str | None:
        """Returns the ref. None: no streams in this place, or too many answers at once."""
        if not self._streams.starts.try_take():
            return None
        text = render_prefix(page)
        try:
            answer = await self._api.write(
                "chat.startStream",
                channel=self._place.channel,
                thread_ts=self._place.thread,
                markdown_text=text or None,
                **self._recipient(),
            )
        except Refused as error:
            if isinstance(error, SlackErrorResponse):
                self._streams.record_refusal(self._place, error)
            self.limits = build_limits(streaming=False)
            return None
        ref = self._record_start(str(answer["ts"]), nonce, page)
        self._open[ref] = OpenStream(ref, nonce, text)
        await self._show_status(page)
        return ref

    def _recipient(self) -> dict[str, str | None]:
        """Required in channels; a direct conversation has only one."""
        if self._place.kind == "personal":
            return {}
        route = self._place.route
        return {"recipient_user_id": route.get("user") or None, "recipient_team_id": route.get("team") or None}

    async def _append(self, stream: OpenStream, page: Page) -> None:
        text = render_prefix(page)
        if stream.sent is None or not (text.startswith(stream.sent) or stream.sent.startswith(text)):
            await self._replace_stream(stream, page)
            return
        more = text[len(stream.sent) : len(stream.sent) + APPEND_CHARS]
        if not more:
            await self._show_status(page)
            return
        self._streams.appends.take()
        try:
            await self._api.write("chat.appendStream", channel=self._place.channel, ts=stream.ref, markdown_text=more)
        except Unreachable:
            stream.sent = None  # the append may have taken effect, and a repeat could double the text
            raise
        except Refused as error:
            await self._on_closed_stream(stream, page, error)
            return
        stream.sent += more

    async def _on_closed_stream(self, stream: OpenStream, page: Page, error: Refused) -> None:
        """Handles a stream that Slack closed after some minutes, or that the person stopped."""
        if isinstance(error, SlackErrorResponse) and error.reason == STOPPED:
            log.info("slack_stream_stopped", channel=self._place.channel)
            del self._open[stream.ref]
            self._services.on_stop(self._place, stream.ref)
            return
        await self._replace_stream(stream, page)

    async def _finish_stream(self, stream: OpenStream, page: Page) -> None:
        """Sends the rest of the text and the closing in the call that ends the stream."""
        text = render_markdown(page)
        if stream.sent is None or not text.startswith(stream.sent) or not text or find_table(page):
            await self._replace_stream(stream, page)  # Slack shows blocks below a stream's text, not within it
            return
        try:
            await self._api.write(
                "chat.stopStream",
                channel=self._place.channel,
                ts=stream.ref,
                markdown_text=text[len(stream.sent) :] or None,
                blocks=build_closing_blocks(page) or None,
                metadata=build_metadata(stream.nonce),
            )
        except Unreachable:
            stream.sent = None
            raise
        except Refused:
            await self._replace_stream(stream, page)
            return
        del self._open[stream.ref]

    async def _replace_stream(self, stream: OpenStream, page: Page) -> None:
        """Ends a stream and edits its message from now on."""
        await self._stop_stream(stream.ref)
        self._open.pop(stream.ref, None)
        await self._update(stream.ref, page)

    async def _take_over(self, ref: str, nonce: str = UNKNOWN_NONCE) -> None:
        """Continues the message of a crashed process or a lost call. Ends its stream, which Slack shows as writing."""
        await self._stop_stream(ref)
        self._nonces[ref] = nonce
        self._streams.record_owner(ref)

    async def _stop_stream(self, ref: str) -> None:
        try:
            await self._api.write("chat.stopStream", channel=self._place.channel, ts=ref)
        except Refused as error:
            log.debug("slack_stream_already_ended", problem=error.message)

    async def _show_status(self, page: Page) -> None:
        """Shows a status below the stream until its next words. A stream itself has no text for it."""
        if page.status:
            thread = {"channel_id": self._place.channel, "thread_ts": self._place.thread}
            await self._api.show_status("assistant.threads.setStatus", **thread, status=page.status)

    # ------------------------------------------------------------ messages

    async def _update(self, ref: str, page: Page) -> None:
        self._streams.updates.take()
        where = {"channel": self._place.channel, "ts": ref, "text": updated_text(page)}
        await self._write_page("chat.update", page, self._nonces.get(ref, UNKNOWN_NONCE), where)

    async def _write_page(
        self, method: str, page: Page, nonce: str, where: Mapping[str, str | None]
    ) -> Mapping[str, Any]:
        """Posts or edits a message. If Slack refuses it with a table block, the table stays Markdown."""
        try:
            return await self._api.write(method, **where, **render_message(page, nonce, table=True))
        except SlackRefused as error:
            if error.reason not in CONTENT or find_table(page) is None:
                raise
            log.info("slack_table_refused", reason=error.reason)
            return await self._api.write(method, **where, **render_message(page, nonce, table=False))

    def _record_start(self, ref: str, nonce: str, page: Page) -> str:
        self._nonces[ref] = nonce
        if page.final:
            self._streams.record_owner(ref)
        else:
            self._streams.record_start(ref, self._place)
        return ref


class EphemeralOutlet(Outlet):
    """Answers a slash command through its response URL. Sends only the final page: Slack allows 5 calls in 30 minutes.

    https://docs.slack.dev/interactivity/handling-user-interaction/#message_responses
    """

    ai_label = False

    def __init__(self, api: SlackApi, url: str) -> None:
        self._api = api
        self._url = url
        self.limits = PageLimits(PAGE_CHARS, 0.0)

    def length(self, page: Page) -> int:
        return page_length(page)

    async def post(self, page: Page, nonce: str) -> str:
        await self.edit(EPHEMERAL_REF, page)
        return EPHEMERAL_REF

    async def edit(self, ref: str, page: Page) -> None:
        if not page.final:
            return
        message = {"response_type": "ephemeral", "text": page_text(page), "blocks": build_blocks(page)}
        async with self._api.request("POST", self._url, "a response URL", json=message) as response:
            if response.status != 200:
                raise Gone(f"the response URL is no longer valid (status {response.status})")

    async def find(self, nonce: str) -> str | None:
        return None

    async def delete(self, ref: str) -> None:
        """Deletes nothing: no page was sent yet, or the author can dismiss it."""

    async def upload(self, upload: Upload, nonce: str) -> bool:
        return False


def build_limits(*, streaming: bool) -> PageLimits:
    interval_s = APPEND_INTERVAL_S if streaming else UPDATE_INTERVAL_S
    return PageLimits(PAGE_CHARS, interval_s, FIRST_WORDS_S, post_interval_s=POST_INTERVAL_S)


def render_prefix(page: Page) -> str:
    """The part of an unfinished page that a stream may show."""
    return sanitize_markdown(stable_prefix(page.text)).lstrip("\n")


def render_message(page: Page, nonce: str, *, table: bool) -> dict[str, Any]:
    """The arguments that chat.postMessage and chat.update have in common."""
    return {"blocks": build_blocks(page, table=table), "metadata": build_metadata(nonce), **NO_PINGS}


def build_metadata(nonce: str) -> dict[str, Any]:
    """Invisible metadata by which a post is found. Everybody in the workspace can read it: it contains nothing else."""
    return {"event_type": EVENT_TYPE, "event_payload": {"nonce": nonce}}
