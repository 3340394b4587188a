"""Embeds (alerts of other apps, previews of links) and polls → text that a model can read. Pure.

https://discord.com/developers/docs/resources/message#embed-object
https://discord.com/developers/docs/resources/poll#poll-object
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from bindings.content import MessagePart
from bindings.discord.attachments import file_name
from bindings.discord.payloads import Payload, as_id, as_mapping, as_mappings, as_number, as_text
from bindings.incoming import UnreadKind, UnreadPart
from core.contract import Language
from core.texts import text

# A video's preview also has a title. Thumbnails beside a text are left out: they decorate what it already says.
UNREAD_TYPES: dict[str, UnreadKind] = {"image": "image", "gifv": "image", "video": "video"}
FOOTER_LIMIT_CHARS = 2048
DIGITS_LIMIT = 9
INVISIBLE = " \u200b\u200e\u2800\u3164"  # of these, bots build empty texts


def read_embed(embed: Payload, language: Language) -> Iterator[MessagePart | UnreadPart]:
    """Yields the text of an embed, with its sender as author, and what it shows besides."""
    if as_text(embed.get("type")) == "poll_result" and (result := render_poll_result(embed, language)):
        yield MessagePart("embedded", result)
        return
    author = as_text(as_mapping(embed.get("author")).get("name"))
    provider = as_text(as_mapping(embed.get("provider")).get("name"))
    kind = UNREAD_TYPES.get(as_text(embed.get("type")))
    if lines := list(filter(None, embed_lines(embed))):
        yield MessagePart("embedded", "\n".join(lines), author or provider)
    elif not kind and (author or provider):
        yield MessagePart("embedded", author or provider)
    if kind:
        yield UnreadPart(kind, as_text(embed.get("title")) or file_name(as_text(embed.get("url"))))
    is_bare = not (lines or kind or author or provider)
    if image := picture_url(embed, "image") or (picture_url(embed, "thumbnail") if is_bare else ""):
        yield UnreadPart("image", file_name(image))


def picture_url(embed: Payload, key: str) -> str:
    return as_text(as_mapping(embed.get(key)).get("url"))


def embed_lines(embed: Payload) -> Iterator[str]:
    title, url = as_text(embed.get("title")), as_text(embed.get("url"))
    yield f"[{title}]({url})" if title and url else title or url
    yield as_text(embed.get("description"))
    for field in as_mappings(embed.get("fields")):
        yield ": ".join(filter(None, (visible_text(field, "name"), visible_text(field, "value"))))
    footer = as_text(as_mapping(embed.get("footer")).get("text"))[:FOOTER_LIMIT_CHARS]
    yield " • ".join(filter(None, (footer, parse_timestamp(as_text(embed.get("timestamp"))))))


def visible_text(field: Payload, key: str) -> str:
    """Bots fill fields that shall look empty with invisible signs, because Discord demands a text."""
    return as_text(field.get(key)).strip(INVISIBLE)


def parse_timestamp(stamp: str) -> str:
    """The time in the footer, in UTC. "": no time."""
    try:
        return f"{datetime.fromisoformat(stamp).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    except (ValueError, OverflowError):
        return ""


def render_poll_result(embed: Payload, language: Language) -> str:
    """The question and the winning answer. A tie has none. "": Discord tells nothing.

    https://discord.com/developers/docs/resources/message#embed-fields-by-embed-type-poll-result-embed-fields
    """
    fields = {as_text(each.get("name")): as_text(each.get("value")) for each in as_mappings(embed.get("fields"))}
    question, answer = fields.get("poll_question_text", ""), fields.get("victor_answer_text", "")
    emoji = render_emoji(fields.get("victor_answer_emoji_name", ""), fields.get("victor_answer_emoji_id"))
    winner, votes = " ".join(filter(None, (emoji, answer))), fields.get("victor_answer_votes", "")
    if winner and votes.isascii() and votes.isdigit() and len(votes) <= DIGITS_LIMIT:
        winner = text("discord-poll-votes", language, answer=winner, count=int(votes))
    lines = (text("discord-poll", language, question=question) if question else "", f"- {winner}" if winner else "")
    return "\n".join(filter(None, lines))


def read_poll(poll: Payload, language: Language) -> MessagePart | UnreadPart:
    """The question, and each answer with its votes if Discord sent them."""
    question = media_text(poll.get("question"))
    answers = as_mappings(poll.get("answers"))
    if not question and not answers:
        return UnreadPart("poll")
    counts = poll_counts(poll)
    lines = [f"- {render_answer(answer, counts, language)}" for answer in answers]
    return MessagePart("embedded", "\n".join([text("discord-poll", language, question=question), *lines]))


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
    emoji = as_mapping(as_mapping(media).get("emoji"))
    sign = render_emoji(as_text(emoji.get("name")), emoji.get("id"))
    return " ".join(filter(None, (sign, as_text(as_mapping(media).get("text")))))


def render_emoji(name: str, emoji_id: object) -> str:
    """An emoji of a server has an id, and its name stands between colons, as in texts."""
    return f":{name}:" if name and as_id(emoji_id) else name
