"""How many connections may wait for a worker.

Odoo lets eight wait per worker and turns the next ones away, whoever they are: a burst of assistants that are refused
in milliseconds would still cost a person the page. A longer queue costs nothing.
"""

import functools

from odoo.service import server

WAITING = 512


@functools.cache
def widen() -> None:
    """Lengthen the queue of this server, once per process."""
    # Only the server with workers has this socket; the threaded one has a long queue by itself.
    if (listening := getattr(server.server, "socket", None)) is not None:
        # On a socket that listens already this changes the length of its queue and nothing else.
        listening.listen(WAITING)
