import json
import threading
import time
from collections.abc import Callable, Mapping

from ..services import jsonrpc, sse
from ..services.outlet import NOTHING_TOLD
from ..services.running_calls import GONE, RunningCall

# An open stream is never silent for longer: proxies end what looks dead, commonly after a minute.
HEARTBEAT_SECONDS = 15.0


class StreamOutlet:
    """The event stream of one POST while its call runs, opened by the first thing that is sent.

    The thread that runs the call sends here, and the one that watches it: a lock keeps events whole.

    :param start: begins the HTTP answer as an event stream and returns what writes to it
    :param running: is cancelled when the client is found gone and that means so
    """

    def __init__(self, start: Callable[[], Callable[[bytes], object]], running: RunningCall) -> None:
        self._start = start
        self._running = running
        self._write: Callable[[bytes], object] | None = None
        self._lock = threading.Lock()
        self._is_over = False
        self._sent_at = time.monotonic()
        self.told = NOTHING_TOLD
        # Log messages of this attempt, and of those before it, which were rolled back.
        self._logged: list[str] = []
        self._logged_before: list[str] = []

    @property
    def is_open(self) -> bool:
        """Whether the answer has begun, and so is an event stream whatever comes."""
        return self._write is not None

    def notify(self, method: str, params: Mapping[str, object]) -> None:
        """See `services.outlet.Outlet`. What an earlier attempt of the same call has said is not said again."""
        if method == "notifications/progress":
            if params["progress"] <= self.told:
                return
            self.told = params["progress"]
        elif method == "notifications/message":
            text = json.dumps(params, sort_keys=True, default=str)
            self._logged.append(text)
            if text in self._logged_before:
                self._logged_before.remove(text)
                return
        self.push({"jsonrpc": "2.0", "method": method, "params": params})

    def push(self, message: Mapping[str, object] | None, event_id: str | None = None, retry: int | None = None) -> None:
        """See `services.outlet.Stream`."""
        self._send(sse.event(b"" if message is None else jsonrpc.dump(message, str), event_id, retry))
        self.check()

    def check(self) -> None:
        """See `services.outlet.Outlet`."""
        self._running.check()

    def begin_attempt(self) -> None:
        """Note that the call starts, perhaps once more from the beginning."""
        self._logged_before, self._logged = self._logged_before + self._logged, []

    def beat(self) -> None:
        """Send a comment if nothing was sent for long. It opens the stream: a proxy sees no answer otherwise."""
        if time.monotonic() - self._sent_at >= HEARTBEAT_SECONDS:
            self._send(sse.COMMENT)

    def finish(self, last: bytes = b"") -> bool:
        """Let nothing more be sent after `last`, which goes out only on an open stream; say whether it is one."""
        with self._lock:
            # From here on a heartbeat does not open it any more.
            self._is_over = self._is_over or not self.is_open
        if self.is_open and last:
            self._send(last)
        with self._lock:
            self._is_over = True
        return self.is_open

    def _send(self, data: bytes) -> None:
        with self._lock:
            if self._is_over:
                return
            try:
                if self._write is None:
                    self._write = self._start()
                self._write(data)
            except OSError:
                # Gone, or it has stopped reading: nothing that follows would be whole.
                self._is_over = True
            self._sent_at = time.monotonic()
            lost = self._is_over
        if lost and self._running.is_gone is not None:
            self._running.cancel(GONE)
