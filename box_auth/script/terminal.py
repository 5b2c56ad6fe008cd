"""What a person at a terminal sees: what happened and what to do, in the words that the pages use."""

from __future__ import annotations

import sys
from collections.abc import Callable

from box_sdk_gen import BoxAPIError

from ..errors import BoxAuthError, ConfigError, SignInRequired, refusal
from ..logs import printable


def run(program: Callable[[], object]) -> int:
    """Run a script and return its exit status: 0, 1 after a failure that it explained, 130 after Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that lacks a letter is no reason to fail
    try:
        program()
    except BoxAuthError as error:
        say(explain(error))
        return 1
    except BoxAPIError as error:
        say(explain(refusal(error)))
        return 1
    except KeyboardInterrupt:
        say("\nStopped.")
        return 130
    return 0


def explain(error: BoxAuthError) -> str:
    """Return a failure in a few lines: title, what happened, what to do, code. Some of the words may be Box's."""
    problem = error.problem
    again = "In a terminal, that is: .venv/bin/flask box login" if isinstance(error, SignInRequired) else ""
    lines = [f"{problem.title}.", problem.happened]
    lines += [f"  - {line}" for line in error.mistakes] if isinstance(error, ConfigError) else [error.detail]
    return "\n".join(printable(line) for line in (*lines, problem.todo, again, f"[{problem.code}]") if line)


def say(text: str) -> None:
    """Talk to the person, beside the script's output."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201
