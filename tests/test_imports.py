"""The import rules of docs/architecture.md, checked in the syntax trees."""

from __future__ import annotations

import ast
import subprocess
import sys
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
ONLY_IN = {"llama_cpp": "core.model.worker.llama", "llguidance": "core.model.worker.constrained.grammar"}
MODEL_FROM_ABOVE = {"core.model.client"}


def module_of(file: Path) -> str:
    parts = file.relative_to(PROJECT_ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def sources(package: str) -> list[Path]:
    return sorted((PROJECT_ROOT / package).rglob("*.py"))


def find_imports(source: str, module: str, *, is_package: bool = False) -> Iterator[str]:
    """Every module that the source imports, also in functions. `from x import y` gives both x and x.y."""
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


def is_forbidden(module: str, imported: str) -> bool:
    """True if a rule forbids the import. `imported` may also be a name inside a module; the rules hold for both."""
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
        # Shared code of the bots imports no platform, and no platform imports another.
        other_binding = any(within(imported, f"bindings.{other}") for other in PLATFORMS - {platform})
        return to == "web" or other_sdk or other_binding
    return False


def above_the_model(module: str) -> bool:
    # Commands and installation prepare model files, but do not ask a model.
    return not any(within(module, each) for each in ("core.model", "core.cli", "core.install"))


def speaks_to_the_model(imported: str) -> bool:
    return imported == "core.model" or any(within(imported, each) for each in MODEL_FROM_ABOVE)


def all_imports() -> dict[str, set[str]]:
    """Each of our modules, with our modules that it imports."""
    files = {module_of(file): file for package in ("core", "web", "bindings") for file in sources(package)}
    return {
        module: {
            imported
            for imported in find_imports(
                file.read_text(encoding="utf-8"), module, is_package=file.name == "__init__.py"
            )
            if imported in files and imported != module
        }
        for module, file in files.items()
    }


def child_of(module: str, folder: str) -> str | None:
    """The file or subfolder directly in `folder` that contains `module`."""
    return module.removeprefix(f"{folder}.").split(".")[0] if module.startswith(f"{folder}.") else None


def find_circle(folder: str, imports: dict[str, set[str]]) -> list[str]:
    """The parts of `folder` that import each other in a circle; empty if there is none."""
    graph: dict[str, set[str]] = {}
    for module, targets in imports.items():
        if part := child_of(module, folder):
            found = {other for target in targets if (other := child_of(target, folder)) and other != part}
            graph.setdefault(part, set()).update(found)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as exc:
        return list(exc.args[1])
    return []


def folders(modules: Iterable[str]) -> set[str]:
    return {module.rpartition(".")[0] for module in modules} - {""}


def test_no_folder_contains_an_import_circle() -> None:
    """The files and subfolders of each folder can be ordered so that each imports only earlier ones."""
    imports = all_imports()

    assert {folder: circle for folder in sorted(folders(imports)) if (circle := find_circle(folder, imports))} == {}


@pytest.mark.parametrize(
    "imports",
    [
        {"core.a": {"core.b"}, "core.b": {"core.a"}},
        {"core.rag.x": {"core.model.y"}, "core.model.z": {"core.rag.w"}},
        {"core.a": {"core.rag.x"}, "core.rag.y": {"core.a"}},
    ],
)
def test_the_search_finds_circles(imports: dict[str, set[str]]) -> None:
    """It finds circles between two files, between two folders, and between a file and a folder."""
    assert find_circle("core", imports)
    assert not find_circle("core", {"core.a": {"core.b", "core.rag.x"}, "core.rag.x": {"core.b"}, "core.rag.y": set()})


@pytest.mark.parametrize("package", ["core", "web", "bindings"])
def test_every_import_is_allowed(package: str) -> None:
    """No import of any file breaks a rule of the architecture."""
    crossings = [
        f"{file.relative_to(PROJECT_ROOT)} imports {imported}"
        for file in sources(package)
        for imported in find_imports(
            file.read_text(encoding="utf-8"), module_of(file), is_package=file.name == "__init__.py"
        )
        if is_forbidden(module_of(file), imported)
    ]

    assert crossings == []


def test_adapters_load_no_parsers_of_documents() -> None:
    """They take 10 MB in each process, and documents are read in child processes alone."""
    parsers = {"bs4", "lxml", "olefile", "feedparser", "pypdfium2", "python_calamine"}
    modules = "bindings.hosting.process, bindings.slack.adapter, bindings.teams.adapter, web.app"
    code = f"import sys, {modules}; print(*{parsers} & set(sys.modules))"

    assert "" == subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_the_contract_needs_only_the_standard_library() -> None:
    """Any program can then use the contract."""
    source = (PROJECT_ROOT / "core" / "contract.py").read_text(encoding="utf-8")

    assert {name.split(".")[0] for name in find_imports(source, "core.contract")} <= {
        "__future__",
        "collections",
        "dataclasses",
        "datetime",
        "secrets",
        "typing",
    }


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("core.engine", "import web.app"),
        ("core.engine", "from bindings import slack"),
        ("core.engine", "import slack_bolt"),
        ("core.engine", "from core.model.worker.scheduler import Scheduler"),
        ("core.engine", "from core.model import server"),
        ("core.engine", "def late():\n    import llama_cpp"),
        ("core.model.worker.server", "from llama_cpp import Llama"),
        ("core.model.worker.llama.runner", "import llguidance"),
        ("core.model.worker.server", "import importlib\nimportlib.import_module('web.app')"),
        ("core.rag.fetching.fetch", "from ....web import app"),
        ("web.app", "import bindings.delivery"),
        ("web.app", "from core.model.worker.llama.runner import Runner"),
        ("bindings.slack", "import discord"),
        ("bindings.slack.outlet", "from bindings.discord import x"),
        ("bindings.intake.intake", "from bindings.slack import adapter"),
        ("bindings.teams.adapter", "import slack_sdk"),
        ("bindings.slack", "from bindings import discord"),
        ("bindings.slack", "from web import app"),
    ],
)
def test_forbidden_imports_are_is_forbidden(module: str, source: str) -> None:
    """This includes imports in functions, relative imports, and imports of names."""
    assert any(is_forbidden(module, imported) for imported in find_imports(source, module))


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("core.model.worker.llama.runner", "import llama_cpp.llama_cpp"),
        ("core.model.worker.constrained.grammar", "from llguidance import LLMatcher"),
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
def test_allowed_imports_are_accepted(module: str, source: str) -> None:
    """The rules forbid no import that the architecture allows."""
    assert not any(is_forbidden(module, imported) for imported in find_imports(source, module))


def top_level_names(source: str) -> set[str]:
    """The names that a module binds at its top level, also under `if` and `try`."""
    names: set[str] = set()
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                names |= {(alias.asname or alias.name).split(".")[0] for alias in aliases}
            case ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
            case _:
                waiting.extend(ast.iter_child_nodes(node))
    return names


def missing_names(source: str, modules: dict[str, set[str]]) -> list[str]:
    """What the source imports from our modules and is not there. Imports that replace a failed one may be."""
    tree = ast.parse(source)
    handlers = (each for each in ast.walk(tree) if isinstance(each, ast.ExceptHandler))
    free = {node for handler in handlers for node in ast.walk(handler)}
    return [
        f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in modules and node not in free
        for alias in node.names
        if alias.name not in modules[node.module] and f"{node.module}.{alias.name}" not in modules
    ]


def test_benchmarks_import_names_that_exist() -> None:
    """No test runs them, and mypy does not read them."""
    packages = ("core", "web", "bindings", "tests", "benchmarks")
    modules = {
        module_of(file): top_level_names(file.read_text(encoding="utf-8"))
        for package in packages
        for file in sources(package)
    }
    missing = {
        str(file.relative_to(PROJECT_ROOT)): found
        for file in sources("benchmarks")
        if (found := missing_names(file.read_text(encoding="utf-8"), modules))
    }

    assert {} == missing
    assert ["core.gone"] == missing_names("from core import PROJECT_ROOT, gone", modules)
