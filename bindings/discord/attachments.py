"""The files of a message, and its images, recordings and videos, which cannot be read. Pure.

https://discord.com/developers/docs/resources/message#attachment-object
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from bindings.content import MessagePart, find_media_kind
from bindings.discord.payloads import Payload, as_mapping, as_number, as_text
from bindings.incoming import AttachedFile, UnreadPart


def read_attachment(attachment: Payload) -> Iterator[AttachedFile | UnreadPart | MessagePart]:
    """Yields a file, or the name of a picture, recording or video; then the description that its sender wrote."""
    file = parse_file(attachment)
    kind = find_media_kind(file.media_type, file.name)
    yield UnreadPart(kind, file.name) if kind else file
    if description := as_text(attachment.get("description")):
        yield MessagePart("embedded", description, file.name)


def parse_file(attachment: Payload) -> AttachedFile:
    """`title` is the name that people see. `filename` lacks the characters that Discord does not allow in addresses."""
    return AttachedFile(
        as_text(attachment.get("filename")) or as_text(attachment.get("title")) or "file",
        as_text(attachment.get("url")),
        parse_media_type(attachment),
        as_number(attachment.get("size")) or None,
    )


def parse_component_file(component: Payload) -> AttachedFile:
    """The file of a component, which has its name and size beside its address."""
    file = as_mapping(component.get("file"))
    url = as_text(file.get("url"))
    name = as_text(component.get("name")) or file_name(url)
    return AttachedFile(name or "file", url, parse_media_type(file), as_number(component.get("size")) or None)


def parse_media(item: Payload) -> Iterator[str | UnreadPart]:
    """Yields the description of a picture or video in a component as Markdown, and its name, because it is not read."""
    media = as_mapping(item.get("media"))
    name = file_name(as_text(media.get("url")))
    if description := as_text(item.get("description")):
        yield f"![{description}]({name})"
    yield UnreadPart(find_media_kind(parse_media_type(media), "") or "image", name)


def parse_media_type(item: Payload) -> str:
    return as_text(item.get("content_type")).partition(";")[0].strip().lower()


def file_name(url: str) -> str:
    """The last part of an address's path."""
    try:
        return urlsplit(url).path.rpartition("/")[2]
    except ValueError:  # e.g. an unmatched bracket
        return ""
