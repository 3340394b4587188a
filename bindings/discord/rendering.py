"""A page as a Discord message: its text, at most 2,000 characters, and its buttons. Pure.

A button's custom_id is "good:<answer>:<page>" and holds everything that a press needs, so it works after a restart. The
page number is there if it was known at the time of the post. It identifies a post whose outcome is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from bindings.delivery.outlet import Closing, Page
from bindings.discord.formatting import WEB_URL, escape_markdown, to_discord, utf16_length
from bindings.discord.interactions import ButtonAction, remove_button
from bindings.discord.message_content import display_name
from bindings.discord.payloads import as_mapping, as_mappings, as_text
from bindings.discord.refusals import DirectReason
from core.contract import Language, Source
from core.texts import text

PAGE_CHARS = 2000
NOTE_CHARS = 400
SMALL_CHARS = 600
TITLE_CHARS = 100
URL_CHARS = 300
SOURCES_CHARS = 900  # of all sources, so that a page holds the closing and some text
SUPPRESS_EMBEDS = 1 << 2
NO_MENTIONS = {"parse": [], "replied_user": False}

BARE_URL = re.compile(rf"(?<!<){WEB_URL.pattern}", re.IGNORECASE)
ACTION_ROW, BUTTON, GREY = 1, 2, 2
Audience = Literal["everyone", "private", "direct"]  # private: the asker in the place; direct: by a direct message
EMOJI: dict[ButtonAction, str] = {"stop": "⏹️", "good": "👍", "bad": "👎", "regenerate": "🔄", "show": "👥"}


def build_message(page: Page) -> dict[str, Any]:
    """The body that a post and an edit have in common."""
    return {"content": render_page(page), "allowed_mentions": NO_MENTIONS, "flags": SUPPRESS_EMBEDS}


def build_plain_message(page: Page) -> dict[str, Any]:
    """The same without buttons and flags, which Discord may refuse. No address unfurls between angle brackets."""
    return {"content": BARE_URL.sub(r"<\g<0>>", render_page(page)), "allowed_mentions": NO_MENTIONS}


def explain_direct(reason: DirectReason, channel: str, language: Language) -> str:
    """The reason why an answer comes as a direct message. `channel` is shown as a link to where it was asked."""
    return text(f"discord-direct-{reason}", language, channel=f"<#{channel}>")


def render_page(page: Page) -> str:
    parts = [to_discord(page.text)]
    if page.status:
        parts.append(render_small(page.status))
    if page.closing:
        parts.append("\n".join(render_closing(page.closing, page.language)))
    return "\n".join(part for part in parts if part.strip()) or "…"  # Discord refuses an empty message


def render_closing(closing: Closing, language: Language) -> Iterator[str]:
    if closing.note:
        yield f"*{escape_markdown(closing.note[:NOTE_CHARS])}*"
    yield from render_sources(closing.sources, language)
    if closing.notice:
        yield render_small(closing.notice)
    if closing.footer:
        yield render_small(closing.footer)


def render_small(line: str) -> str:
    return f"-# {escape_markdown(line[:SMALL_CHARS])}"


def render_sources(sources: tuple[Source, ...], language: Language) -> Iterator[str]:
    """Yields the sources, numbered as the answer cites them, up to SOURCES_CHARS."""
    if sources:
        yield render_small(text("discord-sources", language))
    left_chars = SOURCES_CHARS
    for index, source in enumerate(sources):
        line = render_source(source)
        left_chars -= utf16_length(line) + 1
        if left_chars < 0:
            yield render_small(text("discord-sources-more", language, count=len(sources) - index))
            return
        yield line


def render_source(source: Source) -> str:
    line = f"-# {source.number}. {escape_markdown(source.title[:TITLE_CHARS])}"
    if source.url is None or len(source.url) > URL_CHARS or not WEB_URL.fullmatch(source.url):
        return line
    return f"{line} <{source.url}>"


def build_buttons(page: Page, nonce: str = "", audience: Audience = "everyone") -> list[dict[str, Any]]:
    """Buttons to rate and regenerate a finished answer, or to stop an unfinished one.

    Each page of a private answer can be shown to everyone. It cannot be regenerated, because its token expires.
    An answer that went to its asker directly is of another conversation, where it can only be rated.
    """
    answer, _, number = nonce.rpartition("-")
    if not page.final:
        return build_row(page, answer, number, "stop") if nonce and audience != "direct" else []
    is_answer = page.closing is not None and bool(page.closing.answer_id)
    can_show = audience == "private" and not page.is_notice and (is_answer or page.closing is None)
    last: tuple[ButtonAction, ...] = ("show",) if can_show else ()
    if page.closing is None or not is_answer:
        return build_row(page, answer, number, *last) if last else []
    if audience == "everyone":
        last = ("regenerate",)
    return build_row(page, page.closing.answer_id, number, "good", "bad", *last)


def build_row(page: Page, answer: str, number: str, *actions: ButtonAction) -> list[dict[str, Any]]:
    buttons = [
        {
            "type": BUTTON,
            "style": GREY,
            "label": text(f"discord-button-{action}", page.language),
            "emoji": {"name": EMOJI[action]},
            "custom_id": f"{action}:{answer}:{number}",
        }
        for action in actions
    ]
    return [{"type": ACTION_ROW, "components": buttons}]


def build_shown_message(press: Mapping[str, Any], language: Language) -> dict[str, Any]:
    """A private answer as a message for everyone, from a press below it. The name of the person is left out if long."""
    message = as_mapping(press.get("message"))
    member = as_mapping(press.get("member"))
    user = as_mapping(member.get("user") or press.get("user"))
    content = as_text(message.get("content"))
    shown_by = render_small(text("discord-shown-by", language, name=display_name(user, member)))
    fits = utf16_length(content) + utf16_length(shown_by) < PAGE_CHARS
    return {
        "content": f"{content}\n{shown_by}" if fits else content,
        "allowed_mentions": NO_MENTIONS,
        "flags": SUPPRESS_EMBEDS,
        "components": remove_button(message, "show"),
    }


def parse_nonce(message: Mapping[str, Any]) -> str | None:
    """The nonce of one of the bot's posts, if its buttons contain it."""
    for row in as_mappings(message.get("components")):
        for component in as_mappings(row.get("components")):
            _, _, rest = as_text(component.get("custom_id")).partition(":")
            answer, _, number = rest.partition(":")
            if answer and number:
                return f"{answer}-{number}"
    return None
