"""Embeds (alerts of other apps, previews of links) and polls → text that a model can read. Pure.

https://discord.com/developers/docs/resources/message#embed-object
https://discord.com/developers/docs/resources/poll#poll-object
"""

from __future__ import annotations

from collections.abc import Iterator

from bindings.content import ContentPart
from bindings.discord.attachments import file_name
from bindings.discord.payloads import Payload, as_mapping, as_mappings, as_number, as_text
from bindings.incoming import UnreadKind, UnreadPart
from core.contract import Language
from core.texts import text

# A video's preview also has a title. Thumbnails are left out: they decorate what the text already says.
UNREAD_TYPES: dict[str, UnreadKind] = {"image": "image", "gifv": "image", "video": "video"}
FOOTER_LIMIT_CHARS = 2048


def read_embed(embed: Payload) -> Iterator[ContentPart | UnreadPart]:
    """Yields the text of an embed, with its sender as author, and what it shows besides."""
    author = as_text(as_mapping(embed.get("author")).get("name"))
    provider = as_text(as_mapping(embed.get("provider")).get("name"))
    kind = UNREAD_TYPES.get(as_text(embed.get("type")))
    if lines := list(filter(None, embed_lines(embed))):
        yield ContentPart("embedded", "\n".join(lines), author or provider)
    elif not kind and (author or provider):
        yield ContentPart("embedded", author or provider)
    if kind:
        yield UnreadPart(kind, as_text(embed.get("title")) or file_name(as_text(embed.get("url"))))
    if image := as_text(as_mapping(embed.get("image")).get("url")):
        yield UnreadPart("image", file_name(image))


def embed_lines(embed: Payload) -> Iterator[str]:
    title, url = as_text(embed.get("title")), as_text(embed.get("url"))
    yield f"[{title}]({url})" if title and url else title or url
    yield as_text(embed.get("description"))
    for field in as_mappings(embed.get("fields")):
        yield ": ".join(filter(None, (as_text(field.get("name")), as_text(field.get("value")))))
    yield as_text(as_mapping(embed.get("footer")).get("text"))[:FOOTER_LIMIT_CHARS]


def read_poll(poll: Payload, language: Language) -> ContentPart | UnreadPart:
    """The question, and each answer with its votes if Discord sent them."""
    question = media_text(poll.get("question"))
    answers = as_mappings(poll.get("answers"))
    if not question and not answers:
        return UnreadPart("poll")
    counts = poll_counts(poll)
    lines = [f"- {render_answer(answer, counts, language)}" for answer in answers]
    return ContentPart("embedded", "\n".join([text("discord-poll", language, question=question), *lines]))


def render_answer(answer: Payload, counts: dict[int, int] | None, language: Language) -> str:
    words = media_text(answer.get("poll_media"))
    if counts is None:
        return words
    votes = counts.get(as_number(answer.get("answer_id")), 0)
    return text("discord-poll-votes", language, answer=words, count=votes)


def poll_counts(poll: Payload) -> dict[int, int] | None:
    """Votes by answer. None: unknown. An answer that Discord leaves out has no votes."""
    if not isinstance(poll.get("results"), dict):
        return None
    counts = as_mappings(poll["results"].get("answer_counts"))
    return {as_number(each.get("id")): as_number(each.get("count")) for each in counts}


def media_text(media: object) -> str:
    """The text of a question or an answer, after its emoji."""
    emoji = as_text(as_mapping(as_mapping(media).get("emoji")).get("name"))
    return " ".join(filter(None, (emoji, as_text(as_mapping(media).get("text")))))
