"""A page → botbuilder's activity, with the platform's own label, citations, feedback and buttons. Pure.

No entity is ever a mention: without one, nothing that a text says can ping anybody.
Source: https://learn.microsoft.com/microsoftteams/platform/bots/how-to/bot-messages-ai-generated-content
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from botbuilder.schema import Activity, Attachment, CardAction, ChannelAccount, ConversationAccount, SuggestedActions

from bindings.delivery.outlet import Page
from bindings.incoming import Place
from bindings.intake.bot import Greeting
from bindings.teams import formatting, words
from bindings.teams.activities import RichEntity
from core.contract import Language, Source

MESSAGE_ENTITY = "https://schema.org/Message"
STREAM_ENTITY = "streaminfo"
CITATIONS_LIMIT = 20  # with more, Teams refuses the message
CITED_NAME_CHARS = 80
CITED_URL_CHARS = 500
PROMPTS_LIMIT = 3
TYPES = {"personal": "personal", "group": "groupChat", "channel": "channel"}
StreamType = Literal["informative", "streaming", "final"]


def message(page: Page, place: Place, question: str) -> Activity:
    """A page as a message of its own, or as what a message is updated to."""
    activity = basic("message", place, page.language)
    activity.text = formatting.render(page) or words.WAITING
    activity.text_format = "markdown"
    activity.reply_to_id = question
    if page.text and not page.is_notice:
        activity.entities = [labelled(page.closing.sources if page.closing else (), activity.text)]
    is_end = page.final and page.closing is not None and bool(page.closing.answer)
    if is_end or not page.final:
        # From the first post on: what a message is updated to gets no buttons that it did not have.
        activity.channel_data = {"feedbackLoop": {"type": "default"}}
    if is_end:
        activity.suggested_actions = again(place, page.language)
    return activity


def final(page: Page, place: Place, question: str, stream: str) -> Activity:
    """The end of a stream. It has no sequence number: Teams would refuse it."""
    activity = message(page, place, question)
    return with_stream(activity, "final", {"streamId": stream})


def chunk(text: str, kind: StreamType, place: Place, language: Language, sequence: int, stream: str | None) -> Activity:
    """All that is there so far, as the next part of a stream. Without `stream` it begins one."""
    activity = basic("typing", place, language)
    activity.text = text
    activity.text_format = "markdown"
    return with_stream(activity, kind, {"streamSequence": sequence, **({"streamId": stream} if stream else {})})


def with_stream(activity: Activity, kind: StreamType, fields: Mapping[str, Any]) -> Activity:
    """The same twice: clients read the entity, the connector also the channel data."""
    activity.entities = [*(activity.entities or []), RichEntity(STREAM_ENTITY, streamType=kind, **fields)]
    activity.channel_data = {**(activity.channel_data or {}), "streamType": kind, **fields}
    return activity


def greeting(greeting: Greeting, place: Place) -> Activity:
    """The first words in a conversation. Ours, so without a label; its prompts are buttons where there can be some."""
    activity = basic("message", place, greeting.language)
    title, text = formatting.own(greeting.title), formatting.body(greeting.text)
    activity.text = f"**{title}**\n\n{text}"
    activity.text_format = "markdown"
    if place.kind == "personal" and greeting.prompts:
        activity.suggested_actions = suggested(place, greeting.prompts[:PROMPTS_LIMIT])
    return activity


def notice(text: str, place: Place, language: Language) -> Activity:
    activity = basic("message", place, language)
    activity.text = formatting.own(text)
    activity.text_format = "markdown"
    return activity


def card(attachment: Attachment, place: Place, language: Language) -> Activity:
    """Without a text: with one, Teams would make two messages of it, and tell the id of neither."""
    activity = basic("message", place, language)
    activity.attachments = [attachment]
    return activity


def basic(kind: str, place: Place, language: Language) -> Activity:
    route = place.route
    return Activity(
        type=kind,
        channel_id="msteams",
        service_url=route["service_url"],
        conversation=ConversationAccount(id=route["conversation"], conversation_type=TYPES[place.kind]),
        from_property=ChannelAccount(id=route["bot"], name=route["bot_name"] or None),
        recipient=ChannelAccount(id=route["person"]) if place.kind == "personal" else None,
        locale="fr-CA" if language == "fr" else "en-CA",
    )


def labelled(sources: tuple[Source, ...], text: str) -> RichEntity:
    """There may be only one such entity in a message."""
    cited = {source.number: cited_as(source) for source in sources if f"[{source.number}]" in text}
    citations = {"citation": list(cited.values())[:CITATIONS_LIMIT]} if cited else {}
    return RichEntity(
        MESSAGE_ENTITY,
        **{"@type": "Message", "@context": "https://schema.org", "additionalType": ["AIGeneratedContent"]},
        **citations,
    )


def cited_as(source: Source) -> dict[str, Any]:
    name = " ".join(formatting.cleaned(source.title).split())[:CITED_NAME_CHARS] or str(source.number)
    appearance = {"@type": "DigitalDocument", "name": name, "abstract": name}
    url = formatting.web_address(source.url)
    if url and len(url) <= CITED_URL_CHARS:
        appearance["url"] = url
    return {"@type": "Claim", "position": source.number, "appearance": appearance}


def again(place: Place, language: Language) -> SuggestedActions | None:
    """Only in a personal chat does Teams show such buttons; elsewhere a person writes the word."""
    if place.kind != "personal":
        return None
    return suggested(place, [words.AGAIN[language]])


def suggested(place: Place, said: Sequence[str]) -> SuggestedActions:
    """Each says for the person what is on it: some clients take its title for that, and some its value."""
    actions = [CardAction(type="imBack", title=each, value=each) for each in said]
    return SuggestedActions(to=[place.route["person"]], actions=actions)
