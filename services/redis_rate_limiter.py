"""Counting calls in Redis, for several machines: one script, one round trip, the clock of the Redis server.

It also knows when to leave Redis alone: after a failure it is not asked again for a few seconds, so that an outage
costs one call a short timeout and not every call. Who counts meanwhile is decided elsewhere. The arithmetic is that of
`rate_window`, on hashes instead of rings. redis-py is optional.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from .rate_window import SLICES, Budget, Verdict, verdict

try:
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry
except ImportError:
    redis = None

# A Redis next door answers in well under a millisecond.
TIMEOUT = 0.25
PROBE_SECONDS = 3.0

# KEYS: one hash of slice number to calls for each budget. ARGV: limit and window of each.
# All or nothing: the first pass looks, the second counts. Returns {1, totals...} or {0, index, wait in milliseconds}.
SCRIPT = """
local slices = tonumber(ARGV[#ARGV])
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local totals, current = {}, {}
for i, key in ipairs(KEYS) do
  local limit, window = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local length = window * 1000000 / slices
  local head = math.floor(now / length)
  local counts, old, total = {}, {}, 0
  local pairs_ = redis.call('HGETALL', key)
  for j = 1, #pairs_, 2 do
    local slice, calls = tonumber(pairs_[j]), tonumber(pairs_[j + 1])
    if slice < head - slices or slice > head + slices then
      old[#old + 1] = pairs_[j]
    else
      counts[slice] = calls
      total = total + calls
      if slice > head then head = slice end
    end
  end
  if #old > 0 then redis.call('HDEL', key, unpack(old)) end
  local surplus = total - limit + 1
  if surplus > 0 then
    local wait = length * (slices + 1)
    for slice = head - slices, head do
      surplus = surplus - (counts[slice] or 0)
      if surplus <= 0 then
        wait = (slice + slices + 1) * length - now
        break
      end
    end
    return {0, i, math.max(1, math.ceil(wait / 1000))}
  end
  totals[i] = total + 1
  current[i] = string.format('%.0f', head)
end
for i, key in ipairs(KEYS) do
  redis.call('HINCRBY', key, current[i], 1)
  redis.call('EXPIRE', key, 2 * tonumber(ARGV[2 * i]))
end
return {1, unpack(totals)}
"""


class Unavailable(Exception):
    """Redis cannot be asked now. Says nothing of its address, which may hold a password."""


class RedisStore:
    """The counters of one database in one Redis.

    :param prefix: tells databases apart that share a Redis
    :param on_change: told once when Redis is lost and once when it is back, with a text for the log
    """

    def __init__(self, url: str, prefix: str, on_change: Callable[[str], None] = lambda text: None) -> None:
        self.url = url
        self._prefix = prefix
        self._on_change = on_change
        self._lock = threading.Lock()
        self._ask_again_at = 0.0
        self._lost = False
        self._script = None

    def take(self, budgets: Sequence[Budget]) -> Verdict:
        """Count a call in all budgets if it fits all of them, else in none.

        :raises Unavailable: Redis does not answer, or has not a few seconds ago
        """
        self._enter()
        # In braces what decides on the node of a cluster: a script needs all of its keys on one.
        keys = [f"{{{self._prefix}}}:{budget.key}:{budget.window}" for budget in budgets]
        limits = [number for budget in budgets for number in (budget.limit, budget.window)]
        try:
            if self._script is None:
                self._script = _client(self.url).register_script(SCRIPT)
            allowed, *facts = self._script(keys=keys, args=[*limits, SLICES])
        except (redis.RedisError, ValueError, OSError) as error:
            self._lose(error)
            raise Unavailable(type(error).__name__) from None
        self._find()
        if allowed:
            return verdict(budgets, facts)
        number, wait = facts
        return Verdict(False, 0, wait / 1000, budgets[number - 1])

    def _enter(self) -> None:
        """Let a call through to Redis: each while it answers, one every few seconds while it does not."""
        if redis is None:
            raise Unavailable("redis-py is not installed")
        if self._ask_again_at:
            with self._lock:
                now = time.monotonic()
                if now < self._ask_again_at:
                    raise Unavailable("waiting")
                self._ask_again_at = now + PROBE_SECONDS

    def _lose(self, error: Exception) -> None:
        with self._lock:
            self._ask_again_at = time.monotonic() + PROBE_SECONDS
            first, self._lost = not self._lost, True
        if first:
            self._on_change(f"Redis does not answer ({type(error).__name__}). Until it does, others count the calls")

    def _find(self) -> None:
        if not self._ask_again_at:
            return
        with self._lock:
            self._ask_again_at = 0.0
            was_lost, self._lost = self._lost, False
        if was_lost:
            self._on_change("Redis answers again and counts the calls")


def ping(url: str) -> tuple[str, float]:
    """Return the version of a Redis and the milliseconds that one script call takes.

    :raises Unavailable: with the kind of failure, without the address
    """
    if redis is None:
        raise Unavailable("the Python package redis is not installed")
    try:
        client = _client(url)
        version = client.info("server").get("redis_version", "?")
        started = time.perf_counter()
        # What the limiter needs: scripts may be forbidden to this user.
        client.eval("return redis.call('TIME')", 0)
        return version, (time.perf_counter() - started) * 1000
    except redis.AuthenticationError:
        raise Unavailable("it refuses the password") from None
    except redis.TimeoutError:
        raise Unavailable("no answer in time") from None
    except redis.ConnectionError:
        raise Unavailable("no connection") from None
    except (redis.RedisError, OSError) as error:
        raise Unavailable(type(error).__name__) from None
    except ValueError:
        raise Unavailable("the address is not one of Redis; write it like redis://host:6379/0") from None


def _client(url: str) -> redis.Redis:
    # No retries: whoever asks has somebody else to ask, and a person or a model waits.
    return redis.Redis.from_url(
        url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, retry=Retry(NoBackoff(), 0)
    )
