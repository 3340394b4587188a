"""Python loads this module at its start: connections and look-ups beyond this machine are recorded and refused."""

import os
import sys
from pathlib import Path

LOOPBACK = ("127.0.0.1", "::1", "localhost", "", None)


def refuse_others(event: str, arguments: tuple) -> None:
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event in ("socket.connect", "socket.sendto") and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    if (host.decode() if isinstance(host, bytes) else host) not in LOOPBACK:
        with Path(os.environ["REFUSED_CONNECTIONS"]).open("a") as file:
            file.write(f"{host}\n")
        raise PermissionError(f"no connection to {host}: only to this machine")


sys.addaudithook(refuse_others)
