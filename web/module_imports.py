"""Finds the modules that a JavaScript module imports before it runs. Pure: reads texts, no files."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator

# `import … from '…'`, `import '…'` and `export … from '…'` at the start of a line. A dynamic `import(…)` is another
# thing: it loads a module later.
STATIC_IMPORT = re.compile(r"""^(?:import|export)\b(?:[^'"`;()]*?\bfrom)?\s*['"]([^'"]+)['"]""", re.MULTILINE)


def static_imports(source: str, path: str) -> Iterator[str]:
    """Yields the path of each module that `source`, the module at `path`, imports statically."""
    folder = posixpath.dirname(path)
    for specifier in STATIC_IMPORT.findall(source):
        yield posixpath.normpath(posixpath.join(folder, specifier))


def modules_needed(entry: str, read: Callable[[str], str | None]) -> list[str]:
    """Returns `entry` and everything it imports statically, also indirectly, nearest first.

    `read` returns the source of a module; None if there is no such file.
    """
    found = [entry]
    for path in found:  # grows meanwhile
        found += [each for each in dict.fromkeys(static_imports(read(path) or "", path)) if each not in found]
    return [path for path in found if read(path) is not None]
