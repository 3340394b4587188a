"""Two real processes of a platform on one PostgreSQL: `benchmarks.processes` with few conversations."""

from __future__ import annotations

import pytest

from benchmarks.processes import WORKPLACES, Plan, measure

SHORT = Plan(conversations=8, kills=1, pauses=1, lease_s=2.0, pause_s=0.3, grow_s=0.3)


@pytest.mark.parametrize("name", ["slack-http", "teams"])
async def test_a_killed_and_a_paused_process_lose_and_double_nothing(name: str, postgresql: str) -> None:
    """Each question has one complete answer, in order. In Teams a kill or a pause may leave a second message."""
    workplace = WORKPLACES[name]()
    outcome = await measure(workplace, postgresql, SHORT)

    assert (0, 0) == (outcome.lost, outcome.out_of_order), outcome.log
    assert (1, 1) == (outcome.kills, outcome.pauses)
    if not workplace.doubles_allowed:
        assert (0, 0) == (outcome.doubled, outcome.surplus), outcome.messages
