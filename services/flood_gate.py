"""How many of a sender's refusals are written down one by one, so that nobody can fill the audit log with them.

A bucket per sender, in the memory of one worker. What is not written is counted, and the count goes into the row that
is written next. It holds nothing that anybody's access depends on.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from threading import Lock

BURST = 60
PER_SECOND = 1.0
SENDERS = 4096


@dataclass
class _Bucket:
    left: float
    at: float
    skipped: int = 0


class FloodGate:
    """Admits a burst of rows per sender, then one a second."""

    def __init__(self, burst: int = BURST, per_second: float = PER_SECOND, senders: int = SENDERS) -> None:
        self._burst = burst
        self._per_second = per_second
        self._senders = senders
        self._buckets: OrderedDict[Hashable, _Bucket] = OrderedDict()
        self._lock = Lock()

    def admit(self, sender: Hashable, now: float) -> int | None:
        """Return how many rows of this sender were left out since its last one, None when this one is left out too.

        :param now: seconds of a monotonic clock
        """
        with self._lock:
            bucket = self._buckets.pop(sender, None) or _Bucket(float(self._burst), now)
            # The senders heard of last are kept: a flood is among them.
            self._buckets[sender] = bucket
            if len(self._buckets) > self._senders:
                self._buckets.popitem(last=False)
            bucket.left = min(float(self._burst), bucket.left + max(0.0, now - bucket.at) * self._per_second)
            bucket.at = now
            if bucket.left < 1:
                bucket.skipped += 1
                return None
            bucket.left -= 1
            skipped, bucket.skipped = bucket.skipped, 0
            return skipped
