"""`csps-llm records export | verify`: a signed ZIP file of records, and the check that it is unchanged."""

from __future__ import annotations

import hashlib
import os
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import typer

from core.cli.localization import locale_language
from core.cli.records.session import RecordsSession, show_time
from core.configuration import settings
from core.errors import ConfigError, StorageError
from core.records.archive import ArchiveWriter, verify
from core.records.export import RecordsReader, Selection
from core.records.export_files import ExportFiles, temporary_folder
from core.records.signing_key import FILE, load_signing_key, public_pem
from core.runtime.log import escape_control
from core.texts import text

NOT_GENUINE = 1


def check_target(target: Path) -> Path:
    """The absolute path of an export. Raises ConfigError if the file exists, or its folder does not."""
    if target.exists():
        raise ConfigError(f"{target}: this file exists; choose another name")
    if not target.absolute().parent.is_dir():
        raise ConfigError(f"{target}: there is no such folder")
    return target.absolute()


async def export(session: RecordsSession, selection: Selection, target: Path) -> None:
    """Raises StorageError if the file cannot be written: then there is none."""
    await session.enter("export", describe(selection))
    key = load_signing_key(session.settings.data_folder)
    at = datetime.now(UTC).isoformat(timespec="seconds")
    description = {"subject": describe(selection), "at": at, "who": session.who}
    try:
        with temporary_folder(target.parent) as folder:
            part = Path(folder) / "export.zip"
            files = ExportFiles(ArchiveWriter(part, key), Path(folder))
            await files.write(RecordsReader(session.database, selection), description)
            part.chmod(0o600)
            part.replace(target)
    except OSError as exc:
        raise StorageError(f"{target}: {exc.strerror or exc}") from exc
    counts = {name.removesuffix(".jsonl"): count for name, count in files.counts.items()}
    session.print("cli-records-exported", file=str(target), **counts)
    session.print("cli-records-export-key", key=hashlib.sha256(public_pem(key)).hexdigest())


def describe(selection: Selection) -> str:
    since = f", from {show_time(selection.since)}" if selection.since is not None else ""
    until = f", before {show_time(selection.until)}" if selection.until is not None else ""
    return f"{selection.subject.label}{since}{until}"


def check(file: Path) -> int:
    """Needs no database. Returns the exit status. Raises ConfigError if the file is no export."""
    language = locale_language(os.environ)
    try:
        found = verify(file)
    except (OSError, zipfile.BadZipFile, ValueError, KeyError) as exc:
        raise ConfigError(f"{file}: not an export that can be read") from exc
    if found.problem is not None or found.manifest is None:
        typer.echo(text("cli-records-not-genuine", language, file=str(file), part=escape_control(str(found.problem))))
        return NOT_GENUINE
    count, at = len(found.manifest["files"]), str(found.manifest["at"])
    typer.echo(text("cli-records-genuine", language, count=count, at=escape_control(at)))
    own = own_key_digest(settings.load(os.environ).data_folder)
    typer.echo(text("cli-records-own-key" if own == found.key else "cli-records-other-key", language, key=found.key))
    return 0


def own_key_digest(data_folder: Path) -> str | None:
    """The digest of this service's public key; None: it has signed nothing yet."""
    if not (data_folder / FILE).exists():
        return None
    return hashlib.sha256(public_pem(load_signing_key(data_folder))).hexdigest()
