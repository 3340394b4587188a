"""Real clients of OpenAI's API against a real service. `make test-clients` installs them and runs this module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.configuration.settings import Settings
from core.contract import Prompt
from core.errors import Overloaded
from tests.clients.conftest import Reports
from tests.clients.support_judging import judge
from tests.clients.support_programs import ALL, Program, run_program
from tests.support.fake_engine import HELLO, FakeEngine, ReplyStep
from tests.web.support_site import site

pytestmark = [
    pytest.mark.clients,
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.usefixtures("installation"),
]

CASES = [
    pytest.param(program, ability, id=f"{program.file}-{ability}") for program in ALL for ability in program.abilities
]
CHATTING = [program for program in ALL if "chat" in program.abilities]
RETRY_AFTER_S = 1.5


@pytest.mark.parametrize(("program", "ability"), CASES)
def test_client(program: Program, ability: str, reports: Reports) -> None:
    """Each ability of each client works with its default requests, and no client tries to reach another machine."""
    judge(ability, reports(program)[ability])


@pytest.mark.parametrize("program", ALL, ids=lambda program: program.file)
def test_every_ability_is_judged(program: Program, reports: Reports) -> None:
    """The program shows the listed abilities and no other."""
    assert {"version", *program.abilities} == set(reports(program))


@pytest.mark.parametrize("program", CHATTING, ids=lambda program: program.file)
async def test_an_overloaded_service_is_asked_again(program: Program, own_settings: Settings, tmp_path: Path) -> None:
    """The first request gets 503 with Retry-After: the client waits, repeats it, and has the answer."""
    waits = iter([Overloaded("too many at once", retry_after_s=RETRY_AFTER_S)])

    def replies(_: Prompt) -> Iterator[ReplyStep]:
        yield from waits
        yield from HELLO

    async with site(own_settings, FakeEngine(replies)) as running:
        shown = await run_program(program, f"{running.url}v1", tmp_path, "chat")
        assert "Hello world." == shown["chat"].get("text"), shown["chat"]
        assert len(running.engine.prompts) > 1
