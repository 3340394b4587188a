"""A checkout whose `.venv` has a Python that records its arguments, so that no test installs a package."""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path

from core.install import backend, engine, progress
from core.install.__main__ import Installation
from core.install.venv import only_distribution
from core.model.hardware.gpus import DriverPaths

PINS = "llama-cpp-python==1.0 \\\n    --hash=sha256:" + "a" * 64 + "\n"


def fake_root(tmp_path: Path) -> Path:
    """A checkout whose .venv's python records its arguments, and fails for those that contain the text of `fail`."""
    for name in ("requirements.lock", "requirements-dev.lock"):
        (tmp_path / name).write_text(PINS + "attrs==1 \\\n    --hash=sha256:" + "c" * 64 + "\n", encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    folder = tmp_path / ".venv" / "bin"
    folder.mkdir(parents=True)
    python = folder / "python"
    script = f"""#!{sys.executable}
import pathlib, sys
words = " ".join(sys.argv[1:])
if "import sys, pip" in words:
    print("3 11", {str(tmp_path / ".venv")!r})
    sys.exit()
with open({str(tmp_path / "asked")!r}, "a") as asked:
    asked.write(words + "\\n")
fail = pathlib.Path({str(tmp_path / "fail")!r})
sys.exit(fail.exists() and fail.read_text() in words)
"""
    python.write_text(script, encoding="utf-8")
    python.chmod(0o755)
    return tmp_path


def install(root: Path, **environ: str) -> list[str]:
    """Runs all steps. Returns the last argument of each call of .venv's python."""
    (root / "asked").write_text("", encoding="utf-8")
    no_gpu = {"PATH": str(root), "XDG_CACHE_HOME": str(root / "cache"), **environ}
    steps = Installation(
        root, no_gpu, progress.Screen(io.StringIO()), backend.SearchPaths((), (), (), DriverPaths(root, root, root))
    )
    for args in ("", "-DGGML_CUDA=on"):
        folder = engine.cache_folder(steps.environ) / engine.build_key(
            only_distribution(steps.pins, "llama-cpp-python"), args, engine.this_target(), steps.environ
        )
        folder.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(folder / f"engine{len(args)}.whl", "w") as archive:
            archive.writestr("lib.so", "x")
    try:
        steps.environment()
        steps.packages("packages", "requirements.lock")
        steps.engine()
        steps.checkout()
        steps.starter()
    except progress.StepError:
        pass
    return [Path(line.split()[-1]).name for line in (root / "asked").read_text(encoding="utf-8").splitlines()]
