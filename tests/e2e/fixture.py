"""One server with the fixture addon for all test files that need it, started by the first one that asks."""

import atexit
import functools
from contextlib import ExitStack

from devtools import fixture_server


@functools.cache
def shared():
    """The running `FixtureServer`; it ends with the test run."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(fixture_server.running("e2efixture"))
