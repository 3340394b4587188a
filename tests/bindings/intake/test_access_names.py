"""Access lists of personalities in conversations with a bot."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.bindings.intake.support_intake import message


@pytest.mark.parametrize(
    ("groups", "named", "unnamed"),
    [
        (("home", "S9"), {"slack:U1", "slack:S9", "slack:home", "slack:T1", "slack:C1"}, set()),
        (("external", "home"), {"slack:U1", "slack:external"}, {"slack:home", "slack:C1"}),
        (("bots", "S9"), {"slack:U1"}, {"slack:S9", "slack:bots", "slack:C1"}),
    ],
)
def test_names_follow_the_platforms_access_lists(groups: tuple[str, ...], named: set[str], unnamed: set[str]) -> None:
    """People of other organisations and bots are not named by the place that they write in."""
    incoming = replace(message("Hi"), groups=groups)
    names = {
        each.replace(incoming.user, "U1", 1) if each == f"slack:{incoming.user}" else each for each in incoming.names
    }
    places = {f"slack:{incoming.place.tenant}": "slack:T1", f"slack:{incoming.place.channel}": "slack:C1"}
    names = {places.get(each, each) for each in names}

    assert named <= names
    assert not unnamed & names
