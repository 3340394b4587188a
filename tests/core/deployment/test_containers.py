"""Containers: the image's file and Compose's."""

from __future__ import annotations

import re
from typing import Any

import yaml

from core import PROJECT_ROOT
from core.deployment.compose import compose_files
from core.deployment.service_plan import DATA, HOME, PYTHON, USER_ID
from tests.core.deployment.support_plans import PLANTED, WHOLE, plan_of

CONTAINERFILE = (PROJECT_ROOT / "Containerfile").read_text(encoding="utf-8")
FINAL_STAGE = CONTAINERFILE.rpartition("\nFROM ")[2]


def services_of(environ: dict[str, str]) -> dict[str, Any]:
    text = compose_files(plan_of(environ), with_secrets=False, config="/etc/own")["compose.yaml"]
    services: dict[str, Any] = yaml.safe_load(text)["services"]
    return services


def test_each_container_is_confined() -> None:
    """Read-only root, no capabilities, no new privileges, bounded memory."""
    for service in services_of(WHOLE).values():
        assert service["read_only"] is True
        assert ["ALL"] == service["cap_drop"]
        assert ["no-new-privileges:true"] == service["security_opt"]
        assert {"mem_limit", "pids_limit", "stop_grace_period"} <= set(service)


def test_the_page_is_published_to_the_machine_alone() -> None:
    """A proxy with HTTPS stands before it; bots in Socket Mode publish nothing."""
    services = services_of({**WHOLE, "SLACK_APP_TOKEN": "xapp-1"})

    assert ["127.0.0.1:5000:5000"] == services["web"]["ports"]
    assert "ports" not in services["slack"]
    assert ["3978:3978"] == services["teams"]["ports"]


def test_each_server_is_checked() -> None:
    """By the port that it listens on."""
    services = services_of({**WHOLE, "PORT": "8123"})

    assert "http://127.0.0.1:8123/healthz" == services["web"]["healthcheck"]["test"][-1]
    assert PYTHON == services["web"]["healthcheck"]["test"][1]


def test_a_local_model_shares_its_socket_by_the_volume() -> None:
    """All containers have the data folder; the others start after the model."""
    services = services_of({})

    assert [f"data:{DATA}"] == services["web"]["volumes"] == services["model"]["volumes"]
    assert ["model"] == services["web"]["depends_on"]


def test_secrets_are_in_one_file_and_only_if_asked_for() -> None:
    """No other file has a planted value."""
    plan = plan_of(WHOLE)
    hidden = compose_files(plan, with_secrets=False, config="/etc/own")
    shown = compose_files(plan, with_secrets=True, config="/etc/own")

    assert PLANTED not in "".join(hidden.values())
    assert {"secrets.env"} == {name for name, text in shown.items() if PLANTED in text}


def test_the_image_runs_as_a_user_without_rights() -> None:
    """Kubernetes compares the number, and podman needs no root for it."""
    assert f"USER {USER_ID}:{USER_ID}" in FINAL_STAGE
    assert f"VOLUME {DATA}" in FINAL_STAGE
    assert "HEALTHCHECK" in FINAL_STAGE
    assert f'ENTRYPOINT ["{PYTHON}"]' in FINAL_STAGE


def test_the_final_stage_has_no_tool_that_builds() -> None:
    """Compilers stay in the first stage, and pip is removed from both."""
    assert "build-essential" not in FINAL_STAGE
    for tools in (FINAL_STAGE, CONTAINERFILE.partition("\nFROM ")[2]):
        assert re.search(r"pip uninstall --yes [^\n]*\bpip\b", tools)


def test_the_image_is_built_of_what_the_service_needs() -> None:
    """The folders of the checkout are listed one by one, so that no data and no secret gets into the image."""
    lines = (PROJECT_ROOT / ".containerignore").read_text(encoding="utf-8").split()

    assert "*" == lines[0]
    assert {"!core", "!web", "!bindings", "!config", "!Procfile", "!requirements.lock"} <= set(lines)
    assert f"WORKDIR {HOME}" in FINAL_STAGE
