"""What all work of one bot shares, and who speaks to whom in which language. Delivers nothing itself."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from bindings import words
from bindings.delivery.manner import Means
from bindings.delivery.outlet import Outlet
from bindings.incoming import Incoming, Place
from bindings.intake import commands, routing
from bindings.metrics import Metrics
from bindings.platform import Platform
from bindings.store import Store
from core.configuration.personalities import Personalities, Personality
from core.configuration.settings import PlatformSettings, Settings
from core.contract import Description, Engine, Language
from core.errors import CspsError, SessionUnknown
from core.language import language_of
from core.rag.context import plain_name


@dataclass(frozen=True, slots=True)
class Voice:
    """Who answers, and in which language the person is spoken to."""

    personality: Personality
    language: Language


@dataclass(frozen=True, slots=True)
class Bot:
    engine: Engine
    platform: Platform
    store: Store
    personalities: Personalities
    settings: Settings
    metrics: Metrics
    means: Means

    @property
    def section(self) -> PlatformSettings:
        return self.settings.platform(self.platform.name)

    @property
    def keep_days(self) -> int:
        return self.settings.data.keep_days

    async def voice(self, incoming: Incoming, *, settles: bool = False) -> Voice:
        """`settles`: the conversation keeps this personality from now on."""
        language = spoken(incoming)
        name = await self.answering(incoming.place, language)
        if settles:
            settled = await self.store.settle(incoming.place, name)
            name = settled if settled in self.personalities.names() else name
        personality = self.personalities.get(name)
        return Voice(personality, language or personality.language)

    async def answering(self, place: Place, language: Language | None) -> str:
        """The name of the personality that answers there now."""
        chosen = await self.store.chosen(place)
        return routing.route(place, language, chosen, self.section, self.personalities)

    def outlet(self, incoming: Incoming, voice: Voice) -> Outlet:
        """Where the answer to it goes, in the language that is spoken."""
        return self.platform.outlet(replace(incoming, language=voice.language))

    async def forget(self, place: Place) -> None:
        """What is kept of a conversation beside the store. Raises StorageError."""
        with suppress(SessionUnknown):
            await self.engine.forget(place.conversation)
        await self.platform.forget(place)

    async def description(self, personality: Personality) -> Description | None:
        """None while no model answers."""
        try:
            return await self.engine.describe(personality.name)
        except CspsError:
            return None


def spoken(incoming: Incoming) -> Language | None:
    """The text's own language goes before what the platform tells."""
    return commands.language_in(incoming.text) or language_of(incoming.text) or incoming.language


def footer(language: Language, model: str | None, *, labelled: bool) -> Callable[[str | None], str]:
    """The model is always named, if anybody knows its name."""
    sentence = words.FOOTER_LABELLED if labelled else words.FOOTER

    def of(answered: str | None) -> str:
        name = plain_name(answered or model or "")
        if not name:
            return "" if labelled else words.FOOTER_UNNAMED[language]
        return sentence[language].format(model=name)

    return of
