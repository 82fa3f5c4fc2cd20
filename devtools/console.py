"""Progress on stderr, results on stdout, and the one exception that ends a command politely."""

import contextlib
import sys
import time


class Failure(Exception):
    """A foreseeable failure: its text is shown to the person, without a traceback."""


def say(text=""):
    """Print one line of progress (stderr: stdout belongs to results such as a token)."""
    print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def step(title):
    """Announce a step, and say how long it took."""
    say(f"… {title}")
    start = time.monotonic()
    try:
        yield
    except BaseException:
        say(f"✗ {title} ({time.monotonic() - start:.1f} s)")
        raise
    say(f"✓ {title} ({time.monotonic() - start:.1f} s)")
