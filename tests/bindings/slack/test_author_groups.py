"""The groups of authors, as access lists name them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bindings.delivery.outlet import DeliveryError
from bindings.incoming import IncomingMessage, Place
from bindings.intake.admission import AccessLists
from bindings.selftest.slack_faults import Trouble
from bindings.selftest.slack_server import FakeSlack
from bindings.slack.api import SlackApi
from bindings.slack.author_groups import AuthorGroups
from bindings.slack.directory import UserDirectory
from bindings.slack.mapping import parse_message
from tests.bindings.slack.support_fakes import ME, payload, settings

GRID = replace(ME, enterprise="E0001")
PARTNER = parse_message(payload("app_mention_shared_channel"), ME)


def build_question(user: str = "U0ANN", team: str = "T0001") -> IncomingMessage:
    place = Place("slack", "T0001", "C0001", "1.0", "channel", {"user": user, "team": team})
    return IncomingMessage("e", place, "1.0", user, "?")


def build_groups(slack: FakeSlack, api: SlackApi, me: object = ME, **lists: str) -> AuthorGroups:
    return AuthorGroups(api, UserDirectory(api), me, settings(slack, **lists))  # type: ignore[arg-type]


async def test_groups_of_editors_are_asked_for(slack: FakeSlack, api: SlackApi) -> None:
    """Who may change collections can be a user group that no access list names; the file that names it may change."""
    slack.user_groups["S9"] = {"id": "S9", "handle": "hr", "users": ["U0ANN"]}
    editors: set[str] = set()
    groups = AuthorGroups(api, UserDirectory(api), ME, settings(slack), lambda: editors)  # type: ignore[arg-type]

    assert "S9" not in (await groups.complete(build_question())).groups
    editors.add("S9")
    assert "S9" in (await groups.complete(build_question())).groups


@pytest.mark.parametrize(
    ("name", "groups"),
    [
        ("app_mention", ("home",)),
        ("message_im", ("home",)),
        ("app_mention_shared_channel", ("external", "T0EXT")),
    ],
)
async def test_events_tell_the_organisation(
    slack: FakeSlack, api: SlackApi, name: str, groups: tuple[str, ...]
) -> None:
    """No call is made: no access list names more than that."""
    incoming = parse_message(payload(name), ME)
    assert incoming is not None

    assert groups == incoming.groups == (await build_groups(slack, api).complete(incoming)).groups
    assert [] == slack.calls


def test_in_a_shared_channel_an_author_without_a_workspace_is_external() -> None:
    """The bot serves nobody of whom it does not know that they belong to its workspace."""
    body = payload("app_mention_shared_channel")
    for key in ("team", "user_team", "source_team"):
        body["event"].pop(key, None)
    incoming = parse_message(body, ME)

    assert incoming is not None
    assert ("external",) == incoming.groups


@pytest.mark.parametrize(
    ("allow", "deny", "admitted"),
    [("", "", False), ("external", "", True), ("T0EXT", "", True), ("T0001", "", False), ("external", "T0EXT", False)],
)
async def test_partners_are_refused_unless_they_are_named(
    slack: FakeSlack, api: SlackApi, allow: str, deny: str, admitted: bool
) -> None:
    """Slack Connect: a partner in a shared channel is a stranger to the operator."""
    assert PARTNER is not None
    lists = settings(slack, SLACK_ALLOW=allow, SLACK_DENY=deny)
    incoming = await AuthorGroups(api, UserDirectory(api), ME, lists).complete(PARTNER)

    assert admitted == AccessLists(lists.allow, lists.deny).admit(incoming)


@pytest.mark.parametrize("flag", ["is_restricted", "is_ultra_restricted"])
async def test_guests_are_known_where_a_list_names_them(slack: FakeSlack, api: SlackApi, flag: str) -> None:
    """Slack has two kinds of guests."""
    slack.users |= {"U0ANN": {"id": "U0ANN", "name": "ann"}, "U0GUE": {"id": "U0GUE", flag: True}}
    groups = build_groups(slack, api, SLACK_DENY="guests")

    assert ("home", "guests") == (await groups.complete(build_question("U0GUE"))).groups
    assert ("home",) == (await groups.complete(build_question())).groups


async def test_an_organisation_has_several_workspaces(slack: FakeSlack, api: SlackApi) -> None:
    """In an Enterprise Grid, people of the other workspaces are at home too; partners are not."""
    slack.users["U0COL"] = {"id": "U0COL", "team_id": "T0002", "enterprise_user": {"enterprise_id": "E0001"}}
    slack.users["U0EXT"] = {"id": "U0EXT", "team_id": "T0EXT", "enterprise_user": {"enterprise_id": "E0EXT"}}
    groups = build_groups(slack, api, GRID)

    assert ("home",) == (await groups.complete(build_question("U0COL", "T0002"))).groups
    assert ("home",) == (await groups.complete(build_question("U0ANN", "E0001"))).groups
    assert ("external", "T0EXT") == (await groups.complete(build_question("U0EXT", "T0EXT"))).groups


async def test_user_groups_of_the_lists_are_known(slack: FakeSlack, api: SlackApi) -> None:
    """Their members are asked for once in five minutes."""
    slack.user_groups["S0HR"] = {"id": "S0HR", "handle": "hr", "users": ["U0ANN"]}
    groups = build_groups(slack, api, SLACK_ALLOW="S0HR, U0EVE")

    assert ("home", "S0HR") == (await groups.complete(build_question())).groups
    assert ("home",) == (await groups.complete(build_question("U0BOB"))).groups
    assert 1 == len(slack.calls_to("usergroups.users.list"))


@pytest.mark.parametrize(
    ("lists", "groups"),
    [
        ({"SLACK_ALLOW": "S0HR"}, ("home",)),
        ({"SLACK_DENY": "S0HR"}, ("home", "S0HR")),
        ({"SLACK_DENY": "guests"}, ("home", "guests")),
        ({"SLACK_ALLOW": "guests"}, ("home",)),
    ],
)
async def test_a_missing_scope_lets_nobody_in(
    slack: FakeSlack, api: SlackApi, lists: dict[str, str], groups: tuple[str, ...]
) -> None:
    """Everybody is in an unknown group that is denied, and nobody in one that is allowed."""
    for method in ("usergroups.users.list", "users.info"):
        slack.permanent_errors[method] = "missing_scope"

    assert groups == (await build_groups(slack, api, **lists).complete(build_question())).groups


@pytest.mark.parametrize("lists", [{"SLACK_DENY": "guests"}, {"SLACK_DENY": "S0HR"}])
async def test_while_slack_cannot_tell_the_event_is_not_taken(
    slack: FakeSlack, api: SlackApi, lists: dict[str, str]
) -> None:
    """Slack delivers it again."""
    for method in ("usergroups.users.list", "users.info"):
        slack.trouble[method].append(Trouble(500))

    with pytest.raises(DeliveryError):
        await build_groups(slack, api, **lists).complete(build_question())


async def test_a_button_has_the_groups_of_who_presses_it(slack: FakeSlack, api: SlackApi) -> None:
    """Partners see the buttons in shared channels, too."""
    groups = build_groups(slack, api)

    assert ("external", "T0EXT") == (await groups.complete(build_question("U0EXT", "T0EXT"))).groups
