"""The groups of a message's author that access lists may name, as far as the activity itself says. Pure.

An activity has the account's id and, for people of a directory, `aadObjectId`. The other fields are those of Teams'
channel account, which some activities have: `tenantId`, `userPrincipalName`, `userRole`. No activity has the groups of
Entra. Source: https://learn.microsoft.com/javascript/api/botframework-schema/teamschannelaccount
"""

from __future__ import annotations

from botbuilder.schema import Activity

from bindings.incoming import AuthorGroup
from bindings.teams.activities import get_text, is_id

BOT_PREFIX = "28:"  # of a bot's account id; a person's begins with "29:"
GUEST_MARK = "#ext#"  # in the user principal name of a guest


def is_bot(activity: Activity) -> bool:
    sender = activity.from_property
    return sender.role in ("bot", "skill") or sender.id.startswith(BOT_PREFIX)


def is_own(activity: Activity) -> bool:
    return bool(activity.from_property.id == activity.recipient.id)


def author_groups(activity: Activity, home: str | None) -> tuple[str, ...]:
    """The author's kind and, for people of other organisations, the tenant. `home`: the bot's tenant, if it has one."""
    if is_bot(activity):
        own_id = str(activity.from_property.id)
        return ("bots", own_id, own_id.removeprefix(BOT_PREFIX))
    account = activity.from_property.additional_properties or {}
    tenant = get_text(account, "tenantId")
    kind = author_kind(activity, home)
    return (kind, tenant) if kind == "external" and is_id(tenant) else (kind,)


def author_kind(activity: Activity, home: str | None) -> AuthorGroup:
    """Without a directory's id, the person is anonymous or has a personal account."""
    account = activity.from_property.additional_properties or {}
    role, tenant = get_text(account, "userRole").casefold(), get_text(account, "tenantId").casefold()
    if role == "guest" or GUEST_MARK in get_text(account, "userPrincipalName").casefold():
        return "guests"
    is_foreign = home is not None and bool(tenant) and tenant != home.casefold()
    is_anonymous = home is not None and not isinstance(activity.from_property.aad_object_id, str)
    return "external" if role == "anonymous" or is_foreign or is_anonymous else "home"
