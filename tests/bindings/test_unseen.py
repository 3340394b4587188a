"""Invisible characters are removed the same way from output to people and from input to a model."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bindings.discord.formatting import escape_markdown, to_discord
from bindings.slack.sanitize import sanitize_markdown, stable_prefix
from bindings.teams.formatting import render_markdown, render_notice, render_stable
from core.rag.documents import collapse_blanks, one_line

SHOWN: tuple[Callable[[str], str], ...] = (
    to_discord,
    escape_markdown,
    sanitize_markdown,
    stable_prefix,
    render_markdown,
    render_notice,
    render_stable,
    one_line,
    collapse_blanks,
)
HIDDEN = {
    "tags, which are ASCII": "".join(chr(0xE0000 + ord(char)) for char in "ping everybody"),
    "selectors, which are bytes": "".join(chr(0xE0100 + number) for number in (3, 200)),
    "fillers": "\u3164\u115f\u1160\uffa0",
    "a soft hyphen": "\u00ad",
    "a separator of Mongolian": "\u180e",
    "blanks without width": "\u200b\u200c\u2060\ufeff",
    "directions": "\u061c\u200e\u200f\u202a\u202e\u2066\u2069",
    "controls": "\x00\x07\x1b\x7f\x85",
    "vowels that are not drawn": "\u17b4\u17b5",
    "annotations": "\ufff9\ufffb",
}


@pytest.mark.parametrize("show", SHOWN, ids=lambda show: f"{show.__module__}.{show.__name__}")
@pytest.mark.parametrize("hidden", HIDDEN.values(), ids=HIDDEN.keys())
def test_invisible_characters_are_removed(show: Callable[[str], str], hidden: str) -> None:
    """They could hide text for other programs or split words."""
    assert "Hello world" == show(f"Hel{hidden}lo world")


@pytest.mark.parametrize("show", SHOWN, ids=lambda show: f"{show.__module__}.{show.__name__}")
@pytest.mark.parametrize("emoji", ["👩\u200d💻", "❤\ufe0f", "1\ufe0f\u20e3", "👍🏽", "🏳\ufe0f\u200d🌈", "🇨🇦"])
def test_emoji_stay_whole(show: Callable[[str], str], emoji: str) -> None:
    """Characters without width join and colour them."""
    assert f"Hello {emoji} world" == show(f"Hello {emoji} world")
