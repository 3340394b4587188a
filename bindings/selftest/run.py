"""One self-test: builds the stage and the bot's environment, plays the script, and returns the transcript."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from bindings.incoming import PlatformName
from bindings.selftest.bot_process import StartedBot, run_bot
from bindings.selftest.discord_stage import DiscordStage
from bindings.selftest.echo_model import EchoModel
from bindings.selftest.environment import build_environ, link_model_socket
from bindings.selftest.judge import StepResult
from bindings.selftest.player import Player
from bindings.selftest.script import Step
from bindings.selftest.slack_stage import SlackStage
from bindings.selftest.stage import Stage
from bindings.selftest.teams_stage import TeamsStage
from bindings.selftest.transcript import LoggedProblem, Transcript
from core.configuration.personalities import Personalities
from core.configuration.settings import Settings
from core.contract import Language
from core.model.client import ModelClient

STAGES: Mapping[PlatformName, Callable[[Settings], Stage]] = {
    "slack": SlackStage,
    "discord": DiscordStage,
    "teams": TeamsStage,
}


async def run_selftest(
    platform: PlatformName,
    settings: Settings,
    environ: Mapping[str, str],
    steps: Sequence[Step],
    language: Language,
    report: Callable[[StepResult], None],
    *,
    echo: bool,
) -> Transcript:
    """Raises ConfigError for wrong settings, ModelError if no model answers, BotEnded."""
    personalities = Personalities(settings.config_file("personalities"))
    personalities.load()
    at = datetime.now().astimezone()
    async with choose_model(settings, personalities, echo=echo) as (model, variables, echo_model):
        stage = STAGES[platform](settings)
        with tempfile.TemporaryDirectory(prefix="csps-llm-selftest-") as folder:
            if echo_model is None:
                link_model_socket(settings, Path(folder))
            async with stage.serving():
                own = {**stage.variables(), **variables}
                async with run_bot(platform, build_environ(environ, settings, platform, Path(folder), own)) as bot:
                    await stage.connect(bot.url)
                    results = await Player(stage, bot, echo_model).play(steps, report)
                    problems = count_problems(bot)
    recording = stage.recording
    return Transcript(
        platform=platform,
        language=language,
        at=at,
        model=model,
        personalities=personalities.names(),
        results=results,
        messages=tuple(recording.messages.values()),
        calls=tuple(recording.calls),
        problems=problems,
    )


@asynccontextmanager
async def choose_model(
    settings: Settings, personalities: Personalities, *, echo: bool
) -> AsyncIterator[tuple[str, dict[str, str], EchoModel | None]]:
    """Yields the model's name, the settings that direct the bot to it, and the echo. Raises ModelError."""
    if not echo:
        client = ModelClient.from_settings(settings)
        try:
            await client.ready()
            name = (await client.info()).name
        finally:
            await client.close()
        yield name, {}, None
        return
    requested = {each for name in personalities.names() if (each := personalities.get(name).model_id)}
    async with EchoModel(requested).serving() as echo_model:
        yield "echo", {"LLM_URL": echo_model.url, "LLM_API_KEY": "", "LLM_MODEL": ""}, echo_model


def count_problems(bot: StartedBot) -> tuple[LoggedProblem, ...]:
    counts = Counter((str(entry["event"]), str(entry.get("problem") or "")) for entry in bot.problems)
    return tuple(LoggedProblem(event, problem, times) for (event, problem), times in counts.items())
