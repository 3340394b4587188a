"""Builds activities from pages, with Teams' AI label, citations, feedback and buttons. Pure.

No entity is ever a mention: without one, no text can ping anybody.
Source: https://learn.microsoft.com/microsoftteams/platform/bots/how-to/bot-messages-ai-generated-content
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from botbuilder.schema import Activity, Attachment, CardAction, ChannelAccount, ConversationAccount, SuggestedActions

from bindings.delivery.outlet import Page
from bindings.incoming import Place
from bindings.intake.bot import Greeting
from bindings.teams import formatting
from bindings.teams.activities import RichEntity
from bindings.teams.streaming import StreamChunk
from core.contract import Language, Source
from core.texts import text

MESSAGE_ENTITY = "https://schema.org/Message"
STREAM_ENTITY = "streaminfo"
WAITING = "…"
CITATIONS_LIMIT = 20  # Teams refuses a message with more
CITED_NAME_CHARS = 80
CITED_URL_CHARS = 500
PROMPTS_LIMIT = 3
CONVERSATION_TYPES = {"personal": "personal", "group": "groupChat", "channel": "channel"}


def build_message(page: Page, place: Place, question: str) -> Activity:
    """Builds a new message, or the new state of a message. `question` is the id of the person's message."""
    activity = build_markdown(formatting.render_page(page) or WAITING, place, page.language)
    activity.reply_to_id = question
    if page.text and not page.is_notice:
        activity.entities = [build_label(page.closing.sources if page.closing else (), activity.text)]
    is_end = page.final and page.closing is not None and bool(page.closing.answer_id)
    if is_end or not page.final:
        # From the first post on: an update cannot add feedback buttons.
        activity.channel_data = {"feedbackLoop": {"type": "default"}}
    if is_end and place.kind == "personal":  # Teams shows such buttons only there
        activity.suggested_actions = build_suggestions(place, [text("teams-regenerate-button", page.language)])
    return activity


def build_plain(page: Page, place: Place, question: str) -> Activity:
    """Builds a message of text alone, for where Teams refused a richer one. `question`: "" for a direct message."""
    activity = build_markdown(formatting.render_page(page) or WAITING, place, page.language)
    activity.reply_to_id = question or None
    return activity


def build_final(page: Page, place: Place, question: str, stream: str) -> Activity:
    """Builds the final part of a stream. Teams would refuse a sequence number in it."""
    return add_stream_info(build_message(page, place, question), "final", {"streamId": stream})


def build_chunk(chunk: StreamChunk, place: Place, language: Language, stream: str) -> Activity:
    """Builds the next part of a stream, which has the whole text so far. `stream`: "" begins a stream."""
    activity = build_markdown(chunk.text, place, language)
    activity.type = "typing"
    fields = {"streamSequence": chunk.sequence, **({"streamId": stream} if stream else {})}
    return add_stream_info(activity, chunk.kind, fields)


def add_stream_info(
    activity: Activity, kind: Literal["informative", "streaming", "final"], fields: Mapping[str, Any]
) -> Activity:
    """Adds the same fields twice: clients read the entity, the connector reads the channel data."""
    activity.entities = [*(activity.entities or []), RichEntity(STREAM_ENTITY, streamType=kind, **fields)]
    activity.channel_data = {**(activity.channel_data or {}), "streamType": kind, **fields}
    return activity


def build_greeting(greeting: Greeting, place: Place) -> Activity:
    """Builds the first message of a conversation: our text, so without a label. Its prompts are buttons."""
    title, body = formatting.render_notice(greeting.title), formatting.render_markdown(greeting.text)
    activity = build_markdown(f"**{title}**\n\n{body}", place, greeting.language)
    if place.kind == "personal" and greeting.prompts:
        activity.suggested_actions = build_suggestions(place, greeting.prompts[:PROMPTS_LIMIT])
    return activity


def build_notice(notice: str, place: Place, language: Language) -> Activity:
    return build_markdown(formatting.render_notice(notice), place, language)


def build_card(attachment: Attachment, place: Place, language: Language) -> Activity:
    """Builds a message without text: with a text, Teams makes two messages of it and returns no id."""
    activity = build_activity(place, language)
    activity.attachments = [attachment]
    return activity


def build_markdown(markdown: str, place: Place, language: Language) -> Activity:
    activity = build_activity(place, language)
    activity.text = markdown
    activity.text_format = "markdown"
    return activity


def build_activity(place: Place, language: Language) -> Activity:
    route = place.route
    return Activity(
        type="message",
        channel_id="msteams",
        service_url=route["service_url"],
        conversation=ConversationAccount(id=route["conversation"], conversation_type=CONVERSATION_TYPES[place.kind]),
        from_property=ChannelAccount(id=route["bot"], name=route["bot_name"] or None),
        recipient=ChannelAccount(id=route["person"]) if place.kind == "personal" else None,
        locale="fr-CA" if language == "fr" else "en-CA",
    )


def build_label(sources: tuple[Source, ...], rendered: str) -> RichEntity:
    """Builds the AI label with its citations. A message may have only one such entity."""
    cited = {source.number: build_citation(source) for source in sources if f"[{source.number}]" in rendered}
    citations = {"citation": list(cited.values())[:CITATIONS_LIMIT]} if cited else {}
    return RichEntity(
        MESSAGE_ENTITY,
        **{"@type": "Message", "@context": "https://schema.org", "additionalType": ["AIGeneratedContent"]},
        **citations,
    )


def build_citation(source: Source) -> dict[str, Any]:
    name = " ".join(formatting.clean(source.title).split())[:CITED_NAME_CHARS] or str(source.number)
    appearance = {"@type": "DigitalDocument", "name": name, "abstract": name}
    url = formatting.render_url(source.url)
    if url and len(url) <= CITED_URL_CHARS:
        appearance["url"] = url
    return {"@type": "Claim", "position": source.number, "appearance": appearance}


def build_suggestions(place: Place, texts: Sequence[str]) -> SuggestedActions:
    """Builds buttons that send their text as the person's message. Some clients send the title, others the value."""
    actions = [CardAction(type="imBack", title=each, value=each) for each in texts]
    return SuggestedActions(to=[place.route["person"]], actions=actions)
