"""How many calls run at the same time, so that assistants leave workers to the people who work in Odoo.

A slot is a locked byte in a file that all workers of the machine have open: taken in microseconds, and freed by the
kernel when a worker is killed. A call that finds none may wait for a moment, but only out of an allowance that every
worker has: a worker that waits serves nobody, so under a flood refusals come at once.

It does not decide how many slots there are.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import zlib
from collections.abc import Iterator

from . import host_files

try:
    import fcntl
except ImportError:  # Windows, where Odoo has one process
    fcntl = None

# A worker may wait for three hundredths of its time, and that of the last ten seconds at once.
WAITING_SHARE = 0.03
LONGEST_WAIT = 0.3
_POLL = 0.002
# Parts of the file's address space, of which not one byte is ever written.
_SERVER_BITS, _TOKEN_BITS, _TOKENS = 10, 6, 1 << 62


class NoSlot(Exception):
    """All slots are taken; `whose` says which: `server` or `token`."""

    def __init__(self, whose: str) -> None:
        super().__init__(whose)
        self.whose = whose


class CallSlots:
    """The slots of this machine, as one process sees them.

    :param name: of the shared file; None for slots of this process alone
    """

    def __init__(self, name: str | None, clock=time.monotonic) -> None:
        self._descriptor = host_files.open_shared(name) if name and fcntl else None
        self._clock = clock
        self._lock = threading.Lock()
        # File locks are a process's: its threads are told apart here.
        self._held: set[int] = set()
        self._allowance, self._allowed_at = LONGEST_WAIT, clock()

    @contextlib.contextmanager
    def held(self, server: int, capacity: int, owner: str, token_id: int, token_capacity: int) -> Iterator[None]:
        """Hold a slot of the server and one of the token for the time of a block.

        :param server: process id of the server whose workers are protected
        :param owner: tells the databases apart whose tokens have ids
        :param token_capacity: 0 for no limit
        :raises NoSlot: none became free in time
        """
        wanted = [(server << _SERVER_BITS, min(capacity, 1 << _SERVER_BITS), "server")]
        if token_capacity:
            database = zlib.crc32(owner.encode()) & 0xFFFF
            first = _TOKENS | database << 44 | (token_id & 0xFFFFFFFF) << _TOKEN_BITS
            wanted.insert(0, (first, min(token_capacity, 1 << _TOKEN_BITS), "token"))
        taken: list[int] = []
        try:
            for first, count, whose in wanted:
                taken.append(self._take(first, count, whose))
            yield
        finally:
            for slot in taken:
                self._free(slot)

    def _take(self, first: int, count: int, whose: str) -> int:
        slot = self._try(first, count)
        if slot is not None:
            return slot
        began = self._clock()
        end = began + self._refilled(began)
        while slot is None and self._clock() < end:
            time.sleep(_POLL)
            slot = self._try(first, count)
        with self._lock:
            self._allowance -= self._clock() - began
        if slot is None:
            raise NoSlot(whose)
        return slot

    def _refilled(self, now: float) -> float:
        with self._lock:
            earned = max(now - self._allowed_at, 0.0) * WAITING_SHARE
            self._allowance, self._allowed_at = min(self._allowance + earned, LONGEST_WAIT), now
            return self._allowance

    def _try(self, first: int, count: int) -> int | None:
        with self._lock:
            for slot in range(first, first + count):
                if slot not in self._held and self._lock_byte(slot):
                    self._held.add(slot)
                    return slot
        return None

    def _lock_byte(self, slot: int) -> bool:
        if self._descriptor is None:
            return True
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, slot, os.SEEK_SET)
        except OSError:
            return False
        return True

    def _free(self, slot: int) -> None:
        with self._lock:
            self._held.discard(slot)
            if self._descriptor is not None:
                fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, slot, os.SEEK_SET)
