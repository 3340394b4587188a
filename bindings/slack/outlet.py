"""One answer in one place of Slack: a native stream if possible, otherwise a message that is edited.

After a refusal it takes a plainer form: text without blocks in the same messages, text in new messages, a direct
message to the asker. Knows no prompts and no engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from typing import Any

import structlog

from bindings.delivery.outlet import (
    DIRECT,
    DeliveryError,
    Gone,
    Outlet,
    Page,
    PageLimits,
    Refused,
    Unreachable,
    Upload,
)
from bindings.incoming import Place
from bindings.slack.api import NO_PINGS
from bindings.slack.formatting import (
    PAGE_CHARS,
    TEXT_ONLY_BYTES,
    build_blocks,
    build_closing_blocks,
    find_table,
    page_bytes,
    page_length,
    page_text,
    render_markdown,
    updated_text,
)
from bindings.slack.history import EVENT_TYPE
from bindings.slack.payloads import get_object, get_text
from bindings.slack.refusals import CONTENT, NO_POSTS, SlackErrorResponse, SlackRefused
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
EDITS = frozenset({"chat.appendStream", "chat.stopStream", "chat.update"})
TEXT_FORM = "text"  # new messages without blocks, posted once they are whole: Slack may refuse edits


class SlackOutlet(Outlet):
    """`question` is the message to answer."""

    ai_label = False

    def __init__(self, services: SlackServices, place: Place, question: str) -> None:
        self._services = services
        self._api = services.api
        self._streams = services.streams
        self._place = place
        self._session = place  # of an agent, which is busy until the answer stands somewhere
        self._question = question
        self._open: dict[str, OpenStream] = {}
        self._nonces: dict[str, str] = {}  # by ref
        self._text_only = False
        self.limits = build_limits(streaming=self._can_stream())

    def length(self, page: Page) -> int:
        return page_bytes(page) if self._text_only else page_length(page)

    async def post(self, page: Page, nonce: str) -> str:
        await self._locate()
        if not page.final and self._can_stream() and (ref := await self._start_stream(page, nonce)):
            return ref
        place = self._place
        where = {"channel": place.channel, "thread_ts": place.thread, "text": page_text(page)}
        answer = await self._write_page("chat.postMessage", page, nonce, where)
        ref = self._record_start(str(answer["ts"]), nonce, page)
        await self._finish_session(page)
        return ref

    async def edit(self, ref: str, page: Page) -> None:
        await self._locate()
        if ref not in self._nonces:
            await self._take_over(ref)
        stream = self._open.get(ref)
        if stream is None:
            await self._update(ref, page)
        elif self._text_only:
            await self._replace_stream(stream, page)
        elif page.final:
            await self._finish_stream(stream, page)
        else:
            await self._append(stream, page)
        if page.final:
            self._streams.record_end(ref)
        await self._finish_session(page)

    async def find(self, nonce: str) -> str | None:
        """Finds a post by its nonce. A stream gets its nonce at its end: before, one without an owner counts."""
        await self._locate()
        is_known = self._streams.is_known if self.form == "" else lambda _ref: True  # plainer forms are no streams
        ref = await self._services.history.find(self._place, self._question, nonce, is_known)
        if ref is not None and not nonce.endswith("-file"):
            await self._take_over(ref, nonce)
        return ref

    async def delete(self, ref: str) -> None:
        await self._locate()
        if self._open.pop(ref, None):
            await self._stop_stream(ref)
        self._streams.record_end(ref)
        try:
            await self._api.write("chat.delete", channel=self._place.channel, ts=ref)
        except Gone:
            log.debug("slack_message_already_deleted", channel=self._place.channel)
        await self._services.sessions.finish(self._session)

    async def _finish_session(self, page: Page) -> None:
        """Ends the agent's busy state with the last page of the answer."""
        if page.final and page.closing:
            await self._services.sessions.finish(self._session)

    async def upload(self, upload: Upload, nonce: str) -> bool:
        await self._locate()
        return await self._services.files.send(upload, self._place, nonce)

    async def _locate(self) -> None:
        """Completes the place before a call. The place of a question is complete."""

    # ------------------------------------------------------------ plainer forms

    def plainer(self, error: DeliveryError) -> Outlet | None:
        """A person who deletes the answer wants no other one. A place that takes no posts leaves the direct message."""
        if isinstance(error, Gone):
            return None
        method, reason = (error.method, error.reason) if isinstance(error, SlackErrorResponse) else ("", "")
        if reason in NO_POSTS:
            return self._direct()
        can_edit = method not in EDITS or reason in CONTENT
        if can_edit and not self._text_only:
            return self._as_text()
        return self.in_form(TEXT_FORM) if self.form == "" else self._direct()

    def _direct(self) -> Outlet | None:
        """None: the asker is unknown, or the answer goes to their direct conversation anyway."""
        is_elsewhere = self._place.kind != "personal" or self._place.thread is not None
        return self.in_form(DIRECT) if is_elsewhere and self._place.route.get("user") else None

    def in_form(self, form: str) -> Outlet:
        if form == DIRECT:
            return DirectOutlet(self._services, self._place, self._question)
        if form == TEXT_FORM:
            outlet = self._as_text()
            outlet.form, outlet.can_edit = TEXT_FORM, False
            return outlet
        return self

    def _as_text(self) -> SlackOutlet:
        """The same messages, as text without blocks."""
        outlet = copy(self)
        outlet._text_only, outlet.limits = True, replace(build_limits(streaming=False), page_chars=TEXT_ONLY_BYTES)
        return outlet

    # ------------------------------------------------------------ streams

    def _can_stream(self) -> bool:
        """A stream is a reply: in a direct conversation without threads it would open a thread."""
        return not self._text_only and self._place.thread is not None and self._streams.is_available(self._place)

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
        message = {**where, "metadata": build_metadata(nonce), **NO_PINGS}
        if self._text_only:
            return await self._api.write(method, **message, blocks=[])
        try:
            return await self._api.write(method, **message, blocks=build_blocks(page))
        except SlackRefused as error:
            if error.reason not in CONTENT or find_table(page) is None:
                raise
            log.info("slack_table_refused", reason=error.reason)
            return await self._api.write(method, **message, blocks=build_blocks(page, table=False))

    def _record_start(self, ref: str, nonce: str, page: Page) -> str:
        self._nonces[ref] = nonce
        if page.final:
            self._streams.record_owner(ref)
        else:
            self._streams.record_start(ref, self._place)
        return ref


class DirectOutlet(SlackOutlet):
    """A direct message to the asker, for an answer that its place refuses."""

    form = DIRECT
    can_edit = False

    def __init__(self, services: SlackServices, place: Place, question: str) -> None:
        super().__init__(services, replace(place, channel="", thread=None, kind="personal"), question)
        self._session = place

    async def _locate(self) -> None:
        """Opens the conversation. Raises DeliveryError."""
        if not self._place.channel:
            answer = await self._api.write("conversations.open", users=self._place.route["user"])
            channel = get_text(get_object(answer, "channel"), "id")
            self._place = replace(self._place, channel=channel)

    def in_form(self, form: str) -> Outlet:
        return self


def build_limits(*, streaming: bool) -> PageLimits:
    interval_s = APPEND_INTERVAL_S if streaming else UPDATE_INTERVAL_S
    return PageLimits(PAGE_CHARS, interval_s, FIRST_WORDS_S, post_interval_s=POST_INTERVAL_S)


def render_prefix(page: Page) -> str:
    """The part of an unfinished page that a stream may show."""
    return sanitize_markdown(stable_prefix(page.text)).lstrip("\n")


def build_metadata(nonce: str) -> dict[str, Any]:
    """Invisible metadata by which a post is found. Everybody in the workspace can read it: it contains nothing else."""
    return {"event_type": EVENT_TYPE, "event_payload": {"nonce": nonce}}
