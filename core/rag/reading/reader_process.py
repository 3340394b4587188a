"""`python -m core.rag.reading.reader_process`: reads documents from stdin, one after another.

A request is one line of JSON and then the document's bytes. A reply is one line of JSON:

    {"length", "media_type", "name", "url", "charset", "cpu_limit_s", "text_limit_chars"}
        → {"document": {"title", "kind", "language", "url", "omissions": [{"kind", "read", "total", "places"}…],
                        "feed_url", "passages": [[text, heading, link, published_at]…]}}
        or, if the request has "rows": true, {"rows": {"csv", "omissions"}}: those of a workbook
        or {"refused": why, "reason"}; also "spent" if this process has grown too large to be used again

The kernel ends the process at `cpu_limit_s` of CPU time. Memory is limited, and no file can be written
(`core.rag.reading.reader` has the reasons).
"""

from __future__ import annotations

import gc
import json
import resource
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.contract import Omission
from core.errors import UnreadableDocument
from core.rag.documents import Document
from core.rag.reading.formats import read_document
from core.rag.reading.raw_document import RawDocument, ReadingLimits

MEMORY_LIMIT_BYTES = 1 << 30
RETIREMENT_BYTES = 200 * 1024 * 1024
COLLECTING_SHARE = 0.6  # of the CPU time: the rest is for paragraphs and passages of what was collected
COLLECTED_OBJECTS = 50_000  # most live until their document is read: to look for others takes a fifth of the time
TOO_LARGE = "reading it takes too much memory, or it is nested too deep: give a smaller or simpler one"


def answer(request: dict[str, Any], body: bytes) -> dict[str, Any]:
    reply = {key: request[key] for key in ("name", "url", "charset")}
    try:
        if request.get("rows"):
            return {"rows": rows_json(RawDocument(body, limits=reading_limits(request)))}
        document = read_document(body, request["media_type"], limits=reading_limits(request), **reply)
        return to_json(document, request["text_limit_chars"])
    except UnreadableDocument as exc:
        return {"refused": exc.message, "reason": exc.reason}
    except (MemoryError, RecursionError):
        return {"refused": TOO_LARGE, "reason": "large"}
    except Exception as exc:  # noqa: BLE001 - hostile bytes can make a parser raise anything
        return {"refused": f"it is damaged, and reading it failed ({type(exc).__name__})", "reason": "damaged"}


def reading_limits(request: dict[str, Any]) -> ReadingLimits:
    deadline_s = time.process_time() + COLLECTING_SHARE * request["cpu_limit_s"]
    return ReadingLimits(request["text_limit_chars"], deadline_s)


def to_json(document: Document, text_limit_chars: int) -> dict[str, Any]:
    """Returns as many passages as fit."""
    passages, used_chars = [], 0
    for passage in document.passages:
        if used_chars + passage.size_chars > text_limit_chars:
            break
        used_chars += passage.size_chars
        when = passage.published_at.isoformat() if passage.published_at else None
        passages.append([passage.text, passage.heading, passage.link, when])
    omissions = [asdict(each) for each in document.omissions]
    is_cut = Omission("characters") in document.omissions  # by the parser: the total is not known
    if len(passages) < len(document.passages) and not is_cut:
        total_chars = sum(passage.size_chars for passage in document.passages)
        omissions.append(asdict(Omission("characters", used_chars, total_chars)))
    return {"document": {**asdict(document), "passages": passages, "omissions": omissions}}


def rows_json(raw: RawDocument) -> dict[str, Any]:
    # Imported only now: most processes read no workbooks.
    from core.rag.reading.tables.workbook import workbook_rows

    rows, omissions = workbook_rows(raw)
    return {"csv": rows, "omissions": [asdict(each) for each in omissions]}


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    gc.set_threshold(COLLECTED_OBJECTS)
    for line in sys.stdin.buffer:
        request = json.loads(line)
        body = sys.stdin.buffer.read(request["length"])
        # SIGPROF has no handler, so it ends the process. RLIMIT_CPU knows whole seconds only.
        signal.setitimer(signal.ITIMER_PROF, request["cpu_limit_s"])
        reply = answer(request, body)
        signal.setitimer(signal.ITIMER_PROF, 0)
        reply["spent"] = peak_bytes() > RETIREMENT_BYTES
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()


def peak_bytes() -> int:
    """Returns this program's peak: Linux's `ru_maxrss` may be that of the process which started it."""
    if sys.platform == "linux":
        _, _, after = Path("/proc/self/status").read_text(encoding="ascii").partition("VmHWM:")
        return int(after.split()[0]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    main()
