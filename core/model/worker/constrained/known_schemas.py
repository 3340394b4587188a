"""Remembers on disk which schemas a model answers under, so that their grammars are compiled after a restart.

llguidance cannot store a compiled grammar. A schema is stored at its second use, since many come once. Schemas can
hold names, so each file is encrypted, under a key in the same folder; a file that does not authenticate is deleted.
Nothing in here is needed: a file that is missing costs one compilation.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import structlog
from cachetools import LRUCache
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.contract import Json
from core.errors import CspsError
from core.model.worker.suspended.state_key import KEY_FILE, StateKey, load_key
from core.runtime.atomic_files import PART_SUFFIX, write_atomically

log = structlog.get_logger()

SCHEMAS_LIMIT = 64  # of all models together
SALT_BYTES = 32
NONCE = bytes(12)  # each file has a key of its own
STORED_AT_USE = 2
USES_COUNTED = 1024
RENEWED_S = 3600.0  # a schema in use is marked as used once an hour


class KnownSchemas:
    """One model's schemas. `max_age_s`: since their last use. Thread-safe."""

    def __init__(self, folder: Path, model: str, max_age_s: float, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._model = model
        self._max_age_s = max_age_s
        self._clock = clock
        self._lock = threading.Lock()
        self._uses: LRUCache[str, int] = LRUCache(USES_COUNTED)
        self._stored_at: LRUCache[str, float] = LRUCache(SCHEMAS_LIMIT)

    def count_use(self, schema: Json) -> None:
        """Counts a use, and stores a schema that is used again. A write error only logs a warning."""
        text = json.dumps(schema)
        now = self._clock()
        with self._lock:
            self._uses[text] = uses = self._uses.get(text, 0) + 1
            if uses < STORED_AT_USE or now - self._stored_at.get(text, 0) < RENEWED_S:
                return
            self._stored_at[text] = now
        try:
            self._store(text)
        except OSError as exc:
            log.warning("schema_not_stored", problem=exc.strerror or str(exc))

    def load(self) -> Iterator[Json]:
        """Yields this model's schemas, those used last first, and deletes what is too old or damaged."""
        try:
            if not (self._folder / KEY_FILE).exists():
                return
            key = load_key(self._folder)
            for path in self._newest_first():
                if path.stat().st_mtime < self._clock() - self._max_age_s:
                    path.unlink(missing_ok=True)
                elif (schema := self._read(key, path)) is not None:
                    yield schema
        except OSError as exc:
            log.warning("schemas_not_read", problem=exc.strerror or str(exc))

    def _store(self, text: str) -> None:
        key = load_key(self._folder)
        salt = secrets.token_bytes(SALT_BYTES)
        path = self._folder / key.file_name(f"{self._model}\0{text}")
        content = json.dumps({"model": self._model, "schema": text}).encode()
        sealed = AESGCM(key.segment_key(salt)).encrypt(NONCE, content, path.name.encode())
        write_atomically(path, salt + sealed)
        for old in self._newest_first()[SCHEMAS_LIMIT:]:
            old.unlink(missing_ok=True)

    def _read(self, key: StateKey, path: Path) -> Json:
        data = path.read_bytes()
        try:
            plain = AESGCM(key.segment_key(data[:SALT_BYTES])).decrypt(NONCE, data[SALT_BYTES:], path.name.encode())
        except (InvalidTag, ValueError):
            log.warning("schema_damaged", file=path.name)
            path.unlink(missing_ok=True)
            return None
        stored = json.loads(plain)
        return json.loads(stored["schema"]) if stored["model"] == self._model else None

    def _newest_first(self) -> list[Path]:
        files = [
            (path.stat().st_mtime, path)
            for path in self._folder.iterdir()
            if path.name != KEY_FILE
            and not path.name.endswith(PART_SUFFIX)
            and path.is_file()
            and not path.is_symlink()
        ]
        return [path for _, path in sorted(files, reverse=True)]


class GrammarWarmUp:
    """Compiles the known schemas once, on a thread of its own, so that no request waits for them."""

    def __init__(self, schemas: KnownSchemas, compile_one: Callable[[Json], object]) -> None:
        self._schemas = schemas
        self._compile = compile_one
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="grammars", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Waits until all known schemas are compiled."""
        self._thread.join()

    def stop(self) -> None:
        """Ends the thread after the schema that it is compiling."""
        self._stopped = True
        self._thread.join()

    def _run(self) -> None:
        count = 0
        for schema in self._schemas.load():
            if self._stopped:
                return
            try:
                self._compile(schema)
                count += 1
            except CspsError as exc:
                log.warning("known_schema_refused", code=exc.code)
        if count:
            log.info("grammars_compiled", count=count)
