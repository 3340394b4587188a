"""`csps-llm records delete | proofs`: deletes what is stored of a person or a conversation, and prints the proof."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import asdict

import typer

from core.cli.records.session import RecordsSession
from core.errors import StorageError
from core.records import deletion
from core.records.signing_key import load_signing_key
from core.records.subjects import Subject


async def delete(session: RecordsSession, subject: Subject, reason: str) -> None:
    """Prints the proof as JSON on stdout, and what remains to be done on stderr. Raises BadRequest if it is held."""
    await session.enter("delete", subject.label)
    key = load_signing_key(session.settings.data_folder)
    done = await session.database.write(lambda db: deletion.delete(db, subject, session.who, reason, key, time.time()))
    is_erased = await session.database.traces.remove()
    try:
        await asyncio.to_thread(deletion.delete_files, session.settings.data_folder, done)
    except OSError as exc:
        raise StorageError(f"{exc.filename}: {exc.strerror}; the rows are deleted, this file is not") from exc
    typer.echo(json.dumps(asdict(done.proof), ensure_ascii=False, indent=1))
    if session.database.serves_several:
        session.tell("cli-records-postgresql-traces")
    elif not is_erased:
        session.tell("cli-records-traces-later")


async def show_proofs(session: RecordsSession) -> None:
    await session.enter("list proofs", "proofs")
    proofs = await session.database.read(deletion.find_proofs)
    typer.echo(json.dumps([asdict(each) for each in proofs], ensure_ascii=False, indent=1))
