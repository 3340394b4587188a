"""`csps-llm export systemd | compose | kubernetes | helm-values`: the files to run the service with, as it is set now.

`core.deployment` writes their texts. Here they are read from settings and Procfile, and written or printed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import typer

from core import PROJECT_ROOT
from core.cli.localization import locale_language
from core.cli.procfile import plan_processes, read_procfile
from core.configuration import settings as settings_module
from core.configuration.settings import FILE, SHIPPED, Settings
from core.contract import Language
from core.deployment.compose import compose_files
from core.deployment.exported_settings import export_settings
from core.deployment.helm_values import helm_files
from core.deployment.kubernetes import kubernetes_files
from core.deployment.service_plan import Command, ServicePlan, build_plan
from core.deployment.systemd import systemd_files
from core.errors import ConfigError
from core.model.library.catalogue import FILE as MODELS_FILE
from core.model.library.catalogue import ModelCatalogue
from core.texts import text

Target = Literal["systemd", "compose", "kubernetes", "helm-values"]
SECRET_FILES = ("secrets.env", "secrets.yaml")


def export(target: Target, output: Path | None, *, with_secrets: bool) -> None:
    """Writes the files into `output`, or prints them. Raises ConfigError."""
    language = locale_language(os.environ)
    settings = settings_module.load(os.environ)
    plan = read_plan(settings, os.environ, language)
    files = write_texts(target, plan, settings, with_secrets=with_secrets)
    if output is None:
        print_files(files)
    else:
        write_files(files, output, language, with_secrets=with_secrets)


def read_plan(settings: Settings, environ: Mapping[str, str], language: Language) -> ServicePlan:
    """The processes that would run with these settings. Raises ConfigError as `csps-llm up` does."""
    procfile = read_procfile(PROJECT_ROOT / "Procfile", language)
    processes, _ = plan_processes(procfile, settings, language)
    commands = [
        Command(each.name, each.command[1:] if each.ours else each.command, each.grace_s, each.ours)
        for each in processes
    ]
    environment = export_settings(settings, settings_module.load({}, SHIPPED), environ, engine_keys(settings))
    return build_plan(commands, settings, environment, read_own_files(settings))


def engine_keys(settings: Settings) -> list[str]:
    """The variables that hold the keys of the catalogue's engines."""
    catalogue = ModelCatalogue(settings.config_file(MODELS_FILE))
    catalogue.load()
    return [key for model in catalogue.remote.values() for engine in model.engines if (key := engine.key_env)]


def read_own_files(settings: Settings) -> dict[str, bytes]:
    """The files of the operator's folder, without settings.toml: its values are exported as variables.

    Raises ConfigError for a file that cannot be read.
    """
    if settings.config.resolve() == SHIPPED.resolve():
        return {}
    try:
        return {
            file.relative_to(settings.config).as_posix(): file.read_bytes()
            for file in sorted(settings.config.rglob("*"))
            if file.is_file() and file != settings.config / FILE and not file.name.startswith(".")
        }
    except OSError as exc:
        raise ConfigError(f"CSPS_LLM_CONFIG: {exc.filename}: {exc.strerror}") from exc


def write_texts(target: Target, plan: ServicePlan, settings: Settings, *, with_secrets: bool) -> dict[str, str]:
    match target:
        case "systemd":
            folders = (PROJECT_ROOT, settings.data_folder, settings.config)
            return systemd_files(plan, *folders, with_secrets=with_secrets)
        case "compose":
            return compose_files(plan, with_secrets=with_secrets, config=str(settings.config))
        case "kubernetes":
            return kubernetes_files(plan, with_secrets=with_secrets)
        case "helm-values":
            return helm_files(plan, with_secrets=with_secrets)


def print_files(files: Mapping[str, str]) -> None:
    """YAML files become documents of one stream, which `kubectl apply -f -` reads."""
    for name, content in files.items():
        typer.echo(f"---\n# {name}" if name.endswith(".yaml") else f"# {name}")
        typer.echo(content)


def write_files(files: Mapping[str, str], folder: Path, language: Language, *, with_secrets: bool) -> None:
    """Keeps an existing file of secrets, which the operator has filled in, unless it is written with its values."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            file, is_secret = folder / name, name in SECRET_FILES
            if is_secret and file.exists() and not with_secrets:
                typer.echo(text("cli-export-kept", language, file=str(file)))
                continue
            file.touch(mode=0o600 if is_secret else 0o644)
            file.write_text(content, encoding="utf-8")
            typer.echo(str(file))
    except OSError as exc:
        raise ConfigError(f"{exc.filename}: {exc.strerror}") from exc
