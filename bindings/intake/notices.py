"""What people are told about the bot: what it can do, who answers, and how a conversation begins. Text only."""

from __future__ import annotations

from dataclasses import dataclass

from bindings import words
from bindings.bot import Bot, Voice
from core.configuration.personalities import Personality
from core.contract import Language
from core.rag.context import plain_name


@dataclass(frozen=True, slots=True)
class Greeting:
    """Shown before anything was asked. `prompts`: what a person may begin with."""

    title: str
    text: str
    prompts: tuple[str, ...]
    language: Language


async def help_text(bot: Bot, voice: Voice) -> str:
    return words.HELP[voice.language].format(
        title=voice.personality.title,
        model=await model_words(bot, voice.personality, voice.language),
        days=bot.keep_days,
    )


async def greeting(bot: Bot, voice: Voice) -> Greeting:
    personality, language = voice.personality, voice.language
    model = await model_words(bot, personality, language)
    text = words.GREETING[language].format(greeting=personality.greeting, model=model)
    return Greeting(personality.title, text, words.PROMPTS[language], language)


async def model_words(bot: Bot, personality: Personality, language: Language) -> str:
    """Which model answers, or that none does."""
    described = await bot.description(personality)
    if described is None or described.model is None:
        return words.NO_MODEL[language]
    sentence = words.STARTER if described.starter else words.MODEL
    return sentence[language].format(model=plain_name(described.model))


def personality_list(bot: Bot, voice: Voice) -> str:
    """Those that can be chosen, with who answers now."""
    lines = []
    for name in bot.personalities.names():
        each = bot.personalities.get(name)
        here = f" ({words.HERE[voice.language]})" if name == voice.personality.name else ""
        description = getattr(each.description, voice.language)
        lines.append(f"- `{name}`: **{each.title}**{here}. {description}")
    return "\n".join([words.PERSONALITY_LIST[voice.language], "", *lines])
