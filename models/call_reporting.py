"""The part of `ToolCall` that tells the waiting client how far the call is and hears when nobody wants it any more."""

import contextlib
import time
from collections.abc import Iterator, Sequence

from ..services.outlet import LOG_LEVELS

# Between two reports of progress; the last one always goes out.
PAUSE = 0.2
# Items that are done between two reports, where doing them together is faster. Of fewer the journal compares more.
PORTION = 100


class CallReporting:
    """Mixed into `ToolCall`, which has `exchange`."""

    # False while it runs only to learn something: the run that follows reports, from its beginning.
    reports = True
    _reported_at = float("-inf")
    _reported = float("-inf")

    def progress(self, done: float, total: float | None = None, message: str | None = None) -> None:
        """Tell how far the call is, and let it end here if nobody wants it any more. Call it between two parts.

        :param done: grows from report to report; records, rows, files, ...
        :param message: what is being done, a few words
        :raises Cancelled: the client has cancelled the call
        """
        self.check_cancelled()
        outlet, token = self.exchange.outlet, self.exchange.progress_token
        now = time.monotonic()
        is_early = now < self._reported_at + PAUSE and (total is None or done < total)
        # The specification wants it to increase; what runs twice (a rehearsal, then the call) counts once.
        if not self.is_heard or done <= self._reported or is_early:
            return
        self._reported, self._reported_at = done, now
        told = {"progressToken": token, "progress": done, "total": total, "message": message}
        outlet.notify("notifications/progress", {name: fact for name, fact in told.items() if fact is not None})

    @property
    def is_heard(self) -> bool:
        """Whether anybody wants to know how far the call is."""
        return self.reports and self.exchange.outlet is not None and self.exchange.progress_token is not None

    def portions(self, items: Sequence, message: str) -> Iterator[Sequence]:
        """Yield slices of what is to be done, and report after each; all at once where nobody listens."""
        size = PORTION if self.is_heard else len(items) or 1
        for start in range(0, len(items), size):
            yield items[start : start + size]
            self.progress(min(start + size, len(items)), len(items), message)

    @contextlib.contextmanager
    def unreported(self) -> Iterator[None]:
        """Run the block silently, as it will run again."""
        before, self.reports = self.reports, False
        try:
            yield
        finally:
            self.reports = before

    def log(self, level: str, data: object, logger: str | None = None) -> None:
        """Send a log message, if the client wants those of this level.

        :param level: one of RFC 5424, in lower case
        :param data: JSON; no secrets and no personal data
        """
        outlet, least = self.exchange.outlet, self.exchange.log_level
        if not self.reports or outlet is None or least is None or LOG_LEVELS.index(level) < LOG_LEVELS.index(least):
            return
        outlet.notify("notifications/message", {"level": level, "data": data, **({"logger": logger} if logger else {})})

    def check_cancelled(self) -> None:
        """:raises Cancelled: the client has cancelled the call"""
        if self.exchange.running is not None:
            self.exchange.running.check()
        if self.exchange.outlet is not None:
            self.exchange.outlet.check()

    def check_client(self) -> None:
        """Look once more before what the call has done is kept. :raises Cancelled: nobody wants it"""
        if self.exchange.running is not None:
            self.exchange.running.check_client()
        self.check_cancelled()
