"""The papers state what the configuration says, in both languages."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from core.configuration import settings as settings_module
from core.configuration.settings import SHIPPED, Settings
from core.contract import LANGUAGES, Language
from core.errors import ConfigError
from core.papers.rendering import FOLDER, PAPERS, Paper, render_paper, write_papers
from core.papers.service_facts import ModelFacts, ServiceFacts, gather_facts

TODAY = date(2026, 7, 1)
LOCAL: dict[str, str] = {}
REMOTE = {
    "LLM_URL": "https://engine.example/v1",
    "LLM_MODEL": "large",
    "SESSION_KEEP_DAYS": "7",
    "WEB_USER_HEADER": "X-Forwarded-User",
    "DATABASE_URL": "postgresql+psycopg://user:secret@database.example/csps",
    "SLACK_BOT_TOKEN": "xoxb-secret",
    "SLACK_APP_TOKEN": "xapp-secret",
}
MODELS = (ModelFacts("SmolLM2", "Apache-2.0", ("en",)),)


def gather(environ: dict[str, str], language: Language) -> tuple[Settings, ServiceFacts]:
    settings = settings_module.load(environ)
    return settings, gather_facts(settings, MODELS, language, TODAY)


def render(environ: dict[str, str], language: Language, paper: Paper) -> str:
    return render_paper(*gather(environ, language), paper)


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("environ", [LOCAL, REMOTE])
def test_a_paper_has_the_same_parts_in_both_languages(paper: Paper, environ: dict[str, str]) -> None:
    """Headings, items and rows of tables correspond; no placeholder and no secret is left."""
    shapes = []
    for language in LANGUAGES:
        content = render(environ, language, paper)
        assert not re.search(r"\{[{%]|secret|None|Undefined", content)
        assert "\n\n\n\n" not in content
        shapes.append(re.findall(r"^(#+|-|\||\d\.) ", content, re.MULTILINE))
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_facts_of_a_local_service(language: Language) -> None:
    """Retention, models, assistants and sources are those of the configuration."""
    card, notice = (render(LOCAL, language, paper) for paper in ("system-card", "privacy"))
    _, facts = gather(LOCAL, language)

    assert {"en", "fr"} == set(facts.languages)
    for one in facts.assistants:
        assert f"| {one.title} |" in card
        assert one.description in card
    for source in facts.sources:
        assert all(host in card for host in source.hosts)
    assert "| SmolLM2 | Apache-2.0 | en |" in card
    assert re.search(r"\b30.(days|jours)\b", notice)
    assert not any(name in card + notice for name in ("Slack", "Discord", "Teams"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_facts_of_a_service_with_an_engine_elsewhere(language: Language) -> None:
    """The notice says where questions go, who is signed in, and which platforms take part."""
    notice, guide = (render(REMOTE, language, paper) for paper in ("privacy", "operators-guide"))
    assert "engine.example" in notice
    assert "Slack" in notice
    assert re.search(r"\b7.(days|jours)\b", notice)
    assert ("cookie" in notice or "témoin" in notice) is False
    assert "PostgreSQL" in guide
    assert "database.example" not in notice + guide


@pytest.mark.parametrize("paper", PAPERS)
def test_french_is_written_by_its_rules(paper: Paper) -> None:
    """A no-break space goes before a colon and inside quotation marks; apostrophes are curly."""
    content = re.sub(r"`[^`]*`|https?://\S+", "", render(REMOTE, "fr", paper))
    assert [] == re.findall(r".{9} :(?=\s|$)|« |(?<!\u00a0)»|\w'\w", content, re.MULTILINE)


def test_an_operators_own_template_replaces_the_shipped_one(tmp_path: Path) -> None:
    """The other papers stay as they are."""
    own = tmp_path / FOLDER / "en" / "privacy.md"
    own.parent.mkdir(parents=True)
    own.write_text("Ours, kept {{ facts.keep_days }} days\n", encoding="utf-8")
    settings = settings_module.load({"CSPS_LLM_CONFIG": str(tmp_path)})
    facts = gather_facts(settings, MODELS, "en", TODAY)
    assert render_paper(settings, facts, "privacy") == "Ours, kept 30 days\n"
    assert "# Accessibility statement" in render_paper(settings, facts, "accessibility")


@pytest.mark.parametrize("template", ["{{ facts.nothing }}", "{% if %}", "{{ facts.__class__.__mro__ }}"])
def test_a_wrong_template_is_named(tmp_path: Path, template: str) -> None:
    """The error has the file. A template reaches nothing but the facts."""
    own = tmp_path / FOLDER / "en" / "privacy.md"
    own.parent.mkdir(parents=True)
    own.write_text(template, encoding="utf-8")
    settings = settings_module.load({"CSPS_LLM_CONFIG": str(tmp_path)})
    with pytest.raises(ConfigError, match=r"privacy\.md"):
        render_paper(settings, gather_facts(settings, MODELS, "en", TODAY), "privacy")


def test_all_papers_are_written(tmp_path: Path) -> None:
    """One file for each paper and language; there is a template for each."""
    settings = settings_module.load({})
    facts = {each: gather_facts(settings, (), each, TODAY) for each in LANGUAGES}
    files = write_papers(settings, facts, tmp_path / "papers")
    assert len(files) == len(PAPERS) * len(LANGUAGES) == len(list((SHIPPED / FOLDER).glob("*/*.md")))
    assert all(file.read_text(encoding="utf-8").startswith("# ") for file in files)
