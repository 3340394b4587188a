"""A page as a Discord message: its text, at most 2,000 characters, and its buttons. Pure.

A button's custom_id is "good:<answer>:<page>" and holds everything that a press needs, so it works after a restart. The
page number is there if it was known at the time of the post. It identifies a post whose outcome is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bindings.delivery.outlet import Closing, Page
from bindings.discord.formatting import WEB_URL, escape_markdown, to_discord, utf16_length
from bindings.discord.interactions import ButtonAction
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

ACTION_ROW, BUTTON, GREY = 1, 2, 2
EMOJI: dict[ButtonAction, str] = {"stop": "⏹️", "good": "👍", "bad": "👎", "regenerate": "🔄"}


def build_message(page: Page) -> dict[str, Any]:
    """The body that a post and an edit have in common."""
    return {"content": render_page(page), "allowed_mentions": NO_MENTIONS, "flags": SUPPRESS_EMBEDS}


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


def build_buttons(page: Page, nonce: str = "") -> list[dict[str, Any]]:
    """Buttons to rate and regenerate a finished answer, or to stop an unfinished one."""
    answer, _, number = nonce.rpartition("-")
    if not page.final:
        return build_row(page, answer, number, "stop") if nonce else []
    if page.closing is None or not page.closing.answer_id:
        return []
    return build_row(page, page.closing.answer_id, number, "good", "bad", "regenerate")


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


def parse_nonce(message: Mapping[str, Any]) -> str | None:
    """The nonce of one of the bot's posts, if its buttons contain it."""
    for row in message.get("components") or ():
        for component in row.get("components") or ():
            _, _, rest = str(component.get("custom_id", "")).partition(":")
            answer, _, number = rest.partition(":")
            if answer and number:
                return f"{answer}-{number}"
    return None
