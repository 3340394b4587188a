"""Measures how well a weak model chooses tools: whether one is needed, which one, and when to answer instead.

Each form of the decision gets the same questions of benchmarks/tool_choice.toml, with the shipped personality of each
language, at temperature 0. A case is right if the right tool is named, or none. The service uses "likeness" (of
question and tool, by the bundled encoder) for the starter, and "names" for other models.

    .venv/bin/python -m benchmarks.tool_choice [--models starter,gemma] [--forms likeness,names] [--languages en,fr]
        [--parts tuning,held-out] [--arguments] [--failures] [--url URL --model NAME]

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
from core.conversation.draft import AnswerRequest
from core.errors import CspsError
from core.rag.embeddings import LocalEmbedder
from core.toil.instructions import begin_with_instructions, end_with_instructions
from core.toil.toiler import Instruct, Toiler
from core.toil.tools import prompts
from core.toil.tools.choice import ToolChoice
from core.toil.tools.parameters import arguments_schema, takes_none
from core.toil.tools.similarity import ToolSimilarity

CASES = Path(__file__).with_suffix(".toml")
TUNING = "tuning"
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
    part: str

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
                case.get("part", TUNING),
            )


def read_tool(table: dict[str, Any], name: str, language: str) -> Tool:
    return Tool(name, table[language], json.loads(table["parameters"]))


# --- forms -----------------------------------------------------------------------------------------------------------


ANSWERS = {"en": "answer the person without a function", "fr": "répondre à la personne sans fonction"}


def names(request: AnswerRequest, choice: ToolChoice, language: Language) -> Decision:
    """The form of the service: the model names a tool, or none."""
    told = prompts.tell_tools(request, choice.toolbox.tools, language)
    return Decision(prompts.ask_for_choice(told, choice, language), choice.schema(), choice.chosen)


def listed(request: AnswerRequest, choice: ToolChoice, language: Language) -> Decision:
    """The list has an entry for the decision to answer."""
    decision = names(request, choice, language)
    draft = decision.request.draft
    entries = prompts.list_tools(choice.toolbox.tools)
    system = draft.system.replace(entries, f"- {choice.no_call}: {ANSWERS[language]}\n{entries}")
    return replace(decision, request=replace(decision.request, draft=replace(draft, system=system)))


def described(request: AnswerRequest, choice: ToolChoice, language: Language) -> Decision:
    """The model writes a description, which has more words than a name."""
    meanings = {ANSWERS[language]: None} | {
        prompts.one_line(each.description) or each.name: each for each in choice.tools
    }
    keyword: dict[str, Json] = {"enum": list(meanings)}
    schema: dict[str, Json] = {
        "type": "object",
        "properties": {"next_step": keyword},
        "required": ["next_step"],
        "additionalProperties": False,
    }

    def chosen(value: Json) -> Tool | None:
        return meanings[str(value["next_step"])] if isinstance(value, dict) else None

    return replace(listed(request, choice, language), schema=schema, chosen=chosen)


def two_keys(request: AnswerRequest, choice: ToolChoice, language: Language) -> Decision:
    """First whether a call is needed, then which."""
    decision = names(request, choice, language)
    properties = decision.schema["properties"]
    assert isinstance(properties, dict)
    schema: dict[str, Json] = {
        **decision.schema,
        "properties": {"needs_function": {"type": "boolean"}, **properties},
        "required": ["needs_function", *properties],
    }

    def chosen(value: Json) -> Tool | None:
        return choice.chosen(value) if isinstance(value, dict) and value["needs_function"] else None

    return replace(decision, schema=schema, chosen=chosen)


FORMS: dict[str, Form] = {"names": names, "listed": listed, "described": described, "two keys": two_keys}
LIKENESS = "likeness"  # no model chooses, as for the starter


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
        self._encoder = LocalEmbedder(1)
        self._similarity = ToolSimilarity(self._encoder)

    async def load_encoder(self) -> None:
        """A comparison has a deadline, in which the encoder might not load on a busy machine."""
        await self._encoder.embed(["loaded"])

    async def choose(self, case: ToolCase, form: str, *, writes: bool) -> Outcome:
        if form == LIKENESS:
            cosines = await self._similarity.compare(case.question, case.tools)
            assert cosines is not None
            likeliest = case.choice.likeliest(cosines)
            return Outcome(case, form, likeliest.name if likeliest else "")
        personality = self._personalities.get(PERSONALITY[case.language])
        sampling = Sampling(temperature=0, max_tokens=100)
        prompt = Prompt(personality.name, case.question, sampling=sampling, calls=case.calls)
        request = build_request(build_context(prompt, personality), prose=False)
        try:
            decision = FORMS[form](request, case.choice, case.language)
            value = await self._toil(decision.request, decision.schema, case.language, end_with_instructions)
            tool = decision.chosen(value)
            arguments = await self._write(case, request, tool) if tool and writes else ""
        except CspsError as exc:
            return Outcome(case, form, exc.code)
        return Outcome(case, form, tool.name if tool else "", arguments)

    async def _write(self, case: ToolCase, request: AnswerRequest, tool: Tool) -> str:
        if takes_none(tool):
            return "{}"
        request = prompts.tell_tools(request, case.tools, case.language)
        asked = prompts.ask_for_arguments(request, tool, (), case.language, is_listed=True)
        value = await self._toil(asked, arguments_schema(tool), case.language, begin_with_instructions)
        return json.dumps(value, ensure_ascii=False)

    async def _toil(
        self, request: AnswerRequest, schema: dict[str, Json], language: Language, instruct: Instruct
    ) -> Json:
        task = Task("", request.draft.question, schema)
        async with aclosing(self._toiler.events(request, task, language, instruct=instruct)) as events:
            async for event in events:
                if isinstance(event, ToilResult):
                    return event.value
        raise AssertionError("toil ends with ToilResult or an exception")


async def measure(model: Path | None, cases: Sequence[ToolCase], options: argparse.Namespace) -> list[Outcome]:
    async with open_engines(model, options) as engines:
        chooser = Chooser(engines.toiler(), engines.personalities)
        await chooser.load_encoder()
        limit = asyncio.Semaphore(options.at_once)

        async def choose(case: ToolCase, form: str) -> Outcome:
            async with limit:
                outcome = await chooser.choose(case, form, writes=options.arguments)
            print(".", end="", flush=True, file=sys.stderr)
            return outcome

        forms = options.forms.split(",") if options.forms else [LIKENESS, *FORMS]
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
    table = Table("form", "questions", *KINDS, "en", "fr", "all", "values", title=title)
    for form, part in dict.fromkeys((each.form, each.case.part) for each in outcomes):
        own = [each for each in outcomes if (each.form, each.case.part) == (form, part)]
        kinds = [share([each for each in own if each.case.kind == kind]) for kind in KINDS]
        languages = [share([each for each in own if each.case.language == language]) for language in ("en", "fr")]
        table.add_row(form, part, *kinds, *languages, share(own), values_right(own))
    Console(width=140).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="starter")
    parser.add_argument("--forms", default="")
    parser.add_argument("--languages", default="en,fr")
    parser.add_argument("--parts", default="tuning,held-out")
    parser.add_argument("--at-once", type=int, default=4)
    parser.add_argument("--arguments", action="store_true")
    parser.add_argument("--failures", action="store_true", help="also print the wrong decisions")
    parser.add_argument("--url", default="", help="an engine with OpenAI's API, instead of --models")
    parser.add_argument("--model", default="", help="the model's name at --url")
    options = parser.parse_args()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    cases = [case for case in read_cases(options.languages.split(",")) if case.part in options.parts.split(",")]
    for name in ["url"] if options.url else options.models.split(","):
        file = None if name == "url" else gemma_file() if name == "gemma" else find_model(settings.load()).path
        outcomes = asyncio.run(measure(file, cases, options))
        show(options.url or name, outcomes)
        for each in outcomes if options.failures else ():
            if not each.is_right:
                print(f"{each.form}: {each.case.kind}: {each.case.question} → {each.chosen or 'answer'}")


if __name__ == "__main__":
    main()
