"""Attached files come from Discord, or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bindings.delivery.outlet import Gone, Refused, Throttled, Unreachable
from bindings.discord.files import Files
from bindings.incoming import AttachedFile
from tests.bindings.discord.support_fake_discord import FakeDiscord
from tests.bindings.discord.support_faults import Fault, rate_limited


@pytest.fixture
async def files(discord_server: FakeDiscord) -> AsyncIterator[Files]:
    files = Files(discord_server.base)
    yield files
    await files.close()


def at(url: str, size: int | None = None) -> AttachedFile:
    return AttachedFile("plan.md", url, "text/markdown", size)


async def test_a_file_is_fetched(discord_server: FakeDiscord, files: Files) -> None:
    """From the host of the API that is configured, as from Discord's own."""
    discord_server.files["plan.md"] = b"# Plan"
    assert b"# Plan" == await files.fetch(at(f"{discord_server.url}/cdn/plan.md?ex=1"), 100)


@pytest.mark.parametrize("size", [None, 5, 200])
async def test_a_file_that_is_larger_is_refused(discord_server: FakeDiscord, files: Files, size: int | None) -> None:
    """Whatever is said about its size."""
    discord_server.files["plan.md"] = b"x" * 200
    with pytest.raises(Refused, match="more than 100 bytes"):
        await files.fetch(at(f"{discord_server.url}/cdn/plan.md", size), 100)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/plan.md",
        "http://cdn.discordapp.com/plan.md",
        "https://cdn.discordapp.com:8443/plan.md",
        "https://cdn.discordapp.com.evil.example/plan.md",
        "https://cdn.discordapp.com@evil.example/plan.md",
        "https://evil.example/cdn.discordapp.com",
        "file:///etc/passwd",
        "http://127.0.0.1:1/plan.md",
        "http://[::1/plan.md",
        "plan.md",
        "",
    ],
)
async def test_a_file_from_elsewhere_is_refused(files: Files, url: str) -> None:
    """The bot opens no address that somebody gave it."""
    with pytest.raises(Refused, match="not kept by Discord"):
        await files.fetch(at(url), 100)


async def test_a_redirect_is_refused(discord_server: FakeDiscord, files: Files) -> None:
    """It may lead anywhere."""
    with pytest.raises(Refused):
        await files.fetch(at(f"{discord_server.url}/cdn/elsewhere"), 100)


async def test_failures_are_told_apart(discord_server: FakeDiscord, files: Files) -> None:
    """What is gone, what is away, what must wait."""
    url = f"{discord_server.url}/cdn/plan.md"
    with pytest.raises(Gone):
        await files.fetch(at(url), 100)
    for fault, expected in ((Fault("/cdn", 502), Unreachable), (rate_limited("/cdn", 1), Throttled)):
        discord_server.faults = [fault]
        with pytest.raises(expected):
            await files.fetch(at(url), 100)
    discord_server.faults = [Fault("/cdn", 0, times=9)]  # a broken connection is tried anew, by aiohttp
    with pytest.raises(Unreachable):
        await files.fetch(at(url), 100)
