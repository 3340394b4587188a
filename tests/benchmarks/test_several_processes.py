"""Two web and two Slack processes on one PostgreSQL, all of them restarted: the benchmark with smaller numbers."""

from __future__ import annotations

import pytest

from benchmarks.several_processes import Plan, measure
from tests.support.databases import start_server


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_no_conversation_is_mixed_doubled_or_lost() -> None:
    """Each process is restarted in turn, and PostgreSQL once."""
    with start_server() as server:
        outcome = await measure(server, Plan(conversations=24, seconds=9))

    assert {"web": 2, "slack": 2, "postgresql": 1} == dict(outcome.restarts)
    assert {0: 2} == dict(outcome.exit_codes)
    assert (12, {}) == (len(outcome.transcripts), outcome.wrong)
    assert {1} == set(outcome.slack.values())
    assert (0, 0) == (outcome.slack_surplus, outcome.slack_out_of_order)
