"""`csps-llm explain`: the prompt of a question, without a model."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from core.cli.commands import app
from core.cli.explain import describe
from core.configuration.settings import Settings
from core.contract import Attachment, Omission, Prompt
from core.conversation.explanation import ExplainedDocument, ExplainedPassage, Explanation, TokenBudget
from core.errors import ConfigError
from core.openai.chat_protocol import Message
from core.rag.documents import Passage
from core.rag.retrieval import Considered, Lookup, PartlyRead
from core.rag.retrieved import RetrievedDocument
from tests.core.conversation.test_follow_ups import PARK, POOL, ListedFinder
from tests.core.support_chatting import chat_on, serving

WINDOW = 1024
OPERATING = Path(__file__).parents[3] / "docs" / "operating.md"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CSPS_LLM_DATA", str(tmp_path / "var"))
    monkeypatch.setenv("TIME_ZONE", "America/Toronto")


async def explained(settings: Settings, prompt: Prompt, *finders: Any) -> Explanation:
    async with chat_on(settings, finders=finders) as chat:
        return await chat.explain(prompt, WINDOW)


@pytest.mark.usefixtures("environment")
def test_the_command_shows_the_prompt_of_a_file(tmp_path: Path) -> None:
    """It works without a model; as JSON it holds the messages, the documents and the budget."""
    file = tmp_path / "pool.txt"
    file.write_text("The pool is green.", encoding="utf-8")
    result = CliRunner().invoke(app, ["explain", "Which colour?", "--file", str(file), "--json"])

    explanation = json.loads(result.stdout)
    assert [message["role"] for message in explanation["messages"]] == ["system", "user"]
    assert "The pool is green." in explanation["messages"][1]["content"]
    assert "(Eastern Time)" in explanation["messages"][1]["content"]
    assert [(each["number"], each["name"], each["whole"]) for each in explanation["documents"]] == [
        (1, "pool.txt", True)
    ]
    assert explanation["budget"]["counted"] is False
    assert explanation["budget"]["prompt"] > explanation["budget"]["system"] > 0


def test_the_manual_lists_the_keys_of_the_json() -> None:
    """It has a row for each key of the object, with the keys inside."""
    section = OPERATING.read_text(encoding="utf-8").partition("## Explain")[2].partition("\n## ")[0]
    inner = (Message, Considered, PartlyRead, Omission, ExplainedDocument, ExplainedPassage, TokenBudget)

    assert {field.name for field in fields(Explanation)} <= set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))
    assert all(f"`{{{', '.join(field.name for field in fields(each))}}}`" in section for each in inner)


@pytest.mark.usefixtures("environment")
def test_a_missing_file_is_an_error() -> None:
    """It names the file."""
    result = CliRunner().invoke(app, ["explain", "Which colour?", "--file", "/nowhere/pool.txt"])

    assert isinstance(result.exception, ConfigError)
    assert "/nowhere/pool.txt" in result.exception.message


async def test_it_tells_what_was_considered(own_settings: Settings) -> None:
    """Sources and facts come with their scores, also those that were not read."""
    considered = (
        Considered("source", "weather", 0.93, read=True),
        Considered("fact", "leave › Parental", 0.12, read=False),
    )

    class Finder(ListedFinder):
        async def find(self, *_question: Any) -> Lookup:
            return Lookup((POOL, PARK), ("Rink",), considered=considered)

    explanation = await explained(own_settings, Prompt("whisper", "Which colour is the pool?"), Finder())
    lines = "\n".join(describe(explanation, "en"))

    assert explanation.considered == considered
    assert "0.93  read  weather" in lines
    assert "0.12  not read  leave › Parental" in lines
    assert "Could not be read: Rink" in lines
    assert "[1] Pool <https://pool.example/>" in lines
    assert "=== system ===\nYou are Whisper" in lines


async def test_it_tells_which_passages_were_cut(own_settings: Settings) -> None:
    """Each passage has its score; those of a document that fits in whole have none."""
    passages = tuple(Passage(f"Lane {number} is green. " * 40, f"Lane {number}") for number in range(12))
    file = Attachment("a.txt", "\n\n".join(passage.text for passage in passages))
    explanation = await explained(own_settings, Prompt("whisper", "Which colour is lane 7?", attachments=(file,)))
    [document] = explanation.documents
    best = max(document.passages, key=lambda each: each.score or 0)

    assert best.beginning.startswith("Lane 7 ")
    assert best.shown
    assert 0 < sum(each.shown for each in document.passages) < 12
    assert explanation.budget.prompt <= WINDOW - explanation.budget.answer


async def test_a_running_model_counts_and_is_not_asked(own_settings: Settings) -> None:
    """The numbers are the model's own, and no answer is generated."""
    async with serving(own_settings) as model:
        explanation = await explained(own_settings, Prompt("chuchotte", "Bonjour"))

    assert model.requests == []
    assert explanation.budget.window != WINDOW
    assert "[–]" not in "\n".join(describe(explanation, "fr"))


async def test_a_document_without_a_shown_passage_has_no_number(own_settings: Settings) -> None:
    """It competed, and lost."""
    long = RetrievedDocument("Pool", tuple(Passage(f"Lane {number} is green. " * 40) for number in range(30)))
    explanation = await explained(own_settings, Prompt("whisper", "Which lane is green?"), ListedFinder((long, PARK)))

    assert [(each.number, each.name) for each in explanation.documents] == [(1, "Pool"), (0, "Park")]
