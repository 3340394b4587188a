"""Finding a text, filling it in, and an operator's own texts."""

from __future__ import annotations

import datetime
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from core import PROJECT_ROOT
from core.errors import ConfigError
from core.texts import overlay, text
from core.texts.catalogue import SHIPPED, TextCatalogue

SOURCE = """\
## A section

-product = Whisper

# A comment.
plain = Ask { -product }.
two-lines =
    First line
    second line

    After a gap
files = { $count ->
    [one] { $count } file: { $names }
   *[other] { $count } files: { $names }
}
rate = { NUMBER($rate, maximumFractionDigits: 1) } a second
values = { SIZE($size) }, { DURATION($seconds) }, { DURATION($seconds, style: "short") }, { DATE($day) }
"""


@pytest.fixture
def own_folder(tmp_path: Path) -> Iterator[Path]:
    """An operator's configuration folder with `locale/`; the shipped texts are back afterwards."""
    (tmp_path / "locale").mkdir()
    yield tmp_path
    overlay(SHIPPED.parent)


def test_a_text_has_its_terms_lines_and_plurals() -> None:
    catalogue = TextCatalogue("en", SOURCE)

    assert "Ask Whisper." == catalogue.text("plain")
    assert "First line\nsecond line\n\nAfter a gap" == catalogue.text("two-lines")
    assert "1 file: a" == catalogue.text("files", count=1, names="a")
    assert "1,200 files: a, b" == catalogue.text("files", count=1200, names="a, b")


def test_values_are_written_by_language() -> None:
    """French has its comma, and U+00A0 between a number and its unit. No value is wrapped in invisible signs."""
    catalogue = TextCatalogue("fr", SOURCE)

    assert "2,3 a second" == catalogue.text("rate", rate=2.34)
    assert "1,5\u00a0Mo, 1\u00a0heure et 2\u00a0minutes, 1\u00a0h et 2\u00a0min, 1er juillet 2026" == catalogue.text(
        "values", size=1_500_000, seconds=3700, day=datetime.date(2026, 7, 1)
    )


def test_an_unknown_key_and_a_missing_value_are_errors() -> None:
    """A text that is not there or has a gap must not reach anybody."""
    catalogue = TextCatalogue("en", SOURCE)

    with pytest.raises(KeyError, match="nothing"):
        catalogue.text("nothing")
    with pytest.raises(ValueError, match=r"text files: .*names"):
        catalogue.text("files", count=1)


def test_a_value_of_any_length_is_filled_in() -> None:
    """fluent.runtime alone refuses strings of more than 2,500 characters."""
    assert "1 file: " + "x" * 5000 == TextCatalogue("en", SOURCE).text("files", count=1, names="x" * 5000)


def test_a_folder_replaces_single_texts(own_folder: Path) -> None:
    """The others stay as shipped."""
    before = text("error-internal", "fr")
    (own_folder / "locale" / "fr.ftl").write_text("error-overloaded = Un instant, svp.\n", encoding="utf-8")

    overlay(own_folder)

    assert ["Un instant, svp.", before] == [text("error-overloaded", "fr"), text("error-internal", "fr")]
    assert "Many people" in text("error-overloaded", "en")


@pytest.mark.parametrize("own", ["{ DATE($seconds) }", "{ DURATION() }", '{ NUMBER($seconds, style: "currency") }'])
def test_an_own_text_that_cannot_take_its_value_is_replaced_by_the_shipped_one(own_folder: Path, own: str) -> None:
    """No check at start knows the types of values, and an answer must not fail for it."""
    shipped = text("error-retry-after", "en", seconds=5)
    (own_folder / "locale" / "en.ftl").write_text(f"error-retry-after = {own}\n", encoding="utf-8")
    overlay(own_folder)

    with capture_logs() as logs:
        assert shipped == text("error-retry-after", "en", seconds=5)

    assert [("own_text_failed", "error-retry-after")] == [(entry["event"], entry["key"]) for entry in logs]
    with pytest.raises(ValueError, match="seconds"):
        text("error-retry-after", "en")


def test_a_folder_without_texts_changes_nothing(tmp_path: Path) -> None:
    before = text("error-overloaded", "en")

    overlay(tmp_path)

    assert before == text("error-overloaded", "en")


@pytest.mark.parametrize(
    ("own", "problem"),
    [
        (
            "# mine\n\nerror-overloded = Hm.",
            "en.ftl:3: `error-overloded` is not a text; did you mean `error-overloaded`?",
        ),
        ("error-internal = Hm.\nerror-overloaded = Hm { $x", 'en.ftl:2: Expected token: "}"'),
        ("error-overloaded = Hm { $x }.", "en.ftl:1: `error-overloaded` has no value $x"),
        ("error-overloaded = { SPELL($x) }", "`error-overloaded` has no value $x"),
        ("error-overloaded = { SPELL(1) }", "`error-overloaded`: there is no function SPELL"),
        ("error-overloaded = Hm { -thing }.", "refers to a text that it cannot use: -thing"),
        ("error-overloaded = Hm { error-internal }.", "refers to a text that it cannot use: error-internal"),
        ("-formats = Hm { -formats }.", "refers to a text that it cannot use: -formats"),
        ("error-overloaded =\n    .title = Hm", "`error-overloaded` needs a text and takes no attributes"),
    ],
)
def test_a_mistake_in_own_texts_names_the_file_and_line(own_folder: Path, own: str, problem: str) -> None:
    """It is found at start. The texts in use stay unchanged."""
    (own_folder / "locale" / "en.ftl").write_text(own, encoding="utf-8")

    with pytest.raises(ConfigError) as raised:
        overlay(own_folder)

    assert problem in raised.value.message
    assert "Many people" in text("error-overloaded", "en")


def test_a_file_of_another_language_is_refused(own_folder: Path) -> None:
    """A misspelt name would otherwise have no effect."""
    (own_folder / "locale" / "french.ftl").write_text("", encoding="utf-8")

    with pytest.raises(ConfigError, match=r"french\.ftl: the files of texts are en\.ftl and fr\.ftl"):
        overlay(own_folder)


def test_own_texts_are_expected_in_utf_8(own_folder: Path) -> None:
    (own_folder / "locale" / "fr.ftl").write_bytes("error-internal = Désolé".encode("latin-1"))

    with pytest.raises(ConfigError, match=r"fr\.ftl: expected text in UTF-8"):
        overlay(own_folder)


@pytest.mark.parametrize(
    "command",
    [
        "from core.cli import main; import sys; sys.argv = ['csps-llm', 'personalities', 'list']; main()",
        "from core.runtime import process; import sys; sys.exit(process.main('web', lambda settings: None))",
    ],
)
def test_a_mistake_in_own_texts_stops_the_start(own_folder: Path, command: str) -> None:
    """Exit code 2 means that the operator has to change something; stderr names the file and line."""
    (own_folder / "locale" / "fr.ftl").write_text("error-nothing = Rien.\n", encoding="utf-8")
    environ = {**os.environ, "CSPS_LLM_CONFIG": str(own_folder)}

    ended = subprocess.run(
        [sys.executable, "-c", command], env=environ, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False
    )

    assert f"{own_folder / 'locale' / 'fr.ftl'}:1: `error-nothing` is not a text" in ended.stderr
    assert 2 == ended.returncode
