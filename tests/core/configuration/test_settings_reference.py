"""docs/operating.md explains every setting, and what it says is generated from the fields."""

from __future__ import annotations

import pytest

from core.configuration.settings import Settings, variable_of, variables
from core.configuration.settings_reference import BEGIN, PAGE, with_reference

SETTINGS = {variable_of(field): (section, key, field) for section, key, field in variables()}


def test_the_page_is_up_to_date() -> None:
    """If this fails, run `make docs`."""
    page = PAGE.read_text(encoding="utf-8")

    assert page == with_reference(page)


@pytest.mark.parametrize("variable", SETTINGS)
def test_each_setting_has_a_heading_a_sentence_and_an_example(variable: str) -> None:
    """The heading is the variable, so that a search for it finds the explanation."""
    _, _, field = SETTINGS[variable]

    assert f"\n#### `{variable}`\n" in PAGE.read_text(encoding="utf-8")
    assert field.description, f"{variable} has no description"
    assert field.description.endswith("."), f"{variable}: the description is no sentence"
    assert field.examples, f"{variable} has no example"


def test_each_section_says_what_it_is_about() -> None:
    """Its docstring is the sentence below its heading."""
    for section in {section for section, _, _ in variables()}:
        annotation = Settings.model_fields[section].annotation
        assert annotation is not None
        assert annotation.__doc__, f"section {section} has no docstring"


def test_a_page_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks"):
        with_reference("# Operating")
    with pytest.raises(ValueError, match="lacks"):
        with_reference(BEGIN)
