"""The parts that all work of one bot shares, and the texts in which it presents itself. Posts nothing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import cast

from bindings.delivery.context import DeliveryContext
from bindings.delivery.outlet import Outlet
from bindings.incoming import IncomingMessage, Place, Platform, PlatformName
from bindings.intake.admission import route_personality
from bindings.intake.commands import message_language
from bindings.metrics import BotMetrics
from bindings.store import Store
from core.configuration.personalities import Personalities, Personality
from core.configuration.platform_sections import PlatformSettings
from core.configuration.settings import Settings
from core.contract import Description, Engine, Language
from core.errors import SessionUnknown
from core.model_report import describe
from core.rag.context import plain_name
from core.rag.facts.editing import FactsEditing
from core.screening import Screener
from core.texts import text

SUGGESTIONS = ("bot-suggestion-ability", "bot-suggestion-email", "bot-suggestion-explain")


@dataclass(frozen=True, slots=True)
class LocalizedPersonality:
    """The personality that answers a message, and the language of the bot's own texts for the person."""

    personality: Personality
    language: Language


@dataclass(frozen=True, slots=True)
class Greeting:
    """The start of an empty conversation. `prompts`: questions that a person may begin with."""

    title: str
    text: str
    prompts: tuple[str, ...]
    language: Language


@dataclass(frozen=True, slots=True)
class Bot:
    """The engine, platform, store and settings of one bot."""

    engine: Engine
    platform: Platform
    store: Store
    personalities: Personalities
    settings: Settings
    metrics: BotMetrics
    delivery_context: DeliveryContext
    editing: FactsEditing | None = None
    screener: Screener = field(default_factory=Screener)

    @property
    def platform_name(self) -> PlatformName:
        return cast(PlatformName, self.platform.name)

    @property
    def section(self) -> PlatformSettings:
        return self.settings.platform(self.platform.name)

    @property
    def keep_days(self) -> int:
        return self.settings.data.keep_days

    async def choose_personality(self, incoming: IncomingMessage, *, pin: bool = False) -> LocalizedPersonality:
        """The personality that answers a message. `pin`: the conversation keeps it from now on."""
        language = message_language(incoming)
        name = await self.personality_name(incoming.place, language, incoming.names)
        if pin:
            pinned = await self.store.pin_personality(incoming.place, name)
            name = pinned if pinned in self.personalities.names() else name
        personality = self.personalities.get(name)
        return LocalizedPersonality(personality, language or personality.language)

    async def personality_name(
        self, place: Place, language: Language | None, names: frozenset[str] | None = None
    ) -> str:
        """The name of the personality that answers in a place now. `names`: of the person who asks, if known."""
        people_choice = await self.store.chosen_personality(place)
        return route_personality(
            place, language, people_choice, self.section, self.personalities, self.engine.personalities(names)
        )

    def outlet(self, incoming: IncomingMessage, localized: LocalizedPersonality) -> Outlet:
        """The outlet for the answer to a message, with texts in the language of `localized`."""
        return self.platform.outlet(replace(incoming, language=localized.language))

    async def forget(self, place: Place) -> None:
        """Deletes the data of a conversation that the store does not hold. Raises StorageError."""
        with suppress(SessionUnknown):
            await self.engine.forget(place.conversation)
        await self.platform.forget(place)

    async def describe(self, personality: Personality) -> Description | None:
        return await describe(self.engine, personality.name)

    async def describe_model(self, localized: LocalizedPersonality) -> str:
        """The model's name in a phrase, with the one that is awaited, or a phrase that no model is available."""
        described = await self.describe(localized.personality)
        if described is None or described.model is None:
            return text("bot-model-none", localized.language)
        language, model, awaited = localized.language, plain_name(described.model), described.next_model
        if awaited is None or awaited.state == "failed":
            return text("bot-model-starter" if described.starter else "bot-model", language, model=model)
        key = "bot-model-starter-until" if described.starter else "bot-model-until"
        return text(key, language, model=model, next=plain_name(awaited.title))

    async def help_text(self, localized: LocalizedPersonality) -> str:
        model = await self.describe_model(localized)
        return text("bot-help", localized.language, title=localized.personality.title, model=model, days=self.keep_days)

    async def greeting(self, localized: LocalizedPersonality) -> Greeting:
        personality, language = localized.personality, localized.language
        model = await self.describe_model(localized)
        greeting = text("bot-greeting", language, greeting=personality.greeting, model=model)
        return Greeting(personality.title, greeting, tuple(text(key, language) for key in SUGGESTIONS), language)

    def list_personalities(self, localized: LocalizedPersonality, names: frozenset[str]) -> str:
        """A Markdown list of the personalities that the person may use, with a mark at the current one."""
        entries = [self._personality_entry(name, localized) for name in self.engine.personalities(names)]
        return "\n".join([text("bot-personality-list", localized.language), "", *entries])

    def _personality_entry(self, name: str, localized: LocalizedPersonality) -> str:
        personality, language = self.personalities.get(name), localized.language
        values = {"name": name, "title": personality.title, "description": getattr(personality.description, language)}
        if name == localized.personality.name:
            return text("bot-personality-entry-current", language, **values)
        return text("bot-personality-entry", language, **values)


def build_footer(language: Language, model: str | None, *, labelled: bool) -> Callable[[str | None], str]:
    """Returns a function from the answering model's name to the footer. `model` is used if that name is None.

    `labelled`: the platform shows an AI label itself, so that the footer only names the model.
    """

    def footer(answered_by: str | None) -> str:
        name = plain_name(answered_by or model or "")
        if labelled:
            return text("bot-footer-labelled", language, model=name) if name else ""
        return text("bot-footer", language, model=name) if name else text("bot-footer-no-model", language)

    return footer
