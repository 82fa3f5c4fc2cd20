"""The one thread per process and database that serves all open streams: it waits for notices, reads what they are
about once, and fans it out in memory. It holds a database connection only while it reads.
"""

import itertools
import logging
import random
import threading
import time
from collections import OrderedDict
from contextlib import contextmanager

import psycopg2
from odoo.addons.bus.models import bus
from odoo.addons.bus.websocket import acquire_cursor
from odoo.api import SUPERUSER_ID, Environment
from odoo.modules.registry import Registry
from odoo.service.server import CommonServer
from psycopg2.pool import PoolError

from ..services import sse
from ..services.held_stream import HeldStream
from ..services.stream_index import StreamIndex
from .stream_delivery import Delivery

_logger = logging.getLogger(__name__)

# Seconds between two heartbeats, with which a token is looked at again too.
HEARTBEAT = 15.0
# Seconds after which the place of a client that has gone is free again, and notices are looked for without a word of
# them: Odoo's dispatcher sleeps for 50 seconds when its connection has broken.
SWEEP = 2.0
# Notices that come together are read together.
GATHER = 0.01
# Rows of the bus can become visible out of order, up to so many seconds late.
WINDOW = 10.0
# With the database away for so many seconds nobody can say whose token is still good.
LONGEST_OUTAGE = 60.0
# Seconds between two notes in the database that sessions are in use.
NOTED_EVERY = 300.0
# Clients come back at different moments. Official ones try twice and give up: together that has to be longer than a
# restart takes. They wait only where a stream has broken off.
RETRY_MS = (6000, 12_000)

_hubs: dict[str, "StreamHub"] = {}
# Kept when a hub is done: places are reserved before there is one.
_indexes: dict[str, StreamIndex] = {}
_lock = threading.Lock()


def hold(dbname: str, stream: HeldStream) -> None:
    """Keep a stream until its connection ends."""
    with _lock:
        hub = _hubs.get(dbname)
        if hub is None or not hub.is_alive():
            hub = _hubs[dbname] = StreamHub(dbname)
            hub.start()
        hub.add(stream)


def index_of(dbname: str) -> StreamIndex:
    """Return the streams that this process holds for a database."""
    return _indexes.setdefault(dbname, StreamIndex())


def retry_ms() -> int:
    """Return how long a client should wait before it connects again."""
    return random.randint(*RETRY_MS)


def end_all() -> None:
    """End all streams of this process, as clients expect it of a server that goes away."""
    for hub in list(_hubs.values()):
        hub.stop()


CommonServer.on_stop(end_all)


class StreamHub(threading.Thread):
    """Serves the streams of one database. For Odoo's bus it is one more websocket."""

    def __init__(self, dbname: str) -> None:
        super().__init__(name=f"mcp.streams.{dbname}", daemon=True)
        self.dbname = dbname
        self.index = index_of(dbname)
        # Read by Odoo's dispatcher of notifications.
        self._channels: set = set()
        self._wake = threading.Event()
        self._fresh: list[HeldStream] = []
        self._is_stopped = False
        self._away_since: float | None = None
        self._noted_at = time.monotonic()
        # Of notices: by id when it was seen, and the id up to which all have been.
        self._seen: OrderedDict[int, float] = OrderedDict()
        self._maxima: list[tuple[float, int]] = []
        self._floor: int | None = None
        self._registry: Registry | None = None

    def subscribe(self, channels, _last) -> None:
        """Called by Odoo's dispatcher."""
        self._channels = channels

    def trigger_notification_dispatching(self) -> None:
        """Called by Odoo's dispatcher: there may be notices."""
        self._wake.set()

    def add(self, stream: HeldStream) -> None:
        """Serve a stream until it is closed."""
        stream.on_close(self._remove)
        self.index.add(stream)
        self._fresh.append(stream)
        self._wake.set()

    def stop(self) -> None:
        """End all streams, now."""
        self._is_stopped = True
        self.index.end_all({kind: sse.retry(retry_ms()) for kind in ("session", "resumed")})
        self._wake.set()

    def run(self) -> None:
        due, sweep = time.monotonic() + HEARTBEAT, time.monotonic() + SWEEP
        try:
            while not self._is_stopped:
                if self._wake.wait(max(min(due, sweep) - time.monotonic(), 0)):
                    time.sleep(GATHER)
                self._wake.clear()
                if time.monotonic() >= sweep:
                    sweep = time.monotonic() + SWEEP
                    self.index.drop_gone(self.index.all())
                is_due = time.monotonic() >= due
                if is_due:
                    due = time.monotonic() + HEARTBEAT
                self._turn(is_due)
                with _lock:
                    if is_due and not self._fresh and not len(self.index):
                        del _hubs[self.dbname]
                        return
        finally:
            if _hubs.get(self.dbname) is self:
                # Something here is broken, or all is stopped: clients then come back, to a new hub.
                self.index.end_all({})
            bus.dispatch.unsubscribe(self)

    def _turn(self, is_due: bool) -> None:
        with _lock:
            fresh, self._fresh = self._fresh, []
        seen = self._seen.copy()
        try:
            with self._environment() as env:
                delivery = Delivery(env, self.index)
                if self._floor is None:
                    bus.dispatch.subscribe([env["mcp.notice"]._channel()], 0, self.dbname, self)
                    self._floor = self._newest(env)
                delivery.clean_up(self.index.take_closed())
                changed = self._changed(env)
                delivery.begin([stream for stream in fresh if not stream.is_over], self._newest_seen(), retry_ms())
                delivery.deliver(changed)
                if is_due:
                    delivery.check()
                if time.monotonic() >= self._noted_at + NOTED_EVERY:
                    self._noted_at = time.monotonic()
                    delivery.note_use()
            self._away_since = None
        except (psycopg2.Error, PoolError) as error:
            if self._away_since is None:
                self._away_since = time.monotonic()
                name = type(error).__name__
                _logger.warning("Event streams of %s: the database does not answer (%s)", self.dbname, name)
            # What was not told is told the next time; some hear of it twice.
            with _lock:
                self._fresh = [*fresh, *self._fresh]
            self._seen = seen
            if time.monotonic() > self._away_since + LONGEST_OUTAGE:
                self.index.end_all({})
            time.sleep(1)
            self._wake.set()
        if is_due:
            for stream in self.index.all():
                stream.push(sse.COMMENT)

    @contextmanager
    def _environment(self):
        with acquire_cursor(self.dbname) as cr:
            self._registry_now = Registry(self.dbname).check_signaling(cr)
            # Superuser: it reads notices and rows of ours for all streams; what is told to whom is asked as each user.
            yield Environment(cr, SUPERUSER_ID, {})

    def _changed(self, env) -> dict[str, int]:
        """Return the topics that have changed since the last time, each with the id of its notice."""
        changed: dict[str, int] = {}
        now = time.monotonic()
        for notice_id, found in env["mcp.notice"]._after(self._floor):
            if notice_id not in self._seen:
                self._seen[notice_id] = now
                changed.update(dict.fromkeys(found, notice_id))
        self._maxima.append((now, self._newest(env)))
        for _seen_at, maximum in itertools.takewhile(lambda item: item[0] < now - WINDOW, list(self._maxima)):
            self._floor = max(self._floor, maximum)
            self._maxima.pop(0)
        self._seen = OrderedDict((notice, at) for notice, at in self._seen.items() if notice > self._floor)
        if self._registry is not None and self._registry_now is not self._registry:
            # Modules, models or fields: another worker has made them, and told only that the registry is another.
            changed.update(dict.fromkeys(("modules", "schema"), self._newest_seen()))
        self._registry = self._registry_now
        return changed

    def _newest(self, env) -> int:
        env.cr.execute("SELECT COALESCE(MAX(id), 0) FROM bus_bus")
        return env.cr.fetchone()[0]

    def _newest_seen(self) -> int:
        return self._maxima[-1][1] if self._maxima else (self._floor or 0)

    def _remove(self, stream: HeldStream) -> None:
        self.index.remove(stream)
        if stream.kind in ("legacy", "listen"):
            self._wake.set()
