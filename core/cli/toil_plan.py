"""Plans a run of `csps-llm toil run`, and checks its files before any row is sent. Prints nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path

from core import strict_json
from core.access.names import OPERATORS
from core.cli.toil_workbook import WorkbookRows
from core.contract import Engine, Json, Language, Omission, Sampling
from core.errors import BadRequest, ParameterRefused
from core.runtime.format_table import ReadableFormat, format_of_name, guess_media_type
from core.texts import text
from core.toil.batch import openai_lines
from core.toil.batch.answers import ToilAnswers
from core.toil.batch.job import ColumnUnknown, Job, Template, parse_template
from core.toil.batch.journal import Journal, open_journal, toil_code, toil_number
from core.toil.batch.openai_lines import OpenAiAnswers, UniqueIds
from core.toil.batch.row_input import RowParser, Survey, survey
from core.toil.batch.rows import AnyRow, Row, RowFormat, csv_rows, json_rows

FORMATS: Mapping[str, RowFormat] = {
    "text/csv": "csv",
    "application/x-ndjson": "jsonl",
}
USER = "csps-llm toil run"  # all batches together count as one user beside the people who chat


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """The options of the command. `rows` is None for stdin; None elsewhere means the default."""

    rows: Path | None
    output: Path
    personality: str
    openai: bool = False
    schema: Path | None = None
    template: Path | None = None
    sampling: Sampling = field(default_factory=Sampling)
    in_order: bool = True
    concurrency: int | None = None
    force_new: bool = False
    format: RowFormat | None = None
    delimiter: str | None = None
    encoding: str | None = None


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """`total` is None for rows from a pipe. A run that resumes an output must have the same `identity`."""

    options: BatchOptions
    job: Job
    read: RowParser
    total: int | None
    identity: dict[str, Json]
    omissions: tuple[Omission, ...] = ()  # what of a workbook became no row

    def build_answers(self, engine: Engine) -> ToilAnswers | OpenAiAnswers:
        return OpenAiAnswers(engine, USER) if self.options.openai else ToilAnswers(engine, self.job)

    def open_journal(self) -> Journal:
        """Raises JobMismatch, OutputLocked, BadRequest, StorageError."""
        number_of, code_of = (toil_number, toil_code)
        if self.options.openai:
            number_of, code_of = (openai_lines.line_number, openai_lines.line_error_code)
        return open_journal(self.options.output, self.identity, number_of, code_of, anew=self.options.force_new)


def build_plan(options: BatchOptions, language: Language) -> BatchPlan:
    """Reads all rows of a file once. Raises BadRequest with what must be corrected."""
    check_output(options, language)
    job = Job(
        options.personality,
        read_schema(options.schema, language) if options.schema else None,
        read_template(options.template, language) if options.template else None,
        options.sampling,
        USER,
        names=OPERATORS,
    )
    read = choose_parser(options, language)
    found = survey_rows(options, job, read, language) if options.rows else None
    identity = build_identity(options, found.digest if found else "stdin", language)
    omissions = read.omissions if isinstance(read, WorkbookRows) else ()
    return BatchPlan(options, job, read, found.rows if found else None, identity, omissions)


def check_output(options: BatchOptions, language: Language) -> None:
    output = options.output
    if options.rows and output.exists() and output.samefile(options.rows):
        raise BadRequest(text("cli-toil-output-is-input", language, output=str(output)))
    if not output.absolute().parent.is_dir():
        raise BadRequest(text("cli-toil-no-folder", language, output=str(output)))


def choose_parser(options: BatchOptions, language: Language) -> RowParser:
    """Raises BadRequest if the format of the rows cannot be told from the file's name."""
    if is_workbook(options):
        return WorkbookRows()
    if options.openai or find_format(options, language) == "jsonl":
        return parse_json_lines
    return partial(csv_rows, delimiter=options.delimiter, encoding=options.encoding)


def is_workbook(options: BatchOptions) -> bool:
    """Tells whether the rows are in a workbook, by the name of their file. Any explicit format is that of a text."""
    if options.rows is None or options.openai or options.format is not None:
        return False
    found = format_of_name(options.rows.name)
    return isinstance(found, ReadableFormat) and found.name == "workbook"


def find_format(options: BatchOptions, language: Language) -> RowFormat:
    if options.format is not None or options.rows is None:
        return options.format or "jsonl"
    if known := FORMATS.get(guess_media_type(options.rows.name)):
        return known
    raise BadRequest(text("cli-toil-format-unknown", language, rows=str(options.rows)))


def parse_json_lines(chunks: Iterable[bytes]) -> Iterator[AnyRow]:
    return json_rows(chunks)


def survey_rows(options: BatchOptions, job: Job, read: RowParser, language: Language) -> Survey:
    """Reads all rows, and builds the first one's task: a mistake that is in every row shows before the start."""
    assert options.rows is not None
    try:
        found = survey(options.rows, read, UniqueIds().check if options.openai else accept)
        if isinstance(found.first, Row) and not options.openai:
            check_first_row(job, found.first, language)
    except BadRequest as exc:
        raise BadRequest(f"{options.rows}: {exc.message}") from exc
    return found


def accept(_row: AnyRow) -> None:
    """Accepts any row: only OpenAI's ids must be unique."""


def check_first_row(job: Job, row: Row, language: Language) -> None:
    """Raises BadRequest if the rows do not fit the job."""
    try:
        job.build_task(row)
    except ColumnUnknown:
        raise
    except ParameterRefused as exc:
        if job.template:
            raise
        raise BadRequest(text("cli-toil-needs-prompts", language, problem=exc.message)) from exc
    except BadRequest:
        return  # of this row alone: its line in the output will say so


def read_schema(path: Path, language: Language) -> Mapping[str, Json] | bool:
    """Raises BadRequest."""
    content = read_bytes(path, language)
    try:
        value = strict_json.parse(content)
    except BadRequest as exc:
        raise BadRequest(f"{path}: {exc.message}") from exc
    if not isinstance(value, dict | bool):
        raise BadRequest(text("cli-toil-not-a-schema", language, path=str(path)))
    return value


def read_template(path: Path, language: Language) -> Template:
    """Raises BadRequest."""
    content = read_bytes(path, language)
    try:
        return parse_template(content.decode("utf-8-sig").removesuffix("\n"))
    except UnicodeDecodeError as exc:
        raise BadRequest(text("cli-toil-not-utf8", language, path=str(path))) from exc
    except BadRequest as exc:
        raise BadRequest(f"{path}: {exc.message}") from exc


def read_bytes(path: Path, language: Language) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise BadRequest(text("cli-toil-unreadable", language, path=str(path), reason=exc.strerror)) from exc


def build_identity(options: BatchOptions, rows_digest: str, language: Language) -> dict[str, Json]:
    """Describes the batch by digests instead of texts: the file stays for long, and prompts may be private."""
    digests = {
        name: sha256(read_bytes(path, language)).hexdigest() if path else None
        for name, path in (("schema", options.schema), ("template", options.template))
    }
    sampling = {name: value for name, value in asdict(options.sampling).items() if value not in (None, ())}
    return {
        "form": "openai" if options.openai else "toil",
        "rows": rows_digest,
        **digests,
        "personality": None if options.openai else options.personality,
        "sampling": sampling,
        "order": "in order" if options.in_order else "as they come",
        "reading": [options.format, options.delimiter, options.encoding],
    }
