"""The files of a message: to download, as text, or as parts that cannot be read. Pure and total.

https://docs.slack.dev/reference/objects/file-object
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bindings.content import MessagePart, find_media_kind
from bindings.incoming import AttachedFile, UnreadKind, UnreadPart
from bindings.slack.markup import escape_once
from bindings.slack.payloads import SlackObject, get_object, get_objects, get_text
from bindings.slack.references import NO_REFERENCES, STUB_ACCESS, MarkupReferences

FileFragment = AttachedFile | MessagePart | UnreadPart

FILE_ID_PREFIX = "slack-file:"  # before the id of a file whose URL Slack did not send
DOCUMENT_KINDS: Mapping[str, UnreadKind] = {  # by mode or file type: documents that only Slack's own clients show
    "canvas": "canvas",
    "quip": "canvas",
    "huddle_transcript": "canvas",
    "space": "canvas",
    "post": "canvas",
    "list": "list",
}
CLIP_KINDS: Mapping[str, UnreadKind] = {"slack_audio": "audio", "slack_video": "video"}  # recorded in Slack
HIDDEN_MODES = ("tombstone", "hidden_by_limit")  # deleted, or older than the workspace's plan shows
NO_ACCESS = ("access_denied", "file_not_found", "team_access_not_granted")


def read_attached(file: SlackObject, references: MarkupReferences = NO_REFERENCES) -> Iterator[FileFragment]:
    """A file of another workspace comes without a name and a URL: files.info gives them by the id."""
    if get_text(file, "file_access") == STUB_ACCESS:
        file = references.files.get(get_text(file, "id"), file)
    kind, name = find_unread_kind(file), find_name(file)
    url = get_text(file, "url_private_download") or get_text(file, "url_private")
    if get_text(file, "mode") == "email" or get_text(file, "filetype") == "email":
        yield from read_email(file, name)
    elif kind:
        yield from read_descriptions(file, name)
        yield UnreadPart(kind, name)
    elif get_text(file, "file_access") == STUB_ACCESS and get_text(file, "id"):
        yield build_file(file, FILE_ID_PREFIX + get_text(file, "id"))
    else:
        yield build_file(file, url) if url else UnreadPart("file", name)


def find_unread_kind(file: SlackObject) -> UnreadKind | None:
    mode, filetype = get_text(file, "mode"), get_text(file, "filetype")
    if mode in HIDDEN_MODES or mode == "external" or file.get("is_external") is True:
        return "file"
    if get_text(file, "file_access") in NO_ACCESS:
        return "file"
    by_media = CLIP_KINDS.get(get_text(file, "subtype")) or find_media_kind(get_text(file, "mimetype"), find_name(file))
    return DOCUMENT_KINDS.get(mode) or DOCUMENT_KINDS.get(filetype) or by_media


def find_name(file: SlackObject) -> str:
    return get_text(file, "name") or get_text(file, "title")


def build_file(file: SlackObject, url: str) -> AttachedFile:
    size = file.get("size")
    media_type = get_text(file, "mimetype") or "application/octet-stream"
    return AttachedFile(find_name(file) or "file", url, media_type, size if isinstance(size, int) else None)


def read_descriptions(file: SlackObject, name: str) -> Iterator[MessagePart]:
    """The words that Slack shows beside an image or a recording: the description, or the beginning of the speech."""
    transcript = get_text(get_object(get_object(file, "transcription"), "preview"), "content")
    for text in (get_text(file, "alt_txt"), transcript):
        if text.strip():
            yield MessagePart("embedded", escape_once(text), name)


def read_email(file: SlackObject, name: str) -> Iterator[FileFragment]:
    """An email that was sent to the channel: https://slack.com/help/articles/206819278. Its files are not Slack's."""
    sender = next(iter(get_objects(file, "from")), {})
    subject, body = get_text(file, "subject"), get_text(file, "plain_text") or get_text(file, "preview_plain_text")
    if text := "\n\n".join(filter(None, (subject, body))):
        yield MessagePart("forwarded", escape_once(text), get_text(sender, "name") or get_text(sender, "address"))
    elif url := get_text(file, "url_private_download") or get_text(file, "url_private"):
        yield build_file(file, url)  # an uploaded .eml, of which Slack sends no text
    else:
        yield UnreadPart("file", name)
    for each in get_objects(file, "attachments"):
        yield UnreadPart("file", get_text(each, "filename"))
