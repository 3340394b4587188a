"""A page as Discord is sent it: its text, at most 2,000 characters, and its buttons. Pure.

A button's custom_id says all that a press of it needs, so that it works after a restart: "good:<answer>:<page>". The
page is there if it was known when the message was posted; by it a post whose outcome is unknown is found again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bindings.delivery.outlet import Closing, Page
from bindings.discord import words
from bindings.discord.formatting import WEB, length, literal, to_discord
from core.contract import Language, Source

PAGE_CHARS = 2000
NOTE_CHARS = 400
SMALL_CHARS = 600
TITLE_CHARS = 100
URL_CHARS = 300
SOURCES_CHARS = 900  # of them all: a page must hold the closing and some text
SUPPRESS_EMBEDS = 1 << 2
NOBODY = {"parse": [], "replied_user": False}

ACTION_ROW, BUTTON, GREY = 1, 2, 2


def message(page: Page) -> dict[str, Any]:
    """What a post and an edit have in common."""
    return {"content": content(page), "allowed_mentions": NOBODY, "flags": SUPPRESS_EMBEDS}


def content(page: Page) -> str:
    parts = [to_discord(page.text)]
    if page.status:
        parts.append(small(page.status))
    if page.closing:
        parts.append("\n".join(closing(page.closing, page.language)))
    return "\n".join(part for part in parts if part.strip()) or "…"  # an empty message is refused


def closing(closing: Closing, language: Language) -> Iterator[str]:
    if closing.note:
        yield f"*{literal(closing.note[:NOTE_CHARS])}*"
    yield from sources(closing.sources, language)
    if closing.notice:
        yield small(closing.notice)
    if closing.footer:
        yield small(closing.footer)


def small(text: str) -> str:
    return f"-# {literal(text[:SMALL_CHARS])}"


def sources(listed: tuple[Source, ...], language: Language) -> Iterator[str]:
    """Numbered as the answer cites them, as many as there is room for."""
    if listed:
        yield small(words.SOURCES[language])
    room = SOURCES_CHARS
    for index, each in enumerate(listed):
        line = source(each)
        room -= length(line) + 1
        if room < 0:
            yield small(words.MORE_SOURCES[language].format(count=len(listed) - index))
            return
        yield line


def source(each: Source) -> str:
    line = f"-# {each.number}. {literal(each.title[:TITLE_CHARS])}"
    known = each.url is not None and len(each.url) <= URL_CHARS and WEB.fullmatch(each.url)
    return f"{line} <{each.url}>" if known else line


def buttons(page: Page, nonce: str = "") -> list[dict[str, Any]]:
    """Under a finished answer, to judge and renew it; under one that is being written, to stop it."""
    answer, _, number = nonce.rpartition("-")
    if not page.final:
        return row(button("stop", answer, number, "⏹️", words.STOP[page.language])) if nonce else []
    if page.closing is None or not page.closing.answer:
        return []
    of = page.closing.answer
    return row(
        button("good", of, number, "👍", words.GOOD[page.language]),
        button("bad", of, number, "👎", words.BAD[page.language]),
        button("regenerate", of, number, "🔄", words.REGENERATE[page.language]),
    )


def row(*components: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": ACTION_ROW, "components": list(components)}]


def button(verb: str, answer: str, number: str, emoji: str, label: str) -> dict[str, Any]:
    custom_id = f"{verb}:{answer}:{number}"
    return {"type": BUTTON, "style": GREY, "label": label, "emoji": {"name": emoji}, "custom_id": custom_id}


def nonce_of(message: Mapping[str, Any]) -> str | None:
    """Which post a message of ours is, if its buttons say so."""
    for line in message.get("components") or ():
        for component in line.get("components") or ():
            _, _, rest = str(component.get("custom_id", "")).partition(":")
            answer, _, number = rest.partition(":")
            if answer and number:
                return f"{answer}-{number}"
    return None
