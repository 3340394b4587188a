"""`csps-llm tune`: measures a few settings of the engine on this machine, and keeps the fastest for the next load."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import typer
from rich.console import Console
from rich.table import Table

from core.cli.localization import locale_language
from core.cli.measuring_process import MeasuringProcess
from core.cli.model_host import open_host
from core.cli.model_survey import load_settings
from core.cli.models import find_local, survey_now
from core.configuration.settings import Settings
from core.contract import Language
from core.errors import BadRequest, ConfigError
from core.model.hardware.machine import Machine, inspect_machine
from core.model.hardware.placement import UBATCH_TOKENS
from core.model.hardware.processor import allowed_cpus, choose_threads
from core.model.hardware.tuning import (
    changed,
    forget_record,
    machine_key,
    make_record,
    model_key,
    read_records,
    write_record,
)
from core.model.hardware.tuning_search import TuningResult, TuningSearch
from core.model.hardware.tuning_space import SHARED_SEQUENCES, Dimension, Timing, Trial, build_space, thread_counts
from core.model.library.choice import STARTER
from core.model.library.specs import ModelSpec
from core.runtime.disk_faults import explain_disk_fault
from core.texts import text

BUDGET_S = 90.0
BUSY_SHARE = 0.5  # of the cores, taken by other programs
RUNNING = re.compile(r"^csps_model_running(?:\{[^}]*\})? ([\d.e+]+)$", re.MULTILINE)


def tune(model_id: str | None, *, force: bool) -> None:
    """Measures, prints before and after, and stores the result. Raises BadRequest, ConfigError, NotFound."""
    settings, language = load_settings(), locale_language(os.environ)
    spec, path = find_model(model_id, settings, language)
    check_idle(settings, language, force=force)
    machine = inspect_machine()
    started = time.monotonic()
    typer.echo(text("cli-tune-started", language, title=spec.title))
    with MeasuringProcess(path) as process:
        default, space = plan_trials(settings, machine, process.facts)
        search = TuningSearch(process.measure, time.monotonic, BUDGET_S - (time.monotonic() - started))
        result = search.run(default, space, show_progress(language, started))
    values = result.best.changes_from(default)
    try:
        write_record(settings.data_folder, make_record(model_key(path), machine_key(machine), values, result.gain))
    except OSError as exc:
        raise ConfigError(f"{exc.filename or settings.data_folder}: {explain_disk_fault(exc, language)}") from exc
    print_result(result, default, language)
    for line in explain_result(result, default, language, time.monotonic() - started):
        typer.echo(line)


def show() -> None:
    """Prints what was found earlier."""
    settings, language = load_settings(), locale_language(os.environ)
    records, here = read_records(settings.data_folder), machine_key(inspect_machine())
    if not records:
        typer.echo(text("cli-tune-nothing", language))
    for record in records:
        values = ", ".join(
            f"{name} {describe(name, value, language)}" for name, value in changed(record.values).items()
        )
        place = "here" if record.machine == here else "elsewhere"
        typer.echo(
            text(
                f"cli-tune-record-{place}",
                language,
                model=record.model.rpartition(" ")[0],
                values=values or text("cli-tune-unchanged", language),
                gain=record.gain,
            )
        )


def reset(model_id: str | None) -> None:
    """Removes what was found for a model."""
    settings, language = load_settings(), locale_language(os.environ)
    spec, path = find_model(model_id, settings, language)
    found = forget_record(settings.data_folder, model_key(path))
    typer.echo(text("cli-tune-forgotten" if found else "cli-tune-nothing", language, title=spec.title))


def find_model(model_id: str | None, settings: Settings, language: Language) -> tuple[ModelSpec, Path]:
    """Returns the model with this id, or the one that answers now, and its file. Raises BadRequest, NotFound."""
    survey = survey_now(settings)
    if model_id is not None:
        row = survey.row(find_local(model_id, survey.catalogue, language))
    else:
        row = survey.row(survey.choice.spec)
        if row.path is None:
            row = survey.row(survey.choice.interim)
    if row.path is None:
        key = "cli-tune-starter-absent" if row.spec == STARTER else "cli-tune-model-absent"
        raise BadRequest(text(key, language, title=row.spec.title, id=row.spec.id))
    return row.spec, row.path


def check_idle(settings: Settings, language: Language, *, force: bool) -> None:
    """Warns if the service runs. Raises BadRequest if it is writing answers, unless `force`."""
    running = asyncio.run(count_running(settings))
    if running and not force:
        raise BadRequest(text("cli-tune-busy", language, count=running))
    if running is not None:
        typer.echo(text("cli-tune-service-runs", language))
    if os.getloadavg()[0] > BUSY_SHARE * choose_threads():
        typer.echo(text("cli-tune-machine-busy", language, load=os.getloadavg()[0]))


async def count_running(settings: Settings) -> int | None:
    """Returns the number of answers that the local service is writing; None if it does not run."""
    if settings.model.url:
        return None
    async with open_host(settings) as client:
        try:
            answer = await client.get("/metrics")
        except httpx.HTTPError:
            return None
    return int(sum(float(value) for value in RUNNING.findall(answer.text)))


def plan_trials(settings: Settings, machine: Machine, facts: dict[str, object]) -> tuple[Trial, list[Dimension]]:
    """Returns the automatic choice, within the settings, and what to try in its place."""
    model, layers = settings.model, int(str(facts["gpu_layers"]))
    fixed = {"kv_type": model.kv_type, "flash_attention": model.flash_attention, "gpu_layers": model.gpu_layers}
    names = {name for name, value in fixed.items() if value is not None}
    if model.cpu_threads:
        names |= {"threads", "threads_batch"}
    threads = model.cpu_threads or machine.cores
    chosen = layers if model.gpu_layers is None else model.gpu_layers
    default = Trial(threads, threads, UBATCH_TOKENS, model.flash_attention, model.kv_type or "f16", chosen)
    gpu_layers = sorted({layers, layers * 3 // 4, 0}, reverse=True) if layers else ()
    quantizes = bool(facts["quantizes"]) and model.flash_attention is not False
    counts = thread_counts(machine.cores, len(allowed_cpus()))
    space = build_space(default, counts, quantizes=quantizes, gpu_layers=gpu_layers, fixed=frozenset(names))
    return default, space


def show_progress(language: Language, started: float) -> Callable[[str], None]:
    """Returns a function that prints a line for each dimension."""

    def report(dimension: str) -> None:
        elapsed = round(time.monotonic() - started)
        typer.echo(text(f"cli-tune-trying-{dimension}", language) + text("cli-tune-elapsed", language, seconds=elapsed))

    return report


# ---------------------------------------------------------------- printing


def print_result(result: TuningResult, default: Trial, language: Language) -> None:
    table = Table("", text("cli-tune-before", language), text("cli-tune-after", language))
    before, after = default.to_dict(), result.best.to_dict()
    for name in before:
        style = "bold" if before[name] != after[name] else ""
        values = (describe(name, each[name], language) for each in (before, after))
        table.add_row(text(f"cli-tune-name-{name}", language), *values, style=style)
    table.add_section()
    for speed in ("prompt", "answer", "shared"):
        cells = (text("cli-tune-rate", language, rate=rates(each)[speed]) for each in (result.before, result.after))
        table.add_row(text(f"cli-tune-speed-{speed}", language, count=SHARED_SEQUENCES), *cells)
    (Console() if sys.stdout.isatty() else Console(width=100)).print(table)


def rates(timing: Timing) -> dict[str, float]:
    """Returns tokens a second."""
    return {
        "prompt": 1 / timing.prompt_s,
        "answer": 1 / timing.answer_s,
        "shared": SHARED_SEQUENCES / timing.shared_s,
    }


def describe(name: str, value: object, language: Language) -> str:
    if name != "flash_attention":
        return str(value)
    state = "auto" if value is None else "on" if value else "off"
    return text(f"cli-tune-flash-{state}", language)


def explain_result(result: TuningResult, default: Trial, language: Language, took_s: float) -> Iterator[str]:
    if result.best == default:
        yield text("cli-tune-kept", language, count=result.measurements, seconds=round(took_s))
    else:
        yield text("cli-tune-done", language, gain=result.gain, count=result.measurements, seconds=round(took_s))
    yield text("cli-tune-next", language)
