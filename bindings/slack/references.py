"""The names behind the ids in messages: people, channels, user groups and files of other workspaces. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from bindings.slack.markup import find_unnamed
from bindings.slack.payloads import SlackObject, get_text

IDS_LIMIT = 40  # for the messages of one thread
STUB_ACCESS = "check_file_info"
ID_KEYS = {"user": "user_id", "canvas_user_mention": "user_id", "channel": "channel_id", "usergroup": "usergroup_id"}


@dataclass(frozen=True, slots=True)
class MarkupReferences:
    """Names by the ids of people, channels and user groups, and files by their ids. Those not found are missing."""

    names: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, SlackObject] = field(default_factory=dict)

    def with_name(self, key: str, name: str) -> MarkupReferences:
        return replace(self, names={**self.names, key: name}) if name else self


NO_REFERENCES = MarkupReferences()


def find_ids(messages: Iterable[SlackObject], but: str = "") -> tuple[str, ...]:
    """The ids that messages contain without a name, in order, each once. `but`: the bot's own id."""
    ids: dict[str, None] = {}
    for message in messages:
        ids.update(dict.fromkeys(filter(None, walk_ids(message))))
    return tuple(each for each in ids if each != but)[:IDS_LIMIT]


def walk_ids(message: SlackObject) -> Iterator[str]:
    """Does not recurse: the sender controls the depth."""
    values: list[object] = [message]
    while values:
        value = values.pop()
        if isinstance(value, str):
            yield from find_unnamed(value)
        elif isinstance(value, list):
            values.extend(reversed(value))
        elif isinstance(value, dict):
            yield find_own_id(value)
            values.extend(reversed(value.values()))


def find_own_id(value: SlackObject) -> str:
    """The id of a mention in rich text, of the author of a forwarded message, or of a file that has only an id."""
    if get_text(value, "file_access") == STUB_ACCESS:
        return get_text(value, "id")
    if get_text(value, "author_id") and not get_text(value, "author_name"):
        return get_text(value, "author_id")
    return get_text(value, ID_KEYS.get(get_text(value, "type"), ""))
