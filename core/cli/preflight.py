"""What must be true before anything is started: nobody else runs here, and the port can be had.

Each refusal is a ConfigError in words for the person at the terminal.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from core.cli.words import Table, Words
from core.errors import ConfigError
from core.runtime.lock_file import AlreadyLocked, hold_lock

WORDS: Table = {
    "running": (
        "csps-llm is already running with the data in {folder} (process {pid}). Stop it first, or set CSPS_LLM_DATA to"
        " another folder for a second service.",
        "csps-llm tourne déjà avec les données de {folder} (processus {pid}). Arrêtez-le d'abord, ou donnez un autre"
        " dossier à un second service par CSPS_LLM_DATA.",
    ),
    "unwritable": (
        "The data folder {folder} cannot be written: {reason}. Change its owner, or set CSPS_LLM_DATA.",
        "Impossible d'écrire dans le dossier de données {folder} : {reason}. Changez-en le propriétaire, ou réglez"
        " CSPS_LLM_DATA.",
    ),
    "no_folder": (
        "The data folder {folder} cannot be made: {place} is a file. Set CSPS_LLM_DATA to a folder.",
        "Impossible de créer le dossier de données {folder} : {place} est un fichier. Donnez un dossier par"
        " CSPS_LLM_DATA.",
    ),
    "port_taken": (
        "Port {port} is taken by another program. Stop that one, or choose another port: PORT={other} csps-llm up",
        "Le port {port} est pris par un autre programme. Arrêtez celui-ci, ou choisissez un autre port :"
        " PORT={other} csps-llm up",
    ),
    "port_refused": (
        "{host}:{port} cannot be listened on: {reason}. See HOST and PORT.",
        "Impossible d'écouter sur {host}:{port} : {reason}. Voyez HOST et PORT.",
    ),
    "model_running": (
        "A model process that was started by hand already answers at {path}. Stop it first.",
        "Un processus de modèle lancé à la main répond déjà à {path}. Arrêtez-le d'abord.",
    ),
}


@contextmanager
def alone(folder: Path, words: Words) -> Iterator[None]:
    """Holds the data folder's lock."""
    with ExitStack() as held:
        try:
            held.enter_context(hold_lock(folder / "run" / "up.lock"))
        except AlreadyLocked as exc:
            raise ConfigError(words("running", folder=folder, pid=exc.pid)) from exc
        except (NotADirectoryError, FileExistsError) as exc:
            raise ConfigError(words("no_folder", folder=folder, place=file_in(folder))) from exc
        except OSError as exc:
            raise ConfigError(words("unwritable", folder=folder, reason=exc.strerror)) from exc
        yield


def file_in(folder: Path) -> Path:
    """What stands where it, or a folder above it, should be."""
    return next(place for place in (folder / "run", folder, *folder.parents) if place.exists())


def require_port(host: str, port: int, words: Words) -> None:
    try:
        listening(host, port).close()
    except OSError as exc:
        if exc.errno == errno.EADDRINUSE:
            raise ConfigError(words("port_taken", port=port, other=port + 1)) from exc
        raise ConfigError(words("port_refused", host=host, port=port, reason=exc.strerror or exc)) from exc


def free_port(host: str) -> int:
    with listening(host, 0) as listener:
        return int(listener.getsockname()[1])


def listening(host: str, port: int) -> socket.socket:
    """Bound as the web process will be: waiting connections of an earlier one are no obstacle."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)


def clear_socket(path: Path, words: Words) -> None:
    """Remove a socket that nobody serves any more; refuse one that is served."""
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX) as caller:
        caller.settimeout(1.0)
        try:
            caller.connect(str(path))
        except OSError:
            path.unlink(missing_ok=True)
            return
    raise ConfigError(words("model_running", path=path))
