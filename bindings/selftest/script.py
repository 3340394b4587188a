"""The recorded conversation that a self-test plays: config/selftest.toml, or the operator's own file of this name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, create_model, model_validator

from bindings.incoming import PlatformName
from core.configuration import toml
from core.configuration.settings import Settings
from core.configuration.toml import BilingualText, Section, ShortText
from core.contract import Language
from core.errors import ConfigError

FILE = "selftest.toml"

Deed = Literal["ask", "reply", "edit", "delete", "stop", "command", "rate"]
PlaceKind = Literal["channel", "personal"]
CommandName = Literal["ask", "personality"]
FaultName = Literal["throttled", "stream_refused", "edit_refused"]

NEEDS_EARLIER_STEP = ("reply", "edit", "rate")


class ScriptFile(Section):
    """A text file that a person attaches."""

    name: ShortText
    text: ShortText


class StepTable(Section):
    """One thing that a person does."""

    title: BilingualText
    does: Deed
    text: str = Field(default="", max_length=2000)
    of: str = ""  # the name of the earlier step that it replies to, edits or rates
    place: PlaceKind = "channel"
    language: Language = "en"
    file: ScriptFile | None = None
    fault: FaultName | None = None
    command: CommandName = "ask"
    platforms: tuple[PlatformName, ...] = ("slack", "discord", "teams")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.text and self.does != "rate" and self.command == "ask":
            raise ValueError("`text` is missing")
        if bool(self.of) != (self.does in NEEDS_EARLIER_STEP):
            raise ValueError(f"`of` names an earlier step for {', '.join(NEEDS_EARLIER_STEP)}, and only for them")
        return self


class Step(StepTable):
    id: str  # the name of its table


def load_script(settings: Settings, platform: PlatformName) -> tuple[Step, ...]:
    """Returns the steps for a platform. Raises ConfigError with file and line."""
    file = settings.config_file(FILE)
    tables = toml.read_tables(file)
    if wrong := [name for name in tables if not toml.NAME.fullmatch(name)]:
        raise ConfigError(f"{file}: the name of a step has only a-z, 0-9 and -, unlike {wrong[0]!r}")
    kinds: dict[str, Any] = dict.fromkeys(tables, (StepTable, ...))
    script = toml.validate(create_model("ScriptFile", __base__=Section, **kinds), tables, file)
    steps = tuple(Step(id=name, **dict(table)) for name, table in script)
    check_order(steps, file)
    return tuple(step for step in steps if platform in step.platforms)


def check_order(steps: Sequence[Step], file: Path) -> None:
    """Raises ConfigError if there is no step, or if one refers to a step that is not before it on its platforms."""
    if not steps:
        raise ConfigError(f"{file}: there is no step")
    earlier: dict[str, Step] = {}
    for step in steps:
        if step.of and not (step.of in earlier and set(step.platforms) <= set(earlier[step.of].platforms)):
            raise ConfigError(
                f"{file}: the step {step.id} refers to {step.of}, which is no earlier step of its platforms"
            )
        earlier[step.id] = step
