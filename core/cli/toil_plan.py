"""What `csps-llm toil run` is going to do, checked before anything is asked or written. Shows nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path

from core import strict_json
from core.contract import Engine, Json, Sampling
from core.errors import BadRequest, ParameterRefused
from core.runtime.file_formats import guess_media_type
from core.toil.batch import openai_lines
from core.toil.batch.answers import ToilAnswers
from core.toil.batch.job import ColumnUnknown, Job, Template, parse_template
from core.toil.batch.journal import Journal, open_journal, toil_code, toil_number
from core.toil.batch.openai_lines import OpenAiAnswers, UniqueIds
from core.toil.batch.row_input import RowParser, Survey, survey
from core.toil.batch.rows import AnyRow, Format, Row, csv_rows, json_rows

FORMATS: Mapping[str, Format] = {
    "text/csv": "csv",
    "text/tab-separated-values": "csv",
    "application/x-ndjson": "jsonl",
}
USER = "csps-llm toil run"  # all batches together are one user beside the people who chat


@dataclass(frozen=True, slots=True)
class Options:
    """As they were given. `rows`: None for stdin. `concurrency` and `format`: None to be found out."""

    rows: Path | None
    output: Path
    personality: str
    openai: bool = False
    schema: Path | None = None
    template: Path | None = None
    sampling: Sampling = field(default_factory=Sampling)
    in_order: bool = True
    concurrency: int | None = None
    anew: bool = False
    format: Format | None = None
    delimiter: str | None = None
    encoding: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """`total` is None where rows come from a pipe. `identity` is what a run that goes on must have in common."""

    options: Options
    job: Job
    read: RowParser
    total: int | None
    identity: dict[str, Json]

    def answers(self, engine: Engine) -> ToilAnswers | OpenAiAnswers:
        return OpenAiAnswers(engine, USER) if self.options.openai else ToilAnswers(engine, self.job)

    def journal(self) -> Journal:
        """Raises JobMismatch, OutputLocked, BadRequest, StorageError."""
        number_of, code_of = (toil_number, toil_code)
        if self.options.openai:
            number_of, code_of = (openai_lines.line_number, openai_lines.line_error_code)
        return open_journal(self.options.output, self.identity, number_of, code_of, anew=self.options.anew)


def plan_of(options: Options) -> Plan:
    """Reads the rows once if they are in a file. Raises BadRequest with what has to be put right."""
    refuse_same_file(options)
    job = Job(
        options.personality,
        schema_in(options.schema) if options.schema else None,
        template_in(options.template) if options.template else None,
        options.sampling,
        USER,
    )
    read = reader_of(options)
    found = looked_at(options, job, read) if options.rows else None
    identity = identity_of(options, found.digest if found else "stdin")
    return Plan(options, job, read, found.rows if found else None, identity)


def refuse_same_file(options: Options) -> None:
    if options.rows and options.output.exists() and options.output.samefile(options.rows):
        raise BadRequest(f"{options.output} is the file that the rows are in")
    if not options.output.absolute().parent.is_dir():
        raise BadRequest(f"{options.output}: there is no such folder")


def reader_of(options: Options) -> RowParser:
    """Raises BadRequest where nobody can tell what the rows are written in."""
    if options.openai or format_of(options) == "jsonl":
        return json_lines
    return partial(csv_rows, delimiter=options.delimiter, encoding=options.encoding)


def format_of(options: Options) -> Format:
    if options.format is not None or options.rows is None:
        return options.format or "jsonl"
    if found := FORMATS.get(guess_media_type(options.rows.name)):
        return found
    raise BadRequest(f"{options.rows}: say what it is by --format csv or --format jsonl")


def json_lines(chunks: Iterable[bytes]) -> Iterator[AnyRow]:
    return json_rows(chunks)


def looked_at(options: Options, job: Job, read: RowParser) -> Survey:
    """What would go wrong in every row is found in the first, before anything is asked."""
    assert options.rows is not None
    try:
        found = survey(options.rows, read, UniqueIds().check if options.openai else ignore)
        if isinstance(found.first, Row) and not options.openai:
            try_out(job, found.first)
    except BadRequest as exc:
        raise BadRequest(f"{options.rows}: {exc.message}") from exc
    return found


def ignore(_row: AnyRow) -> None:
    """Nothing of a single row is wrong for all."""


def try_out(job: Job, row: Row) -> None:
    """Raises BadRequest if the rows are not what the job is about."""
    try:
        job.build_task(row)
    except ColumnUnknown:
        raise
    except ParameterRefused as exc:
        hint = "" if job.template else " (without a template, rows bring their own prompts)"
        raise BadRequest(f"{exc.message}{hint}") from exc
    except BadRequest:
        return  # of this row alone, which will say so itself


def schema_in(path: Path) -> Mapping[str, Json] | bool:
    """Raises BadRequest."""
    content = bytes_of(path)
    try:
        value = strict_json.parse(content)
    except BadRequest as exc:
        raise BadRequest(f"{path}: {exc.message}") from exc
    if not isinstance(value, dict | bool):
        raise BadRequest(f"{path}: a JSON Schema is an object, true or false")
    return value


def template_in(path: Path) -> Template:
    """Raises BadRequest."""
    content = bytes_of(path)
    try:
        return parse_template(content.decode("utf-8-sig").removesuffix("\n"))
    except UnicodeDecodeError as exc:
        raise BadRequest(f"{path}: not UTF-8") from exc
    except BadRequest as exc:
        raise BadRequest(f"{path}: {exc.message}") from exc


def bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise BadRequest(f"{path} cannot be read: {exc.strerror}") from exc


def identity_of(options: Options, rows: str) -> dict[str, Json]:
    """Sums rather than texts: the file lies about for long, and prompts have no business in it."""
    sums = {
        name: sha256(bytes_of(path)).hexdigest() if path else None
        for name, path in (("schema", options.schema), ("template", options.template))
    }
    sampling = {name: value for name, value in asdict(options.sampling).items() if value not in (None, ())}
    return {
        "form": "openai" if options.openai else "toil",
        "rows": rows,
        **sums,
        "personality": None if options.openai else options.personality,
        "sampling": sampling,
        "order": "in order" if options.in_order else "as they come",
        "reading": [options.format, options.delimiter, options.encoding],
    }
