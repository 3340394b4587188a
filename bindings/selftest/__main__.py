"""`python -m bindings.selftest PLATFORM`, which `csps-llm selftest` runs.

Exit status: 0 if all steps came out as expected, 1 if some did not, 2 if something must be corrected first.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from bindings.incoming import PlatformName
from bindings.selftest.judge import StepResult
from bindings.selftest.pages import describe_outcome, verdict, write_html, write_text
from bindings.selftest.run import STAGES, run_selftest
from bindings.selftest.script import load_script
from core.configuration import settings as settings_module
from core.contract import Language
from core.errors import ConfigError, CspsError, ModelError
from core.runtime import log
from core.runtime.process import FAILED, OPERATOR_MUST_ACT
from core.texts import LANGUAGES, overlay, text

STOPPED = 130


def main() -> int:
    arguments = parse_arguments()
    language: Language = arguments.language
    try:
        return asyncio.run(selftest(arguments.platform, arguments.out, language, echo=arguments.echo))
    except ModelError as exc:
        say(text("cli-selftest-no-model", language, problem=exc.message, platform=arguments.platform))
        return OPERATOR_MUST_ACT
    except CspsError as exc:
        say(exc.message)
        return OPERATOR_MUST_ACT if isinstance(exc, ConfigError) else FAILED
    except (KeyboardInterrupt, asyncio.CancelledError):
        say(text("cli-selftest-stopped", language))
        return STOPPED


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bindings.selftest")
    parser.add_argument("platform", choices=tuple(STAGES))
    parser.add_argument("--out", type=Path, required=True, help="the HTML file; the text file stands beside it")
    parser.add_argument("--language", choices=LANGUAGES, default="en")
    parser.add_argument("--echo", action="store_true")
    return parser.parse_args()


async def selftest(platform: PlatformName, out: Path, language: Language, *, echo: bool) -> int:
    """Returns the exit status. Raises CspsError."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    settings = settings_module.load(os.environ)
    log.configure(settings.log.model_copy(update={"level": "error"}), "selftest")
    overlay(settings.config)
    steps = load_script(settings, platform)
    pages = html, plain = out.with_suffix(".html"), out.with_suffix(".txt")
    require_writable(out.parent, language)
    say(text("cli-selftest-starting", language, platform=platform.title()))
    done = 0

    def report(result: StepResult) -> None:
        nonlocal done
        done += 1
        values = {"number": done, "total": len(steps), "title": result.step.title.in_language(language)}
        outcome = describe_outcome(result, language)
        say(text("cli-selftest-step", language, **values, outcome=outcome, seconds=result.took_s))

    transcript = await run_selftest(platform, settings, os.environ, steps, language, report, echo=echo)
    for page, write in zip(pages, (write_html, write_text), strict=True):
        page.write_text(write(transcript), encoding="utf-8")
    say(verdict(transcript))
    say(text("cli-selftest-written", language, html=str(html), plain=str(plain)))
    return FAILED if transcript.failed else 0


def require_writable(folder: Path, language: Language) -> None:
    """Raises ConfigError before the test, not after it."""
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise ConfigError(text("cli-selftest-no-folder", language, folder=str(folder)))


def say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
