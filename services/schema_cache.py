"""A small cache for descriptions of models: bounded in entries, in bytes and in age, safe between threads.

It keeps bytes under a name and a variant and knows nothing of Odoo: what makes an entry valid belongs in the variant
(`models/schema_cache.py` puts Odoo's own cache sequences there, so a change of schema makes new keys). The age limit
is for what those sequences cannot see, such as a method that computes the choices of a field from elsewhere.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

DEFAULT_TTL = 3600
MAX_ENTRIES = 1000
MAX_BYTES = 16 * 1024 * 1024

# Every live cache of this process, one per database; a cache dies with the registry that holds it.
_caches: weakref.WeakSet[SchemaCache] = weakref.WeakSet()
_caches_lock = threading.Lock()


@dataclass(frozen=True)
class Counts:
    """How often the cache had the answer and how often not, since it exists or was last emptied, and what it holds."""

    hits: int
    misses: int
    entries: int


class SchemaCache:
    """Least recently used entries leave first; an entry older than `ttl` seconds is never returned.

    `ttl` may be set at any time and then holds for what is there already.
    """

    def __init__(
        self,
        *,
        ttl: float = DEFAULT_TTL,
        max_entries: int = MAX_ENTRIES,
        max_bytes: int = MAX_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.ttl = ttl
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[tuple[str, Hashable], tuple[float, bytes]] = OrderedDict()
        self._bytes = 0
        self._hits = 0
        self._misses = 0
        with _caches_lock:
            _caches.add(self)

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, name: str, variant: Hashable = None) -> bytes | None:
        """Return what was stored under this name and variant, None when it is absent or too old."""
        key = (name, variant)
        with self._lock:
            stored_at, value = self._entries.get(key, (None, None))
            if stored_at is not None and stored_at + self.ttl <= self._clock():
                self._drop(key)
                value = None
            if value is None:
                self._misses += 1
            else:
                self._hits += 1
                self._entries.move_to_end(key)
            return value

    def set(self, name: str, value: bytes, variant: Hashable = None) -> None:
        """Store a value; one larger than a quarter of the cache is not kept."""
        if len(value) > self._max_bytes // 4:
            return
        key = (name, variant)
        with self._lock:
            if key in self._entries:
                self._drop(key)
            self._entries[key] = (self._clock(), value)
            self._bytes += len(value)
            while len(self._entries) > self._max_entries or self._bytes > self._max_bytes:
                self._drop(next(iter(self._entries)))

    def invalidate(self, prefix: str = "") -> int:
        """Drop the entries whose name starts with `prefix`, all by default; return how many."""
        with self._lock:
            stale = [key for key in self._entries if key[0].startswith(prefix)]
            for key in stale:
                self._drop(key)
            if not prefix:
                self._hits = self._misses = 0
        return len(stale)

    def counts(self) -> Counts:
        """Return what the cache was good for so far."""
        with self._lock:
            return Counts(self._hits, self._misses, len(self._entries))

    def _drop(self, key: tuple[str, Hashable]) -> None:
        _stored_at, value = self._entries.pop(key)
        self._bytes -= len(value)


def invalidate(prefix: str = "") -> int:
    """Drop cached descriptions in this process, of all its databases, and return how many.

    A public contract: other addons call it after they changed what a model looks like in a way Odoo does not signal.
    Names are `fields:<model>`, `columns:<model>`, `buttons:<model>`, `models` and `apps`: `invalidate("fields:sale.")`
    drops what is known of the fields of all models of sales.
    Other processes keep theirs until `env.registry.clear_cache("templates")`, which Odoo signals, or the age limit.
    """
    with _caches_lock:
        caches = list(_caches)
    return sum(cache.invalidate(prefix) for cache in caches)
