"""docs/clients.md says what the programs do, and which versions are locked. Needs no client."""

from __future__ import annotations

import json
import re

import pytest

from core import PROJECT_ROOT
from tests.clients.support_judging import JUDGES
from tests.clients.support_programs import ALL, HERE, PROGRAMS, Program

PAGE = (PROJECT_ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
COLUMNS = ("chat", "stream", "structured output", "tools", "embeddings", "Responses")
CODE = re.compile(r"^```(?:python|js|yaml)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def locked_version(program: Program) -> str:
    if program.in_javascript:
        packages = json.loads((HERE / "package-lock.json").read_text(encoding="utf-8"))["packages"]
        return str(packages[f"node_modules/{program.package}"]["version"])
    lock = (HERE / "requirements.lock").read_text(encoding="utf-8")
    found = re.search(rf"^{re.escape(program.package)}==(\S+)", lock, re.MULTILINE)
    assert found, f"{program.package} is not locked"
    return found[1]


def table_row(program: Program) -> str:
    marks = ["✓" if program.columns.get(column) else "" for column in COLUMNS]
    client = f"[{program.client}](../tests/clients/programs/{program.file})"
    return re.sub(" +", " ", f"| {' | '.join([client, locked_version(program), *marks])} |")


@pytest.mark.parametrize("program", ALL, ids=lambda program: program.file)
def test_the_table_has_each_client(program: Program) -> None:
    """The row names the locked version, and has a mark for each column that the program tests."""
    assert table_row(program) in PAGE.splitlines()
    assert set(program.columns) <= set(COLUMNS)


def test_the_table_has_nothing_else() -> None:
    """Each program is in the table once, and each file that runs a client is a program."""
    assert len(ALL) == PAGE.count("](../tests/clients/programs/")
    shared = {"abilities.py", "abilities.mjs", "tickets.py", "tickets.mjs"}
    files = {file.name for file in PROGRAMS.iterdir() if file.is_file()}
    assert {program.file for program in ALL} == files - shared


def test_the_lines_are_from_the_programs() -> None:
    """Every line of code for Python, JavaScript and YAML stands in a program that the tests run."""
    lines = {line.strip() for program in ALL for line in (PROGRAMS / program.file).read_text("utf-8").splitlines()}
    shown = [line.strip() for block in CODE.findall(PAGE) for line in block.splitlines()]
    assert len(shown) > 20
    assert [] == [line for line in shown if line not in lines]


def test_every_ability_has_a_judge() -> None:
    """No ability is only printed, and no judge is without an ability."""
    assert set(JUDGES) == {ability for program in ALL for ability in program.abilities}


@pytest.mark.parametrize("lock", ["requirements.lock", "package-lock.json"])
def test_the_locks_name_no_registry(lock: str) -> None:
    """They pin by hash, and leave the place of the packages to the machine's settings."""
    text = (HERE / lock).read_text(encoding="utf-8")
    assert "--index-url" not in text
    assert '"resolved"' not in text
    assert "sha256:" in text or '"integrity"' in text
