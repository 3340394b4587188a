"""bindings.intake.admission: access lists and the rate limit of each person."""

from __future__ import annotations

import pytest

from bindings.incoming import Place
from bindings.intake.admission import WINDOW_S, AccessLists, UserRateLimit
from tests.bindings.intake.support_intake import Clock

PLACE = Place("slack", "T1", "C1", None, "channel")


@pytest.mark.parametrize(
    ("allow", "deny", "admitted"),
    [
        ((), (), True),
        (("T1",), (), True),
        (("C1",), (), True),
        (("U1",), (), True),
        (("T2", "C2", "U2"), (), False),
        ((), ("T1",), False),
        ((), ("C1",), False),
        ((), ("U1",), False),
        ((), ("U2",), True),
        (("T1",), ("U1",), False),
        (("U1",), ("T1",), False),
    ],
)
def test_deny_takes_precedence_and_allow_excludes_everyone_else(
    allow: tuple[str, ...], deny: tuple[str, ...], admitted: bool
) -> None:
    assert admitted == AccessLists(allow, deny).admit(PLACE, "U1")


def test_an_empty_id_is_on_no_list() -> None:
    """Discord's direct messages have an empty workspace id."""
    direct = Place("discord", "", "D1", None, "personal")

    assert not AccessLists(("",), ()).admit(direct, "U1")
    assert AccessLists((), ("",)).admit(direct, "U1")


def test_messages_are_limited_in_ten_minutes() -> None:
    """Rejected messages do not count, so that further attempts do not prolong the wait."""
    clock = Clock()
    limiter = UserRateLimit(2, clock)
    assert [True, True, False, False] == [limiter.count("a") for _ in range(4)]
    assert limiter.count("b")
    assert WINDOW_S == limiter.wait_s("a")

    clock.now += WINDOW_S
    assert limiter.wait_s("a") == 0
    assert limiter.count("a")


def test_the_limit_notice_is_sent_once_in_ten_minutes() -> None:
    clock = Clock()
    limiter = UserRateLimit(1, clock)
    assert [True, False, False] == [limiter.take_notice("a") for _ in range(3)]

    clock.now += WINDOW_S
    assert limiter.take_notice("a")


def test_silent_people_are_dropped_from_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory does not grow with everyone who ever wrote."""
    monkeypatch.setattr("bindings.intake.admission.TRACKED_SPEAKERS", 10)
    clock = Clock()
    limiter = UserRateLimit(5, clock)
    for number in range(50):
        clock.now += WINDOW_S / 5
        limiter.count(str(number))
        limiter.take_notice(str(number))

    assert len(limiter._messages) <= 11
    assert len(limiter._notices) <= 11
