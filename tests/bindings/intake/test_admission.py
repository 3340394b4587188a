"""bindings.intake.admission: access lists and the rate limit of each person."""

from __future__ import annotations

import pytest

from bindings.incoming import IncomingMessage, Place
from bindings.intake.admission import WINDOW_S, AccessLists, UserRateLimit
from tests.bindings.intake.support_intake import Clock

PLACE = Place("slack", "T1", "C1", None, "channel")


def build_message(*groups: str, place: Place = PLACE) -> IncomingMessage:
    return IncomingMessage("e", place, "m", "U1", "hello", groups=groups)


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
    assert admitted == AccessLists(allow, deny).admit(build_message())


def test_an_empty_id_is_on_no_list() -> None:
    """Discord's direct messages have an empty workspace id."""
    direct = Place("discord", "", "D1", None, "personal")

    assert not AccessLists(("",), ()).admit(build_message(place=direct))
    assert AccessLists((), ("",)).admit(build_message(place=direct))


@pytest.mark.parametrize(
    ("allow", "deny", "groups", "admitted"),
    [
        ((), (), ("home",), True),
        ((), ("guests",), ("home", "guests"), False),
        (("home",), (), ("home",), True),
        (("home",), (), ("external", "T9"), False),
        (("home", "external"), (), ("external", "T9"), True),
        ((), (), ("external", "T9"), False),
        (("T1", "C1"), (), ("external", "T9"), False),
        (("T9",), (), ("external", "T9"), True),
        (("U1",), (), ("external", "T9"), True),
        (("external",), ("T9",), ("external", "T9"), False),
        (("S1",), (), ("home", "S1", "S2"), True),
        (("S1",), (), ("home", "S2"), False),
        ((), ("S2",), ("home", "S2"), False),
    ],
)
def test_lists_name_roles_groups_and_kinds_of_people(
    allow: tuple[str, ...], deny: tuple[str, ...], groups: tuple[str, ...], admitted: bool
) -> None:
    """People of other organisations get answers only if the allow list names them, their organisation or `external`."""
    assert admitted == AccessLists(allow, deny).admit(build_message(*groups))


@pytest.mark.parametrize(
    ("allow", "deny", "bots", "admitted"),
    [
        ((), (), (), False),
        (("bots", "T1", "home"), (), (), False),
        ((), (), ("B1",), True),
        (("U2",), (), ("B1",), True),
        ((), ("C1",), ("B1",), False),
    ],
)
def test_a_bot_is_answered_only_if_its_id_is_listed(
    allow: tuple[str, ...], deny: tuple[str, ...], bots: tuple[str, ...], admitted: bool
) -> None:
    assert admitted == AccessLists(allow, deny, bots).admit(build_message("bots", "B1", "home"))


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
