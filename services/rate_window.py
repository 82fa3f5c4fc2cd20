"""The arithmetic of a sliding window: how many calls the last so many seconds saw, and when the next one fits.

The window is cut into 60 slices, and a ring of 61 counters holds how many calls fell into each. A call is counted
until its whole slice has left the window, so that no stretch of time as long as the window ever holds more calls than
the limit, at the price of waiting up to a sixtieth longer. The ring has one size whatever the limit.

It decides nothing about where rings are kept or who shares them; the Redis script does the same arithmetic.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass

SLICES = 60
RING = SLICES + 1
# The slice of the newest call, and the counters.
_FORMAT = struct.Struct(f"<q{RING}I")
SIZE = _FORMAT.size
EMPTY = bytes(SIZE)
_MOST = 2**32 - 1


@dataclass(frozen=True)
class Budget:
    """So many calls in so many seconds.

    :param key: what is counted, for instance `token:5:calls`
    :param name: the budget as the refusal names it
    """

    key: str
    name: str
    limit: int
    window: int = 60


@dataclass(frozen=True)
class Verdict:
    """What became of one call.

    :param remaining: calls left in the budget that is closest to its end
    :param retry_after: seconds until the next call fits, 0 for an allowed one
    :param budget: the one that refused, or that is closest to its end
    """

    allowed: bool
    remaining: int
    retry_after: float
    budget: Budget


class Ring:
    """The counters of one budget at one moment."""

    def __init__(self, packed: bytes, now: float, window: int) -> None:
        """Read a ring and move it on to `now`, in seconds of any clock that its keepers share."""
        self.now = now
        self.slice = window / SLICES
        head, *counts = _FORMAT.unpack(packed)
        current = int(now // self.slice)
        passed = current - head
        if 0 < passed < RING:
            for number in range(head + 1, current + 1):
                counts[number % RING] = 0
        elif passed and not -RING < passed < 0:
            # Long ago; or from a future so far that the clock must have been set back: what was counted says nothing.
            counts = [0] * RING
        else:
            # The clock was set back a little. It stands still until it has caught up.
            current = head
        self.head = current
        self.counts = counts
        self.total = sum(counts)

    def wait(self, limit: int) -> float:
        """Return the seconds until one more call fits, 0 when it fits now."""
        surplus = self.total - limit + 1
        if surplus <= 0:
            return 0.0
        for number in range(self.head - SLICES, self.head + 1):
            surplus -= self.counts[number % RING]
            if surplus <= 0:
                return max((number + RING) * self.slice - self.now, 0.001)
        # A limit of zero or less: never.
        return self.slice * RING

    def add(self, calls: int = 1) -> bytes:
        """Count calls (less than none: take them back) and return the ring to be kept."""
        place = self.head % RING
        self.counts[place] = min(max(self.counts[place] + calls, 0), _MOST)
        return _FORMAT.pack(self.head, *self.counts)


def judge(budgets: Sequence[Budget], rings: Sequence[Ring]) -> Verdict:
    """Say whether a call fits all of its budgets; the first that refuses is named."""
    for budget, ring in zip(budgets, rings, strict=True):
        if wait := ring.wait(budget.limit):
            return Verdict(False, 0, wait, budget)
    return verdict(budgets, [ring.total + 1 for ring in rings])


def verdict(budgets: Sequence[Budget], totals: Sequence[int]) -> Verdict:
    """Return the verdict on an allowed call, given what each budget holds with it."""
    left = [max(budget.limit - total, 0) for budget, total in zip(budgets, totals, strict=True)]
    closest = min(range(len(left)), key=left.__getitem__)
    return Verdict(True, left[closest], 0.0, budgets[closest])


def whole_seconds(wait: float) -> int:
    """Return a wait as `Retry-After` has it: whole seconds, at least one."""
    return max(1, math.ceil(wait))
