"""The vendored libraries of the page."""

from __future__ import annotations

import hashlib
from pathlib import Path

PAGES = Path(__file__).resolve().parents[3] / "web" / "pages"


def test_vendored_libraries_match_their_readme() -> None:
    """The checksums are those of the npm packages."""
    readme = (PAGES / "vendor" / "README.md").read_text(encoding="utf-8")
    for file in sorted((PAGES / "vendor").rglob("*.js")):
        row = next(line for line in readme.splitlines() if line.startswith(f"| `{file.relative_to(PAGES / 'vendor')}`"))
        assert hashlib.sha256(file.read_bytes()).hexdigest() in row
