"""Runs the Slack bot: `python -m bindings.slack`."""

import sys

from bindings.hosting import process
from bindings.slack.adapter import build

if __name__ == "__main__":
    sys.exit(process.main("slack", build))
