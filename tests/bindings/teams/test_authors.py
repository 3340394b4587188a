"""The groups of an author, from what activities carry."""

from __future__ import annotations

from typing import Any

import pytest

from bindings.teams import activities
from bindings.teams.authors import author_groups
from tests.bindings.teams.conftest import payload

HOME = "72F988BF-86f1-41af-91ab-2d7cd011db47"
PERSON = payload("personal")["from"]


@pytest.mark.parametrize(
    ("sender", "home", "groups"),
    [
        ({}, HOME, ("home",)),
        ({"tenantId": HOME.lower()}, HOME, ("home",)),
        ({"userRole": "user"}, HOME, ("home",)),
        ({"tenantId": "partner"}, HOME, ("external", "partner")),
        ({"tenantId": "line\nbreak"}, HOME, ("external",)),
        ({"aadObjectId": None}, HOME, ("external",)),
        ({"userRole": "anonymous"}, HOME, ("external",)),
        ({"userPrincipalName": "eve_partner.com#EXT#@contoso.onmicrosoft.com"}, HOME, ("guests",)),
        ({"userRole": "guest", "tenantId": "partner"}, HOME, ("guests",)),
        ({"tenantId": 5, "userPrincipalName": [], "userRole": {}}, HOME, ("home",)),
        ({"aadObjectId": None, "tenantId": "x"}, None, ("home",)),
        ({"id": "28:echo"}, HOME, ("bots", "28:echo", "echo")),
        ({"role": "bot"}, HOME, ("bots", PERSON["id"], PERSON["id"])),
    ],
)
def test_the_groups_of_an_author(sender: dict[str, Any], home: str | None, groups: tuple[str, ...]) -> None:
    """Without a tenant of the bot, as in the playground, everybody is at home."""
    person = {name: value for name, value in {**PERSON, **sender}.items() if value is not None}
    activity = activities.activity_from_json(payload("personal", **{"from": person}))

    assert groups == author_groups(activity, home)
