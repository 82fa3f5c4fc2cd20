"""The calls that run in this process, and a thread that ends those that nobody waits for any more.

A busy call hears nothing: PostgreSQL works for it, or Python. So a thread looks after those that have run for a second,
and interrupts the query of one that was cancelled; what it does next raises `Cancelled`. The thread sleeps while there
are only short calls, which pay for no more than an entry in a dictionary.

What cancels a call is for the transports to say: a note that some worker has taken, a connection that was closed.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping

from .errors import Cancelled

GONE = "The client closed its connection. Nothing was changed."
# How long a call runs before anybody looks after it, and how often then.
YOUNG_SECONDS = 1.0
LOOK_SECONDS = 0.5
# So many looks in a row without any call, and the thread sleeps until it is woken.
IDLE_LOOKS = 20

# Database, session and request id (as JSON text), under which a client names its call.
Place = tuple[str, int, str]


class RunningCall:
    """One call, from its arrival to its answer.

    :param place: where its client can cancel it by name, None for nowhere
    :param is_gone: says whether its client has gone; None where that means nothing
    """

    __slots__ = ("_lock", "beat", "cancelled", "interrupt", "is_gone", "place", "started", "stopped")

    def __init__(self, place: Place | None = None, is_gone: Callable[[], bool] | None = None) -> None:
        self.place = place
        self.is_gone = is_gone
        self.started = time.monotonic()
        # Why the call shall end, as its client and the audit log will read it.
        self.cancelled: str | None = None
        # Whether it has noticed; else it was done before.
        self.stopped = False
        # Keeps its connection alive; set by whoever has one.
        self.beat: Callable[[], None] | None = None
        # Ends the query that runs at this moment; None between queries, so that nothing else is ever hit.
        self.interrupt: Callable[[], None] | None = None
        self._lock = threading.Lock()

    def cancel(self, why: str | None = None) -> None:
        """End the call: its query now, its next step for sure. Safe from any thread."""
        with self._lock:
            self.cancelled = self.cancelled or why or Cancelled().message
            if (interrupt := self.interrupt) is not None:
                interrupt()

    def stop(self) -> Cancelled:
        """Note that the call ends here; return what it ends with."""
        self.stopped = True
        return Cancelled(self.cancelled)

    def check(self) -> None:
        """:raises Cancelled: it shall end"""
        if self.cancelled:
            raise self.stop()

    def check_client(self) -> None:
        """Look at the connection as well; before what cannot be taken back. :raises Cancelled: it shall end"""
        if not self.cancelled and self.is_gone is not None and self.is_gone():
            self.cancelled = GONE
        self.check()

    def between_queries(self) -> None:
        """Note that a query has ended. An interruption that is under way is over when this returns."""
        self.interrupt = None
        if self.cancelled:
            with self._lock:
                pass


class CallWatch:
    """The calls of this process.

    :param posted: which of some calls were cancelled by name: database and places to the reasons by place
    """

    def __init__(self, posted: Callable[[str, list[Place]], Mapping[Place, str]]) -> None:
        self._posted = posted
        self._calls: dict[int, RunningCall] = {}
        self._forget_thread()
        if hasattr(os, "register_at_fork"):
            # Threads do not survive a fork.
            os.register_at_fork(after_in_child=self._forget_thread)

    @contextlib.contextmanager
    def watching(self, call: RunningCall | None) -> Iterator[None]:
        """Look after a call for the time of a block."""
        if call is None:
            yield
            return
        self._calls[id(call)] = call
        if self._sleeps:
            self._rouse()
        try:
            yield
        finally:
            self._calls.pop(id(call), None)

    def look(self) -> bool:
        """Look after the calls that have run for a while; say whether there are any calls."""
        calls = list(self._calls.values())
        oldest = time.monotonic() - YOUNG_SECONDS
        named: dict[str, dict[Place, RunningCall]] = {}
        for call in calls:
            if call.cancelled:
                # Once more: PostgreSQL hears no interruption that comes just before the query.
                call.cancel()
                continue
            if call.started > oldest:
                continue
            if call.is_gone is not None and call.is_gone():
                call.cancel(GONE)
                continue
            if call.beat is not None:
                call.beat()
            if call.place is not None:
                named.setdefault(call.place[0], {})[call.place] = call
        for database, places in named.items():
            for place, why in self._posted(database, list(places)).items():
                places[place].cancel(why)
        return bool(calls)

    def _forget_thread(self) -> None:
        self._sleeps = True
        self._thread: threading.Thread | None = None
        self._alarm = threading.Event()
        self._starting = threading.Lock()

    def _rouse(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="mcp.running_calls", daemon=True)
                self._thread.start()
        self._alarm.set()

    def _watch(self) -> None:
        try:
            while True:
                self._sleeps = True
                # Whoever came before this line has not woken us.
                if not self._calls:
                    self._alarm.wait()
                self._sleeps = False
                self._alarm.clear()
                idle = 0
                while idle < IDLE_LOOKS:
                    time.sleep(LOOK_SECONDS)
                    idle = 0 if self.look() else idle + 1
        finally:
            # Never without somebody who looks: the next call starts another thread.
            self._thread, self._sleeps = None, True
