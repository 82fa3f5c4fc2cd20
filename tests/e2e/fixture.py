"""Servers with the fixture addon for all test files that need one, each started by the first that asks."""

import atexit
import functools
from contextlib import ExitStack

from devtools import fixture_server


def shared():
    """The running `FixtureServer`; it ends with the test run."""
    return _running("e2efixture")


def restartable():
    """One more, for tests that restart or break it."""
    return _running("e2ebroken")


def _running(purpose):
    running = _started(purpose)
    # A test of this run restarts PostgreSQL.
    running.revive()
    return running


@functools.cache
def _started(purpose):
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(fixture_server.running(purpose))
