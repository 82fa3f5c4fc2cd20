"""Where a running call tells its client how far it is, and learns that nobody waits for it any more.

Only the interface: the transports implement it (an event stream, a job, nothing at all).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

# Least severe first, as the specification orders them (RFC 5424).
LOG_LEVELS = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")


# Progress is more than this.
NOTHING_TOLD = -1.0


class Outlet(Protocol):
    """The way back to whoever waits for one call."""

    def notify(self, method: str, params: Mapping[str, object]) -> None:
        """Send a notification, at once where the transport can. Never waits for the client."""

    def check(self) -> None:
        """:raises Cancelled: the client has cancelled the call, or has gone where that means the same"""


@runtime_checkable
class Stream(Outlet, Protocol):
    """An outlet that is the event stream of the request itself: it can carry more than notifications.

    Its `told` is the progress that it has told last: what goes on elsewhere goes on from there.
    """

    told: float

    def push(self, message: Mapping[str, object] | None, event_id: str | None = None, retry: int | None = None) -> None:
        """Send a JSON-RPC message, None for an event without one; see `services.sse.event` for the rest.

        :raises Cancelled: the client has gone, where that means the same
        """
