"""The lock files: each pin has a hash, and both locks agree with pyproject.toml."""

from __future__ import annotations

import re
import tomllib

import pytest

from core import PROJECT_ROOT
from core.install.venv import allowed_hashes, only_distribution, split_pins, without_distribution
from tests.core.install.support_checkout import PINS

LOCKS = ["requirements.lock", "requirements-dev.lock"]


def read(name: str) -> str:
    return (PROJECT_ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_a_hash_and_no_registry_is_named(name: str) -> None:
    """Hashes decide what is installed, not the registry."""
    text = read(name)
    assert [distribution for distribution, pin in split_pins(text) if not allowed_hashes(pin)] == []
    assert re.findall(r"https?://|--(?:extra-)?index-url|--find-links", text) == []


def test_tests_use_the_runtime_versions() -> None:
    """Each runtime version is in the development lock, perhaps on more platforms."""
    wanted, there = (
        {re.match(r"\S+", pin)[0] for _, pin in split_pins(read(name))}  # type: ignore[index]
        for name in ("requirements.lock", "requirements-dev.lock")
    )
    assert set() == wanted - there


def test_the_lock_has_every_dependency_of_pyproject() -> None:
    """A dependency that was added without `make lock` would be missing after `make install`."""
    project = tomllib.loads(read("pyproject.toml"))["project"]
    required = [*project["dependencies"], *project["optional-dependencies"]["build"]]
    names = {re.split(r"[^A-Za-z0-9._-]", each, maxsplit=1)[0] for each in required}
    assert set() == names - {name for name, _ in split_pins(read("requirements.lock"))}


def test_a_pin_that_differs_by_python_version_is_kept_twice() -> None:
    """Both pins of numpy stay when the engine's pin is removed."""
    text = 'numpy==2.4 ; python_version < "3.12" \\\n    --hash=sha256:1\n    # via x\n'
    text += 'numpy==2.5 ; python_version >= "3.12" \\\n    --hash=sha256:2\n'
    assert text == without_distribution(text + PINS, "llama-cpp-python")
    assert only_distribution(text + PINS, "llama-cpp-python") == PINS


def test_every_package_of_the_tree_is_installed() -> None:
    """A package that pyproject does not list would be missing from a build."""
    listed = tomllib.loads(read("pyproject.toml"))["tool"]["setuptools"]["packages"]
    inits = [init for top in ("core", "web", "bindings") for init in (PROJECT_ROOT / top).rglob("__init__.py")]
    assert sorted(listed) == sorted(".".join(init.parent.relative_to(PROJECT_ROOT).parts) for init in inits)
