"""`python -m core.cli.facts_add` adds a document to a collection; `core.rag.facts.addition` starts it.

Stdin has a line of JSON, then the document's bytes; stdout gets a line of JSON. Vectors come from the model process, as
those of questions do.
"""

from __future__ import annotations

import asyncio
import json
import sys

from core import bootstrap
from core.configuration import settings as settings_module
from core.errors import CspsError
from core.rag.facts.addition import Addition, AdditionRequest, StoreWriter, build_answer
from core.runtime import log


async def add(request: AdditionRequest, body: bytes) -> Addition | CspsError:
    try:
        settings = settings_module.load()
        log.configure(settings.log, "facts")  # to stderr: stdout is for the answer
        async with bootstrap.open_store(settings, bootstrap.build_shared_embedder) as (store, reader):
            return await StoreWriter(store, reader).write(request, body)
    except CspsError as exc:
        return exc


def main() -> None:
    fields = json.loads(sys.stdin.buffer.readline())
    body = sys.stdin.buffer.read(fields.pop("length"))
    outcome = asyncio.run(add(AdditionRequest(**fields), body))
    sys.stdout.write(json.dumps(build_answer(outcome)) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
