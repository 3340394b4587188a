"""Static imports of JavaScript modules."""

from __future__ import annotations

import pytest

from web.module_imports import modules_needed, static_imports


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import { a } from './a.js';", ["room/a.js"]),
        ('import a, * as b from "../b.js"', ["b.js"]),
        ("import {\n  a,\n  b as c,\n} from './a.js';\nimport './c.js';", ["room/a.js", "room/c.js"]),
        ("export { a } from './a.js';\nexport * from '../x/y.js';", ["room/a.js", "x/y.js"]),
        ("const later = await import('./later.js');\nimport('./b.js');", []),
        ("export const from = './a.js';\nexport default 'a.js';", []),
        (" * import { a } from './a.js';\n// import './b.js'", []),
        ("export function load() {}\nconst words = \"import './a.js'\";", []),
    ],
)
def test_static_imports_are_found(source: str, found: list[str]) -> None:
    """Paths are relative to the module's folder. Dynamic imports, comments and other exports are none."""
    assert found == list(static_imports(source, "room/module.js"))


def test_indirect_imports_are_needed_once() -> None:
    """The entry comes first. A circle ends, and a file that does not exist is left out."""
    sources = {
        "page.js": "import './a/a.js';\nimport './b.js';",
        "a/a.js": "import '../b.js';",
        "b.js": "import './page.js';\nimport './missing.js';",
    }

    assert ["page.js", "a/a.js", "b.js"] == modules_needed("page.js", sources.get)
