"""Who counts the calls of a database: always this machine's memory, and Redis or PostgreSQL where they are chosen.

Memory counts too while others do. It knows a part of what they know, so it refuses nothing that they would allow; and
when they fail, it goes on from where it is, as it does while a Redis that was restarted has forgotten everything.
"""

import contextlib
import functools
import logging
import threading
from collections import OrderedDict
from collections.abc import Sequence

import psycopg2

from ..services.call_limits import Limits
from ..services.call_slots import CallSlots
from ..services.rate_limiter import MemoryStore
from ..services.rate_window import Budget, Verdict
from ..services.redis_rate_limiter import RedisStore, Unavailable
from .mcp_rate_window import PostgresStore

_logger = logging.getLogger(__name__)

# Requests whose verdict is remembered: Odoo runs a request again after a conflict, and it must count once.
REMEMBERED = 512


@functools.cache
def machine_memory() -> MemoryStore:
    """Return the counters that all workers of this machine share, whatever their databases."""
    store = MemoryStore("windows")
    if not store.is_shared:
        _logger.info("There is no memory that the workers could share: each counts calls for itself.")
    return store


@functools.cache
def machine_slots() -> CallSlots:
    """Return the slots for calls that run at the same time."""
    return CallSlots("slots")


class Counting:
    """Counts the calls of one database.

    :param scope: tells this database's counters from those of others
    """

    def __init__(self, database: str, scope: str) -> None:
        self._scope = scope
        self._memory = machine_memory()
        self._postgres = PostgresStore(database)
        self._redis: RedisStore | None = None
        self._lock = threading.Lock()
        self._decided: OrderedDict[str, Verdict] = OrderedDict()
        self._postgres_failed = False

    def take(self, limits: Limits, request_id: str, budgets: Sequence[Budget]) -> Verdict:
        """Count a call once, if it fits its budgets, and return the verdict."""
        with self._lock:
            if (known := self._decided.get(request_id)) is not None:
                return known
        verdict = self._taken(limits, budgets)
        with self._lock:
            self._decided[request_id] = verdict
            if len(self._decided) > REMEMBERED:
                self._decided.popitem(last=False)
        return verdict

    def note_refusal(self, token_id: int) -> int:
        """Count a refused request; return how many the last minute saw when it is time to log that, else 0."""
        seen, logged = self._scoped(
            (Budget(f"token:{token_id}:refused", "", 0), Budget(f"token:{token_id}:refusals-logged", "", 1))
        )
        (count,) = self._memory.add([seen])
        return count if self._memory.take([logged]).allowed else 0

    def _taken(self, limits: Limits, budgets: Sequence[Budget]) -> Verdict:
        local = self._scoped(budgets)
        verdict = self._memory.take(local)
        if verdict.allowed and (shared := self._shared_verdict(limits, budgets)) is not None:
            if not shared.allowed:
                self._memory.add(local, -1)
            return shared
        return verdict

    def _shared_verdict(self, limits: Limits, budgets: Sequence[Budget]) -> Verdict | None:
        """Return what the shared counters say; None where there are none, or none that answers."""
        if limits.redis_url:
            # An outage is said in the log by the store, once.
            with contextlib.suppress(Unavailable):
                return self._redis_at(limits.redis_url).take(budgets)
        if limits.store == "postgresql":
            try:
                verdict = self._postgres.take(budgets)
                self._postgres_failed = False
                return verdict
            except psycopg2.Error as error:
                # On a cursor of its own: this request is not concerned.
                if not self._postgres_failed:
                    _logger.warning("Calls are counted in memory, PostgreSQL fails: %s", type(error).__name__)
                self._postgres_failed = True
        return None

    def _redis_at(self, url: str) -> RedisStore:
        if self._redis is None or self._redis.url != url:
            self._redis = RedisStore(url, f"mcp:{self._scope}", _logger.warning)
        return self._redis

    def _scoped(self, budgets: Sequence[Budget]) -> tuple[Budget, ...]:
        return _within(self._scope, tuple(budgets))


@functools.lru_cache(maxsize=1024)
def _within(scope: str, budgets: tuple[Budget, ...]) -> tuple[Budget, ...]:
    return tuple(Budget(f"{scope}:{item.key}", item.name, item.limit, item.window) for item in budgets)


@functools.lru_cache(maxsize=256)
def counting_of(database: str, scope: str) -> Counting:
    """Return the one `Counting` that this process has for a database."""
    return Counting(database, scope)
