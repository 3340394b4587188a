"""Attached files are downloaded from Discord's hosts only."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bindings.delivery.outlet import Gone, Refused, Throttled, Unreachable
from bindings.discord.files import DiscordFiles
from bindings.incoming import AttachedFile
from bindings.selftest.discord_faults import ApiFault, rate_limited
from bindings.selftest.discord_server import FakeDiscord


@pytest.fixture
async def files(fake: FakeDiscord) -> AsyncIterator[DiscordFiles]:
    files = DiscordFiles(fake.base)
    yield files
    await files.close()


def attached(url: str, size: int | None = None) -> AttachedFile:
    return AttachedFile("plan.md", url, "text/markdown", size)


async def test_a_file_is_downloaded(fake: FakeDiscord, files: DiscordFiles) -> None:
    """The host of the configured API counts as one of Discord's."""
    fake.files["plan.md"] = b"# Plan"
    assert b"# Plan" == await files.fetch(attached(f"{fake.url}/cdn/plan.md?ex=1"), 100)


@pytest.mark.parametrize("size", [None, 5, 200])
async def test_a_larger_file_is_refused(fake: FakeDiscord, files: DiscordFiles, size: int | None) -> None:
    """The size that the message states may be missing or wrong."""
    fake.files["plan.md"] = b"x" * 200
    with pytest.raises(Refused, match="more than 100 bytes"):
        await files.fetch(attached(f"{fake.url}/cdn/plan.md", size), 100)


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
async def test_a_file_from_another_host_is_refused(files: DiscordFiles, url: str) -> None:
    """The bot opens no address of a stranger's choice."""
    with pytest.raises(Refused, match="does not belong to Discord"):
        await files.fetch(attached(url), 100)


async def test_a_redirect_is_refused(fake: FakeDiscord, files: DiscordFiles) -> None:
    """It may lead to any host."""
    with pytest.raises(Refused):
        await files.fetch(attached(f"{fake.url}/cdn/elsewhere"), 100)


async def test_failures_are_distinguished(fake: FakeDiscord, files: DiscordFiles) -> None:
    """A file is gone, the server unreachable, or the call throttled."""
    url = f"{fake.url}/cdn/plan.md"
    with pytest.raises(Gone):
        await files.fetch(attached(url), 100)
    for fault, expected in ((ApiFault("/cdn", 502), Unreachable), (rate_limited("/cdn", 1), Throttled)):
        fake.faults = [fault]
        with pytest.raises(expected):
            await files.fetch(attached(url), 100)
    fake.faults = [ApiFault("/cdn", 0, times=9)]  # aiohttp itself retries after a broken connection
    with pytest.raises(Unreachable):
        await files.fetch(attached(url), 100)
