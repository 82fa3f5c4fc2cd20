"""Counting calls in memory: of all workers of this machine where they can share a file, else of this process.

It answers whether a call fits its budgets and counts it if it does; what the budgets are and what a refusal looks
like is decided elsewhere. `redis_rate_limiter` and `mcp.rate.limit` have stores with the same `take`.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import mmap
import struct
import threading
import time
from collections.abc import Iterator, Sequence

from . import host_files
from .rate_window import EMPTY, SIZE, Budget, Ring, Verdict, judge

try:
    import fcntl
except ImportError:  # Windows, where Odoo has one process
    fcntl = None

# Room for so many budgets in use within one window. A token has three, its user one.
PLACES = 8192
# Whose place it is, and when its window is over.
_HEADER = struct.Struct("<16sd")
_STRIDE = 320
# A budget is in one of so many places; when others have them all, the one that ends first goes.
_PROBES = 8
# A place just taken must not be the first to go when the same call looks for its next one.
_CLAIMED = 3600.0


class MemoryStore:
    """Rings in a table of fixed size, which as a shared mapping is one table for all processes of the machine.

    :param name: who shares it; None for a table of this process alone
    :param clock: seconds that never jump, the same in all processes of the machine
    """

    def __init__(self, name: str | None, clock=time.monotonic, places: int = PLACES) -> None:
        self._clock = clock
        self._places = places
        self._thread_lock = threading.Lock()
        self._descriptor = host_files.open_shared(name, places * _STRIDE) if name and fcntl else None
        self.is_shared = self._descriptor is not None
        size = places * _STRIDE
        self._table = mmap.mmap(self._descriptor, size) if self.is_shared else bytearray(size)

    def take(self, budgets: Sequence[Budget]) -> Verdict:
        """Count a call in all budgets if it fits all of them, else in none."""
        with self._locked():
            now = self._clock()
            places = [self._place(budget.key, now) for budget in budgets]
            rings = [Ring(self._ring(place), now, budget.window) for place, budget in zip(places, budgets, strict=True)]
            verdict = judge(budgets, rings)
            if verdict.allowed:
                for place, budget, ring in zip(places, budgets, rings, strict=True):
                    self._keep(place, budget, now, ring.add())
        return verdict

    def add(self, budgets: Sequence[Budget], calls: int = 1) -> list[int]:
        """Count calls whether they fit or not (less than none: take them back); what each budget holds then."""
        totals = []
        with self._locked():
            now = self._clock()
            for budget in budgets:
                place = self._place(budget.key, now)
                ring = Ring(self._ring(place), now, budget.window)
                self._keep(place, budget, now, ring.add(calls))
                totals.append(max(ring.total + calls, 0))
        return totals

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        # File locks are a process's, so threads need one more. The kernel frees those of a process that dies.
        with self._thread_lock:
            if self._descriptor is None:
                yield
                return
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self._descriptor, fcntl.LOCK_UN)

    def _place(self, key: str, now: float) -> int:
        """Return the offset of a budget's place, cleared if it was another's."""
        digest, first = _digest(key)
        oldest, oldest_end = 0, float("inf")
        for probe in range(_PROBES):
            offset = (first + probe) % self._places * _STRIDE
            owner, end = _HEADER.unpack_from(self._table, offset)
            if owner == digest:
                return offset
            if end < oldest_end:
                oldest, oldest_end = offset, end
        self._table[oldest : oldest + _HEADER.size + SIZE] = _HEADER.pack(digest, now + _CLAIMED) + EMPTY
        return oldest

    def _ring(self, offset: int) -> bytes:
        return self._table[offset + _HEADER.size : offset + _HEADER.size + SIZE]

    def _keep(self, offset: int, budget: Budget, now: float, ring: bytes) -> None:
        header = _HEADER.pack(_digest(budget.key)[0], now + 2 * budget.window)
        self._table[offset : offset + _HEADER.size + SIZE] = header + ring


@functools.lru_cache(maxsize=4096)
def _digest(key: str) -> tuple[bytes, int]:
    digest = hashlib.blake2b(key.encode(), digest_size=16).digest()
    return digest, int.from_bytes(digest[:4], "little")
