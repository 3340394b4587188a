"""The import rules of docs/architecture.md, checked in the syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from core import PROJECT_ROOT

PLATFORM_SDKS = {"slack_bolt", "slack_sdk", "discord", "botbuilder", "botframework", "msrest"}
SDK_OF = {
    "slack": {"slack_bolt", "slack_sdk"},
    "discord": {"discord"},
    "teams": {"botbuilder", "botframework", "msrest"},
}
PLATFORMS = set(SDK_OF)
ONLY_IN = {"llama_cpp": "core.model.llama", "llguidance": "core.model.grammar"}
MODEL_FROM_ABOVE = {"core.model.client"}


def module_of(file: Path) -> str:
    parts = file.relative_to(PROJECT_ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def sources(package: str) -> list[Path]:
    return sorted((PROJECT_ROOT / package).rglob("*.py"))


def imports_of(source: str, module: str, *, is_package: bool = False) -> Iterator[str]:
    """Every module that is imported anywhere in it, also in functions; of `from x import y`, both x and x.y."""
    package = module if is_package else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and isinstance(node.args[0] if node.args else None, ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("import_module", "__import__"):
                yield str(node.args[0].value)  # type: ignore[attr-defined]


def within(imported: str, package: str) -> bool:
    return imported == package or imported.startswith(f"{package}.")


def refused(module: str, imported: str) -> bool:
    """The rules. `imported` may also be a name inside a module; that does not matter to them."""
    top, to = module.split(".")[0], imported.split(".")[0]
    if to in ONLY_IN:
        return not within(module, ONLY_IN[to])
    if top == "core":
        return to in {"web", "bindings"} | PLATFORM_SDKS or (
            above_the_model(module) and within(imported, "core.model") and not speaks_to_the_model(imported)
        )
    if top == "web":
        return to == "bindings" or to in PLATFORM_SDKS or within(imported, "core.model")
    if top == "bindings":
        platform = module.split(".")[1] if "." in module else ""
        other_sdk = to in PLATFORM_SDKS - SDK_OF.get(platform, set())
        # What the platforms share knows none of them, and none of them knows another.
        other_binding = any(within(imported, f"bindings.{other}") for other in PLATFORMS - {platform})
        return to == "web" or other_sdk or other_binding
    return False


def above_the_model(module: str) -> bool:
    # What operates the service (its commands, its installation) prepares model files, but does not ask a model.
    return not any(within(module, each) for each in ("core.model", "core.cli", "core.install"))


def speaks_to_the_model(imported: str) -> bool:
    return imported == "core.model" or any(within(imported, each) for each in MODEL_FROM_ABOVE)


def all_imports() -> dict[str, set[str]]:
    """Each module of ours, and the modules of ours that it imports."""
    files = {module_of(file): file for package in ("core", "web", "bindings") for file in sources(package)}
    return {
        module: {
            imported
            for imported in imports_of(file.read_text(encoding="utf-8"), module, is_package=file.name == "__init__.py")
            if imported in files and imported != module
        }
        for module, file in files.items()
    }


def part_of(module: str, folder: str) -> str | None:
    """The file or subfolder directly in `folder` that contains `module`."""
    return module.removeprefix(f"{folder}.").split(".")[0] if module.startswith(f"{folder}.") else None


def circle_in(folder: str, imports: dict[str, set[str]]) -> list[str]:
    """The parts of `folder` that import each other in a circle; empty if there is none."""
    graph: dict[str, set[str]] = {}
    for module, targets in imports.items():
        if part := part_of(module, folder):
            found = {other for target in targets if (other := part_of(target, folder)) and other != part}
            graph.setdefault(part, set()).update(found)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as exc:
        return list(exc.args[1])
    return []


def folders(modules: Iterable[str]) -> set[str]:
    return {module.rpartition(".")[0] for module in modules} - {""}


def test_no_folder_contains_an_import_circle() -> None:
    """In every folder, its files and subfolders can be put in an order in which each imports only earlier ones."""
    imports = all_imports()

    assert {folder: circle for folder in sorted(folders(imports)) if (circle := circle_in(folder, imports))} == {}


@pytest.mark.parametrize(
    "imports",
    [
        {"core.a": {"core.b"}, "core.b": {"core.a"}},
        {"core.rag.x": {"core.model.y"}, "core.model.z": {"core.rag.w"}},
        {"core.a": {"core.rag.x"}, "core.rag.y": {"core.a"}},
    ],
)
def test_circles_are_found(imports: dict[str, set[str]]) -> None:
    """Between two files, between two folders through different files, and between a file and a folder."""
    assert circle_in("core", imports)
    assert not circle_in("core", {"core.a": {"core.b", "core.rag.x"}, "core.rag.x": {"core.b"}, "core.rag.y": set()})


@pytest.mark.parametrize("package", ["core", "web", "bindings"])
def test_nobody_imports_across_the_lines(package: str) -> None:
    """Each import of each file is one that the architecture allows."""
    crossings = [
        f"{file.relative_to(PROJECT_ROOT)} imports {imported}"
        for file in sources(package)
        for imported in imports_of(
            file.read_text(encoding="utf-8"), module_of(file), is_package=file.name == "__init__.py"
        )
        if refused(module_of(file), imported)
    ]

    assert crossings == []


def test_the_contract_needs_only_the_standard_library() -> None:
    """So that anything can speak it."""
    source = (PROJECT_ROOT / "core" / "contract.py").read_text(encoding="utf-8")

    assert {name.split(".")[0] for name in imports_of(source, "core.contract")} <= {
        "__future__",
        "collections",
        "dataclasses",
        "datetime",
        "typing",
    }


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("core.engine", "import web.app"),
        ("core.engine", "from bindings import slack"),
        ("core.engine", "import slack_bolt"),
        ("core.engine", "from core.model.scheduler import Scheduler"),
        ("core.engine", "from core.model import server"),
        ("core.engine", "def late():\n    import llama_cpp"),
        ("core.model.server", "from llama_cpp import Llama"),
        ("core.model.llama.runner", "import llguidance"),
        ("core.model.server", "import importlib\nimportlib.import_module('web.app')"),
        ("core.rag.fetching.fetch", "from ....web import app"),
        ("web.app", "import bindings.delivery"),
        ("web.app", "from core.model.llama.runner import Runner"),
        ("bindings.slack", "import discord"),
        ("bindings.slack.outlet", "from bindings.discord import x"),
        ("bindings.intake.intake", "from bindings.slack import adapter"),
        ("bindings.teams.adapter", "import slack_sdk"),
        ("bindings.slack", "from bindings import discord"),
        ("bindings.slack", "from web import app"),
    ],
)
def test_crossings_are_seen(module: str, source: str) -> None:
    """Also in functions, relative, and by name: this test can fail."""
    assert any(refused(module, imported) for imported in imports_of(source, module))


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("core.model.llama.runner", "import llama_cpp.llama_cpp"),
        ("core.model.grammar", "from llguidance import LLMatcher"),
        ("core.engine", "from core.model.client import ModelClient"),
        ("core.engine", "from core.model import client"),
        ("web.app", "from core.bootstrap import run_engine"),
        (
            "bindings.slack",
            "from bindings.delivery import deliver\nimport slack_bolt\nfrom core.contract import Prompt",
        ),
        ("bindings.slack.adapter", "from bindings import process"),
        (
            "bindings.slack.adapter",
            "from bindings.slack.outlet import SlackOutlet\nfrom bindings.incoming import Place",
        ),
    ],
)
def test_what_is_allowed_is_allowed(module: str, source: str) -> None:
    """The rules refuse no more than they say."""
    assert not any(refused(module, imported) for imported in imports_of(source, module))
