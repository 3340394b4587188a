"""Measures how well a weak model chooses tools: whether one is needed, which one, and when to answer instead.

Each form of the decision gets the same questions of benchmarks/tool_choice.toml, with the shipped personality of each
language, at temperature 0. "now" is the one that the service uses. A case is right if the right tool is named, or none.

    .venv/bin/python -m benchmarks.tool_choice [--models starter,gemma] [--forms now] [--languages en,fr] [--failures]
        [--arguments] [--url URL --model NAME]

With --arguments, each right call is also written in full: a value counts if it contains the part that the question
names. Gemma's weights are fetched once (benchmarks/gemma.py) and never shipped.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import structlog
from rich.console import Console
from rich.table import Table

from benchmarks.gemma import gemma_file
from benchmarks.measured_model import find_model
from benchmarks.toil_quality_drawings import PERSONALITY
from benchmarks.toil_quality_engines import open_engines
from core.configuration import settings
from core.configuration.personalities import Personalities
from core.contract import Json, Language, Prompt, Sampling, Task, ToilResult, Tool, Toolbox, ToolCall
from core.conversation.composition import build_context, build_request
from core.conversation.draft import AnswerRequest, join_paragraphs
from core.errors import CspsError
from core.toil.toiler import Toiler
from core.toil.tools import prompts
from core.toil.tools.choice import ToolChoice
from core.toil.tools.parameters import arguments_schema, takes_none

CASES = Path(__file__).with_suffix(".toml")
KINDS = ("needed", "not needed", "which", "after", "more")


@dataclass(frozen=True, slots=True)
class ToolCase:
    language: Language
    kind: str
    tools: tuple[Tool, ...]
    question: str
    right: str  # a tool's name; "": an answer
    calls: tuple[ToolCall, ...]
    arguments: tuple[str, ...]

    @property
    def choice(self) -> ToolChoice:
        return ToolChoice(Toolbox(self.tools), self.calls)


@dataclass(frozen=True, slots=True)
class Decision:
    """One form's question to the model: the request, the schema of its answer, and what the answer means."""

    request: AnswerRequest
    schema: dict[str, Json]
    chosen: Callable[[Json], Tool | None]


Form = Callable[[AnswerRequest, ToolChoice, Language], Decision]


def read_cases(languages: Sequence[str]) -> Iterator[ToolCase]:
    tables: dict[str, Any] = tomllib.loads(CASES.read_text(encoding="utf-8"))
    for case in tables["case"]:
        if case["language"] in languages:
            yield ToolCase(
                case["language"],
                case["kind"],
                tuple(read_tool(tables["tools"][name], name, case["language"]) for name in case["tools"]),
                case["question"],
                case["right"],
                tuple(ToolCall(f"call_{n}", *call) for n, call in enumerate(case.get("calls", ()))),
                tuple(case.get("arguments", ())),
            )


def read_tool(table: dict[str, Any], name: str, language: str) -> Tool:
    return Tool(name, table[language], json.loads(table["parameters"]))


# --- forms -----------------------------------------------------------------------------------------------------------


def now(request: AnswerRequest, choice: ToolChoice, language: Language) -> Decision:
    """The form of the service."""
    return Decision(prompts.ask_for_choice(request, choice, language), choice.schema(), choice.chosen)


def in_question(request: AnswerRequest, choice: ToolChoice, language: Language) -> Decision:
    """List and rule after the question."""
    asked = now(request, choice, language)
    added = asked.request.draft.system.removeprefix(request.draft.system)
    draft = replace(request.draft, question=join_paragraphs([request.draft.question, added.strip()]))
    return replace(asked, request=replace(request, draft=draft, own_system=False))


ANSWERS = {"en": "answer the person without a function", "fr": "répondre à la personne sans fonction"}
EXAMPLES = {
    "en": "Examples: for “Thank you!”, “Write a note”, “Explain this word” or “Translate this”, name answer. "
    "For a question about what a function knows or does, name that function.",
    "fr": "Exemples : pour «\u00a0Merci!\u00a0», «\u00a0Rédigez une note\u00a0», «\u00a0Que veut dire ce mot?\u00a0» "
    "ou «\u00a0Traduisez ceci\u00a0», nommez answer. Pour une question sur ce qu’une fonction sait ou fait, nommez-la.",
}
ENOUGH = {
    "en": "Their results are there: name answer now, unless a part of the question needs another call.",
    "fr": "Leurs résultats sont là : nommez answer maintenant, sauf si une partie de la question exige un autre appel.",
}


def add(decision: Decision, paragraph: str) -> Decision:
    return replace(decision, request=prompts.add_system(decision.request, [paragraph]))


def listed(request: AnswerRequest, choice: ToolChoice, language: Language) -> Decision:
    """To answer is an entry of the list."""
    decision = now(request, choice, language)
    draft = decision.request.draft
    entries = prompts.list_tools(choice.tools)
    system = draft.system.replace(entries, f"- {choice.no_call}: {ANSWERS[language]}\n{entries}")
    return replace(decision, request=replace(decision.request, draft=replace(draft, system=system)))


def examples(request: AnswerRequest, choice: ToolChoice, language: Language) -> Decision:
    return add(listed(request, choice, language), EXAMPLES[language])


def enough(request: AnswerRequest, choice: ToolChoice, language: Language) -> Decision:
    """After results, an answer is encouraged."""
    decision = examples(request, choice, language)
    return add(decision, ENOUGH[language]) if choice.made else decision


def described(request: AnswerRequest, choice: ToolChoice, language: Language) -> Decision:
    """The model names descriptions, which are words, and not names."""
    meanings = {ANSWERS[language]: None} | {prompts.one_line(tool.description): tool for tool in choice.tools}
    schema: dict[str, Json] = {
        "type": "object",
        "properties": {"next_step": {"enum": list(meanings)}},
        "required": ["next_step"],
        "additionalProperties": False,
    }
    decision = enough(request, choice, language)
    return replace(decision, schema=schema, chosen=lambda value: meanings[value["next_step"]])  # type: ignore[index, call-overload]


def two_keys(request: AnswerRequest, choice: ToolChoice, language: Language) -> Decision:
    """First whether a call is needed, then which."""
    decision = enough(request, choice, language)
    properties: Any = decision.schema["properties"]
    schema = {
        **decision.schema,
        "properties": {"needs_function": {"type": "boolean"}, **properties},
        "required": ["needs_function", "function"],
    }
    return replace(
        decision,
        schema=schema,
        chosen=lambda value: choice.chosen(value) if isinstance(value, dict) and value["needs_function"] else None,
    )


FORMS: dict[str, Form] = {
    "now": now,
    "in question": in_question,
    "listed": listed,
    "examples": examples,
    "enough": enough,
    "described": described,
    "two keys": two_keys,
}


# --- measuring -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outcome:
    case: ToolCase
    form: str
    chosen: str  # a tool's name; "": an answer; an error's code
    arguments: str = ""

    @property
    def is_right(self) -> bool:
        return self.chosen == self.case.right


class Chooser:
    def __init__(self, toiler: Toiler, personalities: Personalities) -> None:
        self._toiler = toiler
        self._personalities = personalities

    async def choose(self, case: ToolCase, form: str, *, writes: bool) -> Outcome:
        personality = self._personalities.get(PERSONALITY[case.language])
        sampling = Sampling(temperature=0, max_tokens=100)
        prompt = Prompt(personality.name, case.question, sampling=sampling, calls=case.calls)
        request = build_request(build_context(prompt, personality), cites=False)
        try:
            decision = FORMS[form](request, case.choice, case.language)
            value = await self._toil(decision.request, decision.schema, case.language)
            tool = decision.chosen(value)
            arguments = await self._write(case, request, tool) if tool and writes else ""
        except CspsError as exc:
            return Outcome(case, form, exc.code)
        return Outcome(case, form, tool.name if tool else "", arguments)

    async def _write(self, case: ToolCase, request: AnswerRequest, tool: Tool) -> str:
        if takes_none(tool):
            return "{}"
        asked = prompts.ask_for_arguments(request, tool, (), case.language)
        value = await self._toil(asked, arguments_schema(tool), case.language)
        return json.dumps(value, ensure_ascii=False)

    async def _toil(self, request: AnswerRequest, schema: dict[str, Json], language: Language) -> Json:
        task = Task("", request.draft.question, schema)
        async with aclosing(self._toiler.events(request, task, language)) as events:
            async for event in events:
                if isinstance(event, ToilResult):
                    return event.value
        raise AssertionError("toil ends with ToilResult or an exception")


async def measure(model: Path | None, cases: Sequence[ToolCase], options: argparse.Namespace) -> list[Outcome]:
    async with open_engines(model, options) as engines:
        chooser = Chooser(engines.toiler(), engines.personalities)
        limit = asyncio.Semaphore(options.at_once)

        async def choose(case: ToolCase, form: str) -> Outcome:
            async with limit:
                outcome = await chooser.choose(case, form, writes=options.arguments)
            print(".", end="", flush=True, file=sys.stderr)
            return outcome

        forms = options.forms.split(",") if options.forms else list(FORMS)
        outcomes = await asyncio.gather(*(choose(case, form) for form in forms for case in cases))
    print(file=sys.stderr)
    return outcomes


def share(outcomes: Sequence[Outcome]) -> str:
    right = sum(each.is_right for each in outcomes)
    return f"{right}/{len(outcomes)}" if outcomes else "–"


def values_right(outcomes: Sequence[Outcome]) -> str:
    """The share of the named parts of values, over the right calls."""
    parts = [
        part.casefold() in each.arguments.casefold()
        for each in outcomes
        if each.is_right and each.arguments
        for part in each.case.arguments
    ]
    return f"{sum(parts)}/{len(parts)}" if parts else "–"


def show(title: str, outcomes: Sequence[Outcome]) -> None:
    table = Table("form", *KINDS, "en", "fr", "all", "values", title=title)
    for form in dict.fromkeys(each.form for each in outcomes):
        own = [each for each in outcomes if each.form == form]
        kinds = [share([each for each in own if each.case.kind == kind]) for kind in KINDS]
        languages = [share([each for each in own if each.case.language == language]) for language in ("en", "fr")]
        table.add_row(form, *kinds, *languages, share(own), values_right(own))
    Console(width=140).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="starter")
    parser.add_argument("--forms", default="")
    parser.add_argument("--languages", default="en,fr")
    parser.add_argument("--at-once", type=int, default=4)
    parser.add_argument("--arguments", action="store_true")
    parser.add_argument("--failures", action="store_true", help="also print the wrong decisions")
    parser.add_argument("--url", default="", help="an engine with OpenAI's API, instead of --models")
    parser.add_argument("--model", default="", help="the model's name at --url")
    options = parser.parse_args()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    cases = list(read_cases(options.languages.split(",")))
    for name in ["url"] if options.url else options.models.split(","):
        file = None if name == "url" else gemma_file() if name == "gemma" else find_model(settings.load()).path
        outcomes = asyncio.run(measure(file, cases, options))
        show(options.url or name, outcomes)
        for each in outcomes if options.failures else ():
            if not each.is_right:
                print(f"{each.form}: {each.case.kind}: {each.case.question} → {each.chosen or 'answer'}")


if __name__ == "__main__":
    main()
