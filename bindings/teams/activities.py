"""Parses activities from webhook calls into botbuilder's types. A malformed activity is a BadRequest.

Fields that botbuilder does not model (channel data, entities, contents) stay JSON, read by `get_value` and `get_text`.
"""

from __future__ import annotations

from typing import Any

from botbuilder.schema import Activity, Entity

from core import strict_json
from core.contract import Language
from core.errors import BadRequest
from core.language import parse_language_tag

TEXT_FIELDS = ("action", "channelId", "id", "locale", "name", "replyToId", "serviceUrl", "text", "textFormat", "type")
LIST_FIELDS = ("attachments", "entities", "membersAdded")
# Other fields are dropped: a malformed field that the bot does not use must not make a message unreadable.
FIELDS = (*TEXT_FIELDS, *LIST_FIELDS, "channelData", "conversation", "from", "recipient", "value")
ID_LIMIT_CHARS = 1000
ITEMS_LIMIT = 200


class RichEntity(Entity):  # type: ignore[misc]
    """An entity with all its fields: botbuilder's Entity serialises only its type."""

    _attribute_map = {  # noqa: RUF012 (msrest's own name and form)
        "type": {"key": "type", "type": "str"},
        "additional_properties": {"key": "", "type": "{object}"},
    }

    def __init__(self, kind: str, **fields: Any) -> None:
        super().__init__(type=kind)
        self.additional_properties = fields


def parse_activity(body: bytes) -> Activity:
    """Raises BadRequest."""
    return activity_from_json(strict_json.parse(body, last_wins=True))


def activity_from_json(value: object) -> Activity:
    """Raises BadRequest unless `value` is an activity with sender, recipient and conversation."""
    if not isinstance(value, dict):
        raise BadRequest("an activity is a JSON object")
    fields = {name: value[name] for name in FIELDS if value.get(name) is not None}
    for name in TEXT_FIELDS:
        if not isinstance(fields.get(name, ""), str):
            raise BadRequest(f"`{name}` of an activity is text")
    for name in LIST_FIELDS:
        check_list(fields.get(name, []), name)
    try:
        activity = Activity.deserialize(fields)
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as exc:
        raise BadRequest("not an activity") from exc
    check_ids(activity)
    return activity


def check_list(items: object, name: str) -> None:
    if not isinstance(items, list) or len(items) > ITEMS_LIMIT or not all(isinstance(each, dict) for each in items):
        raise BadRequest(f"`{name}` of an activity is a list of at most {ITEMS_LIMIT} objects")


def check_ids(activity: Activity) -> None:
    """Raises BadRequest. Ids become keys in the database and parts of URLs."""
    if not activity.type:
        raise BadRequest("an activity has a `type`")
    for account in (activity.from_property, activity.recipient, activity.conversation):
        if account is None or not isinstance(account.id, str) or not is_id(account.id):
            raise BadRequest("an activity has `from`, `recipient` and `conversation`, each with an `id`")
    if activity.id is not None and not is_id(activity.id):
        raise BadRequest(f"`id` of an activity is 1 to {ID_LIMIT_CHARS} printable characters")


def is_id(text: str) -> bool:
    return 0 < len(text) <= ID_LIMIT_CHARS and text.isprintable()


def get_value(value: object, *path: str) -> Any:
    """Returns the member at the end of a path through objects, or None."""
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def get_text(value: object, *path: str) -> str:
    """Returns the text at the end of a path through objects, or ""."""
    found = get_value(value, *path)
    return found if isinstance(found, str) else ""


def tenant_id(activity: Activity) -> str:
    """Returns the tenant's id, or "". botbuilder loses the conversation's `tenantId`: it expects another spelling."""
    tenant = get_text(activity.channel_data, "tenant", "id")
    tenant = tenant or get_text(activity.conversation.additional_properties, "tenantId")
    return tenant if is_id(tenant) else ""


def activity_language(activity: Activity) -> Language | None:
    locale = activity.locale or ""
    for entity in activity.entities or []:
        locale = locale or get_text(entity.additional_properties, "locale")
    return parse_language_tag(locale)
