"""Settings as variables: the same settings again when they are read, and secrets apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.configuration.settings import SHIPPED, load, variable_of, variables
from core.deployment.exported_settings import SET_BY_PLATFORM, export_settings
from core.deployment.secret_values import FILL_IN, secret_values
from tests.core.deployment.support_plans import PLANTED, POSTGRESQL, WHOLE, own_folder, plan_of

# Variables whose example alone is refused, or that decide about another one.
VALID = {"DATABASE_URL": POSTGRESQL, "CSPS_LLM_DATA": "/srv/csps-llm"}


def examples() -> dict[str, str]:
    """Each setting with the example of the reference."""
    return {
        variable_of(field): VALID.get(variable_of(field), str((field.examples or [""])[0]))
        for _, _, field in variables()
        if variable_of(field) not in SET_BY_PLATFORM
    }


def test_exported_variables_give_the_same_settings_again() -> None:
    """Each setting is set to the example of the reference."""
    settings = load(examples())

    exported = export_settings(settings, load({}, SHIPPED), {})

    again = load({**exported.public, **exported.secrets})
    for section, key, field in variables():
        expected = getattr(getattr(settings, section), key)
        assert expected == getattr(getattr(again, section), key), variable_of(field)


def test_settings_that_are_the_default_are_not_exported() -> None:
    """An upgrade may then change a default."""
    exported = export_settings(load({"LLM_SLOTS": "16", "PORT": "5001"}), load({}, SHIPPED), {})

    assert {"PORT": "5001"} == dict(exported.public)
    assert {} == dict(exported.secrets)


def test_an_address_with_a_password_is_a_secret() -> None:
    """Whichever variable it is in, also one that is no setting of ours."""
    address = f"https://user:{PLANTED}@gpu.example.gc.ca/v1"
    environ = {"LLM_URL": address, "HTTPS_PROXY": f"http://me:{PLANTED}@proxy:3128", "NO_PROXY": "localhost"}

    exported = export_settings(load(environ), load({}, SHIPPED), environ)

    assert {"NO_PROXY": "localhost"} == dict(exported.public)
    assert {"LLM_URL", "HTTPS_PROXY"} == set(exported.secrets)


def test_keys_of_engines_are_secrets(tmp_path: Path) -> None:
    """The catalogue names the variables of its engines' keys."""
    (tmp_path / "models.toml").write_text(
        '[large]\ntitle = "Large"\nengines = [{ url = "https://gpu1.example.gc.ca/v1", key_env = "GPU1_KEY" }]\n',
        encoding="utf-8",
    )

    plan = plan_of({"CSPS_LLM_CONFIG": str(tmp_path), "GPU1_KEY": PLANTED})

    assert PLANTED == plan.environment.secrets["GPU1_KEY"]


def test_the_own_settings_file_is_exported_as_variables_alone(tmp_path: Path) -> None:
    """It may hold secrets; the other files of the folder are exported as they are."""
    plan = plan_of({"CSPS_LLM_CONFIG": str(own_folder(tmp_path / "own"))})

    assert ["icons/color.png", "personalities/guide.toml"] == list(plan.files)
    assert "http://gpu/v1" == plan.environment.public["LLM_URL"]
    assert PLANTED == plan.environment.secrets["LLM_API_KEY"]


def test_secrets_are_placeholders_until_they_are_asked_for() -> None:
    """The placeholder of the database shows how its URL is written."""
    plan = plan_of(WHOLE)

    hidden, shown = secret_values(plan, with_values=False), secret_values(plan, with_values=True)

    assert set(hidden) == set(shown)
    assert {FILL_IN, "postgresql+psycopg://USER:PASSWORD@HOST/NAME"} == set(hidden.values())
    assert POSTGRESQL == shown["DATABASE_URL"]


@pytest.mark.parametrize("variable", ["SLACK_BOT_TOKEN", "TEAMS_APP_PASSWORD", "LLM_API_KEY", "DATABASE_URL"])
def test_no_secret_is_among_the_public_variables(variable: str) -> None:
    """Public variables reach files that others read."""
    plan = plan_of(WHOLE)

    assert variable not in plan.environment.public
    assert PLANTED not in str(plan.environment.public)
