"""`python -m core.model`: serves the models until SIGTERM or SIGINT, each in a worker."""

from __future__ import annotations

import sys

from core.model.host.spare_worker import SpareWorker


def main() -> int:
    """Returns the exit code."""
    spare = SpareWorker()
    try:
        # Imported now: it takes about as long as the imports of the worker, which runs already.
        from core.model.host.program import serve
        from core.runtime import process

        return process.main("model", lambda settings: serve(settings, spare))
    finally:
        spare.discard()


if __name__ == "__main__":
    sys.exit(main())
