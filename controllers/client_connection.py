import select
from collections.abc import Callable

# Linux tells of a client's end also while something it has sent is unread.
_END = getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR if hasattr(select, "poll") else 0


def gone_check(environ: dict) -> Callable[[], bool] | None:
    """Return what says whether the client of a WSGI request has closed its connection; None where it cannot be seen.

    A client that only ends its own side counts as gone, as it does for proxies.
    """
    connection = environ.get("werkzeug.socket") or environ.get("socket")
    if connection is None or not getattr(select, "POLLRDHUP", 0):
        return None

    def is_gone() -> bool:
        try:
            # Made anew, as two threads may ask at the same time.
            poll = select.poll()
            poll.register(connection, _END)
            return bool(poll.poll(0))
        except (OSError, ValueError):
            # Closed on our side: nobody is there either.
            return True

    return is_gone
