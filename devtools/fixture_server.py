"""A server on the small database with the fixture addons: for what needs tools that no real database has.

It stands as in production: nginx with the README's recipe, HTTP workers, the evented process, cron workers.
"""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from . import databases, nginx, postgres, server, tokens
from .console import Failure, step

FIXTURES = "mcp_endpoint_fixture,mcp_endpoint_example"
# Not the same in every ./dev at once: one that restarts has to find its port free again.
PORT = 18469 + os.getpid() % 40 * 5
PATIENCE = 180
# Other scheduled jobs would write, and conflict with writes, at times no test can know.
ONLY_OUR_CRONS = """
UPDATE ir_cron SET active = false
 WHERE id NOT IN (SELECT res_id FROM ir_model_data WHERE model = 'ir.cron' AND module = 'mcp_endpoint')
"""


@dataclass
class FixtureServer:
    """A running server, the proxy in front of it, and a token of its administrator with full access."""

    server: server.Server
    proxy: nginx.Nginx
    token: str
    options: dict

    @property
    def database(self):
        """The name of its database."""
        return self.server.database

    @property
    def base(self):
        """The base URL that clients use: the proxy's."""
        return self.proxy.base

    @property
    def url(self):
        """The MCP endpoint's URL that clients use."""
        return self.proxy.url

    def restart(self):
        """End Odoo and start it again behind the same proxy, as an upgrade does."""
        server.stop(self.server)
        self._start_again()

    def revive(self):
        """Start Odoo again if it has ended, as a service manager does.

        It ends when it has to replace a worker while PostgreSQL is away.
        """
        if not server.is_running(self.server):
            self._start_again()

    def _start_again(self):
        before = self.server
        self.server = server.start(before.database, port=before.port, **self.options)
        if (self.server.port, self.server.gevent_port) != (before.port, before.gevent_port):
            raise Failure("Somebody has taken a port of the server that restarts.")
        self.warm_up()

    def warm_up(self):
        """Let each process load the database, which takes seconds: clients and suites wait for less."""
        workers = self.options["workers"]
        # Without workers there is one process, which has answered already.
        evented = [f"http://127.0.0.1:{self.server.gevent_port}/mcp"] if workers else []
        with ThreadPoolExecutor() as pool:
            # To a port whose process is not there yet nobody answers.
            found = list(pool.map(_answered, [*evented, *[self.server.url] * (2 * workers)]))
        if not all(found):
            raise Failure(f"Not every process answers (log: {self.server.log}).")


@contextmanager
def running(purpose, *, workers=2, crons=2):
    """Such a server for the time of a block."""
    with databases.temporary("small", purpose) as database:
        with step(f"server with the fixture addon ({purpose})"):
            databases.run_odoo(database, "-i", FIXTURES, "--stop-after-init", fixtures=True)
            databases.lift_limits(database)
            # As *Check Connection* would find it.
            databases.set_limits(database, streams_routed="True")
            postgres.query(ONLY_OUR_CRONS, database)
            (token,) = tokens.issue(database, tokens.Wanted("admin", "full"))
            proxy = nginx.reserved()
            options = {
                "workers": workers, "fixtures": True, "public": proxy.base,
                "options": (f"--max-cron-threads={crons}", "--proxy-mode"),
            }
            fixture = FixtureServer(server.start(database, port=PORT, **options), proxy, token, options)
        try:
            fixture.warm_up()
            with nginx.running(fixture.server.port, fixture.server.gevent_port, proxy):
                yield fixture
        finally:
            server.stop(fixture.server)


def _answered(url):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if server.status(url):
            return True
        time.sleep(0.2)
    return False
