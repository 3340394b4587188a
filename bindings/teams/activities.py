"""botbuilder's activities, read from strangers: what is malformed is a BadRequest, and nothing in it is trusted.

Fields that botbuilder knows nothing of (channel data, entities, contents) stay JSON, looked at with `member`.
"""

from __future__ import annotations

from typing import Any

from botbuilder.schema import Activity, Entity

from core import strict_json
from core.contract import Language
from core.errors import BadRequest
from core.language import parse_language_tag

# What is read here; a field that means nothing to us cannot make a message unreadable.
READ = (
    "action",
    "attachments",
    "channelData",
    "channelId",
    "conversation",
    "entities",
    "from",
    "id",
    "locale",
    "membersAdded",
    "name",
    "recipient",
    "replyToId",
    "serviceUrl",
    "text",
    "textFormat",
    "type",
    "value",
)
TEXTS = ("action", "channelId", "id", "locale", "name", "replyToId", "serviceUrl", "text", "textFormat", "type")
ID_LIMIT_CHARS = 1000
ITEMS_LIMIT = 200


class RichEntity(Entity):  # type: ignore[misc]
    """botbuilder's Entity writes its type and nothing else."""

    _attribute_map = {  # noqa: RUF012 (msrest's own name and form)
        "type": {"key": "type", "type": "str"},
        "additional_properties": {"key": "", "type": "{object}"},
    }

    def __init__(self, kind: str, **fields: Any) -> None:
        super().__init__(type=kind)
        self.additional_properties = fields


def read(body: bytes) -> Activity:
    """Raises BadRequest."""
    return from_json(strict_json.parse(body, last_wins=True))


def from_json(value: object) -> Activity:
    """Raises BadRequest for what is no activity that somebody sent somewhere."""
    if not isinstance(value, dict):
        raise BadRequest("an activity is a JSON object")
    fields = {name: value[name] for name in READ if value.get(name) is not None}
    for name in TEXTS:
        if not isinstance(fields.get(name, ""), str):
            raise BadRequest(f"`{name}` of an activity is text")
    for name in ("attachments", "entities", "membersAdded"):
        check_items(fields.get(name, []), name)
    try:
        activity = Activity.deserialize(fields)
    except (ValueError, TypeError, AttributeError, KeyError) as exc:
        raise BadRequest("not an activity") from exc
    check_ids(activity)
    return activity


def check_items(items: object, name: str) -> None:
    if not isinstance(items, list) or len(items) > ITEMS_LIMIT or not all(isinstance(each, dict) for each in items):
        raise BadRequest(f"`{name}` of an activity is a list of objects")


def check_ids(activity: Activity) -> None:
    """They become keys in the database and parts of addresses."""
    if not activity.type:
        raise BadRequest("an activity has a `type`")
    for account in (activity.from_property, activity.recipient, activity.conversation):
        if account is None or not isinstance(account.id, str) or not is_id(account.id):
            raise BadRequest("an activity has `from`, `recipient` and `conversation`, each with an `id`")
    if activity.id is not None and not is_id(activity.id):
        raise BadRequest("`id` of an activity is no id")


def is_id(text: str) -> bool:
    return 0 < len(text) <= ID_LIMIT_CHARS and text.isprintable()


def member(value: object, *path: str) -> Any:
    """What lies at the end of the path through objects; None where it breaks off."""
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def text_at(value: object, *path: str) -> str:
    """ "" for anything else than text."""
    found = member(value, *path)
    return found if isinstance(found, str) else ""


def tenant_of(activity: Activity) -> str:
    """ "" where it is not told. botbuilder reads `tenantId` of a conversation by another name than Teams writes it."""
    told = text_at(activity.channel_data, "tenant", "id") or text_at(
        activity.conversation.additional_properties, "tenantId"
    )
    return told if not told or is_id(told) else ""


def language_of(activity: Activity) -> Language | None:
    locale = activity.locale or ""
    for entity in activity.entities or []:
        locale = locale or text_at(entity.additional_properties, "locale")
    return parse_language_tag(locale)
