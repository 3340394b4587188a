"""Checks before `up` starts anything: no other service uses the data folder, and the port is free.

Each failure is a ConfigError in the language of the terminal.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from core.contract import Language
from core.errors import ConfigError
from core.runtime.disk_faults import explain_disk_fault
from core.runtime.lock_file import AlreadyLocked, hold_lock
from core.texts import text


@contextmanager
def lock_data_folder(folder: Path, language: Language) -> Iterator[None]:
    """Holds the data folder's lock, so that a second `up` is refused. Raises ConfigError."""
    with ExitStack() as locks:
        try:
            locks.enter_context(hold_lock(folder / "run" / "up.lock"))
        except AlreadyLocked as exc:
            raise ConfigError(text("cli-up-already-running", language, folder=str(folder), pid=str(exc.pid))) from exc
        except (NotADirectoryError, FileExistsError) as exc:
            place = str(find_file(folder))
            raise ConfigError(text("cli-up-data-no-folder", language, folder=str(folder), place=place)) from exc
        except OSError as exc:
            values = {"folder": str(folder), "reason": explain_disk_fault(exc, language)}
            raise ConfigError(text("cli-up-data-unwritable", language, **values)) from exc
        yield


def find_file(folder: Path) -> Path:
    """The file in place of `folder` or of a folder above it."""
    return next(place for place in (folder / "run", folder, *folder.parents) if place.exists())


def require_free_port(host: str, port: int, language: Language) -> None:
    """Raises ConfigError if the web process could not listen there."""
    try:
        listen(host, port).close()
    except OSError as exc:
        if exc.errno == errno.EADDRINUSE:
            raise ConfigError(text("cli-up-port-taken", language, port=str(port), other=str(port + 1))) from exc
        values = {"host": host, "port": str(port), "reason": exc.strerror or str(exc)}
        raise ConfigError(text("cli-up-port-refused", language, **values)) from exc


def find_free_port(host: str) -> int:
    with listen(host, 0) as listener:
        return int(listener.getsockname()[1])


def listen(host: str, port: int) -> socket.socket:
    """Binds as the web process will: connections of an earlier one in TIME_WAIT are no obstacle."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)


def remove_stale_socket(path: Path, language: Language) -> None:
    """Removes a Unix socket without a server. Raises ConfigError if a server still answers there."""
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1.0)
        try:
            client.connect(str(path))
        except OSError:
            path.unlink(missing_ok=True)
            return
    raise ConfigError(text("cli-up-model-running", language, path=str(path)))
