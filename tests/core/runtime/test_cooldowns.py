"""Cooldowns by key."""

from __future__ import annotations

from core.runtime.backoff import Cooldowns


def test_a_cooldown_ends_after_its_duration() -> None:
    """A key without one has ended long ago."""
    cooldowns = Cooldowns(lambda: 100.0, limit=10)
    cooldowns.start("a", 5.0)
    assert (cooldowns.until("a"), cooldowns.until("b")) == (105.0, 0.0)


def test_ended_cooldowns_make_room_for_others() -> None:
    """Those that have not ended stay, however many."""
    now = 100.0
    cooldowns = Cooldowns(lambda: now, limit=10)
    for number in range(10):
        cooldowns.start(str(number), 1.0 + number)
    now = 105.0
    cooldowns.start("new", 1.0)

    assert len(cooldowns) == 6
    assert cooldowns.until("9") == 110.0
