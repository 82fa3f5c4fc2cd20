"""The way back to a client that is answered by the outbox: while its call runs, and whatever becomes of it."""

import time
from collections.abc import Mapping

from odoo.api import SUPERUSER_ID, Environment
from odoo.modules.registry import Registry

from ..services.exchange import Exchange
from ..services.outlet import NOTHING_TOLD

# Each note of progress is a transaction of its own: after so many they are told at this pace.
FREE_NOTES = 20
PROGRESS_SECONDS = 0.25


class OutboxOutlet:
    """See `services.outlet.Outlet`: what is told before the call's own transaction is committed.

    :param told: the progress that the client has heard of before
    """

    def __init__(self, database: str, stream: str, exchange: Exchange, told: float = NOTHING_TOLD) -> None:
        self.told = told
        self._database = database
        self._stream = stream
        self._exchange = exchange
        self._told_at = 0.0
        self._notes = 0

    def notify(self, method: str, params: Mapping[str, object]) -> None:
        if method == "notifications/progress":
            now, done = time.monotonic(), params["progress"]
            is_late = self._notes < FREE_NOTES or now - self._told_at >= PROGRESS_SECONDS
            if done <= self.told or not (is_late or done == params.get("total")):
                return
            self.told, self._told_at, self._notes = done, now, self._notes + 1
        self.append({"jsonrpc": "2.0", "method": method, "params": params})
        self.check()

    def begin_attempt(self) -> None:
        """Note that the call starts, perhaps once more from the beginning. Progress is not told twice by itself."""

    def check(self) -> None:
        if self._exchange.running is not None:
            self._exchange.running.check()

    def append(self, message: Mapping[str, object]) -> None:
        """Send a message on the stream, whatever becomes of the call."""
        with Registry(self._database).cursor() as cr:
            # Superuser: writes into the outbox of the session that was found with the request's credential.
            outbox = Environment(cr, SUPERUSER_ID, {})["mcp.stream.event"]
            outbox._append(self._stream, self._exchange.session_id, dict(message))
