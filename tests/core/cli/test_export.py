"""`csps-llm export`: files in a folder, or a stream; secrets of the operator are kept."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from core.cli.export import export
from tests.core.deployment.support_plans import PLANTED, WHOLE


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "en_CA.UTF-8")
    for name, value in WHOLE.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("target", ["systemd", "compose", "kubernetes", "helm-values"])
def test_files_are_written_into_a_folder(target: str, tmp_path: Path) -> None:
    """Only the owner reads the file of secrets."""
    export(target, tmp_path / "out", with_secrets=True)  # type: ignore[arg-type]

    secrets = [file for file in (tmp_path / "out").iterdir() if file.name.startswith("secrets.")]
    assert [0o600] == [file.stat().st_mode & 0o777 for file in secrets]
    assert PLANTED in secrets[0].read_text(encoding="utf-8")


def test_secrets_that_were_filled_in_are_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A second export writes the other files anew."""
    (tmp_path / "secrets.env").write_text("mine", encoding="utf-8")

    export("compose", tmp_path, with_secrets=False)

    assert "mine" == (tmp_path / "secrets.env").read_text(encoding="utf-8")
    assert "was kept" in capsys.readouterr().out
    assert (tmp_path / "compose.yaml").exists()


def test_manifests_are_printed_as_one_stream(capsys: pytest.CaptureFixture[str]) -> None:
    """It can be piped into kubectl."""
    export("kubernetes", None, with_secrets=False)

    kinds = [each["kind"] for each in yaml.safe_load_all(capsys.readouterr().out)]
    assert {"Secret", "ConfigMap", "Deployment", "Service"} <= set(kinds)
