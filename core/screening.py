"""Screens requests by the policy of the moment, beside the event loop where they are long.

The engine screens every prompt and task; the bots screen a message before they record it; `web` the titles of
conversations. `core.privacy` decides what is masked or refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol, TypeVar

from core.contract import Channel, Language, Masked, Prompt, Task
from core.privacy.policy import Policy, Rules
from core.privacy.screening import LARGE_CHARS, Screen, screen_prompt, screen_task, size_of_prompt, size_of_task

Result = TypeVar("Result")


class PolicySource(Protocol):
    @property
    def policy(self) -> Policy:
        """The policy now: its file may change."""
        ...


class FixedPolicy:
    """A policy without a file."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.policy = policy or Policy()


class Screener:
    """One per process."""

    def __init__(self, source: PolicySource | None = None) -> None:
        self._source = source or FixedPolicy()

    async def prompt(self, prompt: Prompt, language: Language) -> tuple[Prompt, Masked | None]:
        """The prompt without what is masked. Raises PersonalInformationRefused."""
        rules, language = self.rules(prompt.personality, prompt.channel), prompt.language or language
        if rules.allows_all:
            return prompt, None
        return await run_beside_loop(lambda: screen_prompt(prompt, rules, language), size_of_prompt(prompt))

    async def task(self, task: Task, language: Language) -> tuple[Task, Masked | None]:
        """As `prompt`."""
        rules = self.rules(task.personality, task.channel)
        if rules.allows_all:
            return task, None
        return await run_beside_loop(lambda: screen_task(task, rules, language), size_of_task(task))

    async def words(self, words: str, personality: str, channel: Channel, language: Language) -> str:
        """A short text of a person, such as a title. Raises PersonalInformationRefused."""
        screen = Screen(self.rules(personality, channel), language)
        screened = await run_beside_loop(lambda: screen.own(words), len(words))
        screen.masked()
        return screened

    async def note(self, words: str, personality: str, channel: Channel, language: Language) -> str:
        """A person's words that are stored and not answered, such as a comment: "block" masks too."""
        screen = Screen(self.rules(personality, channel), language)
        return await run_beside_loop(lambda: screen.foreign(words), len(words))

    def screen(self, personality: str, channel: Channel, language: Language) -> Screen:
        """For texts of other shapes."""
        return Screen(self.rules(personality, channel), language)

    def rules(self, personality: str, channel: Channel) -> Rules:
        return self._source.policy.rules(personality, channel)


async def run_beside_loop(act: Callable[[], Result], chars: int) -> Result:
    """Runs `act` at once for short texts, else in a thread."""
    return act() if chars < LARGE_CHARS else await asyncio.to_thread(act)
