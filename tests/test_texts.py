"""The catalogue of texts is complete: both languages, every key used, every used key present, correct French.

The checks are in tests/support/text_checks.py and tests/support/french.py. Tests here show that each can fail.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from core.texts import LANGUAGES
from core.texts.catalogue import SHIPPED
from tests.support.french import french_faults
from tests.support.text_checks import Uses, catalogue_faults, prose, python_uses, script_uses, usage_faults

ROOT = Path(__file__).parents[1]
SOURCES = {language: (SHIPPED / f"{language}.ftl").read_text(encoding="utf-8") for language in LANGUAGES}


def all_uses() -> Iterator[tuple[str, Uses]]:
    for package in ("core", "bindings", "web"):
        for file in sorted((ROOT / package).rglob("*.py")):
            yield str(file.relative_to(ROOT)), python_uses(file.read_text(encoding="utf-8"))
    pages = ROOT / "web" / "pages"
    for file in sorted(pages.rglob("*")):
        if file.suffix in (".js", ".html") and pages / "vendor" not in file.parents:
            yield str(file.relative_to(ROOT)), script_uses(file.read_text(encoding="utf-8"))
    for file in sorted((ROOT / "web" / "admin" / "templates").glob("*.html")):
        yield str(file.relative_to(ROOT)), script_uses(file.read_text(encoding="utf-8"))


def test_both_languages_have_the_same_keys_values_and_order() -> None:
    assert [] == catalogue_faults(SOURCES)


def test_every_key_is_used_and_every_used_key_exists() -> None:
    assert [] == usage_faults(SOURCES["en"], all_uses())


def test_french_is_written_by_its_rules() -> None:
    faults = [f"{key}: {fault}" for key, passage in prose(SOURCES["fr"]) for fault in french_faults(passage)]

    assert [] == faults


def test_french_in_the_configuration_follows_the_rules() -> None:
    """The rules apply to titles and descriptions of sources and personalities, and to French personalities."""
    files = [*(ROOT / "config").glob("*.toml"), *(ROOT / "config" / "personalities").glob("*.toml")]
    texts = [each for file in files for each in french_texts(tomllib.loads(file.read_text(encoding="utf-8")))]

    assert len(texts) > 20
    assert [] == [fault for each in texts for fault in french_faults(each)]


def french_texts(table: Mapping[str, Any]) -> Iterator[str]:
    """The texts under a key `fr`, and the greeting, system prompt and suggestions of French personalities."""
    keys = ("fr", "greeting", "system") if table.get("language") == "fr" else ("fr",)
    for key, value in table.items():
        if isinstance(value, dict):
            yield from french_texts(value)
        elif isinstance(value, str) and key in keys:
            yield value
        elif key == "suggestions" and table.get("language") == "fr":
            yield from value


# ---------------------------------------------------------------- each check can fail


@pytest.mark.parametrize(
    ("english", "french", "fault"),
    [
        ("bot-a = A\nbot-b = B", "bot-a = A", "bot-b: in one language only"),
        ("bot-a = { $x }", "bot-a = A", "bot-a: values in one language only: ['x']"),
        ("bot-a = A", "bot-a = { SIZE($y) }", "bot-a: values in one language only: ['y']"),
        ("bot-a = A\nbot-b = B", "bot-b = B\nbot-a = A", "the order differs from bot-a"),
        ("bot-a = A\nbot-a = B", "bot-a = A", "en: bot-a: twice"),
        ("bot-a = { $x", "bot-a = A", "en: not valid Fluent: 'bot-a = { $x'"),
        ("greeting = A", "greeting = A", "en: greeting: not of the form area-thing"),
        ("bot-a = { bot-b }\nbot-b = B", "bot-a = A\nbot-b = B", "bot-a: has attributes, or refers to another message"),
        ("bot-a =\n    .b = B", "bot-a = A", "bot-a: has attributes, or refers to another message"),
        ("bot-a = { SPELL(1) }", "bot-a = A", "bot-a: unknown functions ['SPELL']"),
    ],
)
def test_a_fault_between_the_files_is_found(english: str, french: str, fault: str) -> None:
    assert fault in catalogue_faults({"en": english, "fr": french})


IMPORT = "from core.texts import text\n"


@pytest.mark.parametrize(
    ("module", "fault"),
    [
        ("", "bot-a: unused"),
        (IMPORT + "text('bot-b', 'en', n=1)", "bot-a: unused"),
        (IMPORT + "text('bot-c', 'en')", "a.py: no text bot-c"),
        (IMPORT + "text(f'cli-{x}', 'en')", "a.py: no text cli\\-[a-z0-9_]+"),
        (IMPORT + "text('bot-b', 'en')", "a.py: bot-b takes the values ['n'], not []"),
        (IMPORT + "text('bot-a', 'en', n=1)", "a.py: bot-a takes the values [], not ['n']"),
        (IMPORT + "text(f'bot-{x}', 'en')", "bot-a-long: unused"),
    ],
)
def test_a_wrong_use_in_python_is_found(module: str, fault: str) -> None:
    source = "bot-a = A\nbot-b = { $n }\nbot-a-long = A"

    assert fault in usage_faults(source, [("a.py", python_uses(module))])


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        ("text('page-b')", "a.js: no text page-b"),
        ("text(`page-b-${x}`)", "a.js: no text page\\-b\\-[a-z0-9_]+"),
        ("", "page-a: unused"),
    ],
)
def test_a_wrong_use_in_the_page_is_found(script: str, fault: str) -> None:
    assert fault in usage_faults("page-a = A", [("a.js", script_uses(script))])


def test_correct_uses_have_no_faults() -> None:
    """Correct are keys in a table, built keys, values by `**`, and terms."""
    source = "-term = T\nbot-a = { -term }\nbot-b = { $n }\nbot-c-busy = C\npage-a = A\npage-b-busy = B"
    module = (
        IMPORT + "TABLE = {1: 'bot-a'}\ntext('bot-b', 'en', n=1)\ntext('bot-b', 'en', **x)\ntext(f'bot-c-{x}', 'en')"
    )
    script = "text('page-a'); text(`page-b-${x.y}`)"

    assert [] == usage_faults(source, [("a.py", python_uses(module)), ("a.js", script_uses(script))])


@pytest.mark.parametrize(
    "text",
    [
        "Voici: rien",
        "Voici : rien",
        "Voici :",
        "« mot »",
        "«mot»",
        "« mot\u00a0»",
        "12 %",
        "{value}%",
        "12 $",
        "{value} Mo",
        "5 s",
        "Vraiment ?",
        "Vraiment\u00a0?",
        "Attention !",
        "un ; deux",
        "l'eau",
        "Un “mot”",
        "2.5 fois",
        "Attendez...",
        "Si tu veux",
        "ton fichier",
        "Je t’écoute",
        "Dis brièvement",
        "Écrivez un e-mail",
        "Ce robot",
    ],
)
def test_a_fault_in_french_is_found(text: str) -> None:
    assert french_faults(text)


@pytest.mark.parametrize(
    "text",
    [
        "Voici\u00a0: «\u00a0mot\u00a0», 12\u00a0%, {value}\u00a0Mo, 2,5\u00a0s. Vraiment? Un; deux! L’eau…",
        "Ouvrez https://exemple.ca:80 à 12:30, ou tapez `--x: 'y' ; tu`.",
        "Je lis vos fichiers, je vous réponds et j’écris. Vous êtes attendus; la version 1.2.3.",
        "son fichier robots.txt",
    ],
)
def test_good_french_has_no_faults(text: str) -> None:
    assert [] == french_faults(text)
