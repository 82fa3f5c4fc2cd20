"""A server on the small database with the fixture addons: for what needs tools that no real database has.

It stands as in production: nginx with the README's recipe, HTTP workers, the evented process, cron workers.
"""

from contextlib import contextmanager
from dataclasses import dataclass

from . import databases, nginx, postgres, server, tokens
from .console import step

FIXTURES = "mcp_endpoint_fixture,mcp_endpoint_example"
PORT = 18469
# Other scheduled jobs would write, and conflict with writes, at times no test can know.
ONLY_OUR_CRONS = """
UPDATE ir_cron SET active = false
 WHERE id NOT IN (SELECT res_id FROM ir_model_data WHERE model = 'ir.cron' AND module = 'mcp_endpoint')
"""


@dataclass(frozen=True)
class FixtureServer:
    """A running server, the proxy in front of it, and a token of its administrator with full access."""

    server: server.Server
    proxy: nginx.Nginx
    token: str

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


@contextmanager
def running(purpose, *, workers=2, crons=2):
    """Such a server for the time of a block."""
    with databases.temporary("small", purpose) as database:
        with step(f"server with the fixture addon ({purpose})"):
            databases.run_odoo(database, "-i", FIXTURES, "--stop-after-init", fixtures=True)
            databases.lift_limits(database)
            postgres.query(ONLY_OUR_CRONS, database)
            (token,) = tokens.issue(database, tokens.Wanted("admin", "full"))
            proxy = nginx.reserved()
            started = server.start(
                database, port=PORT, workers=workers, fixtures=True, public=proxy.base,
                options=(f"--max-cron-threads={crons}", "--proxy-mode"),
            )
        try:
            with nginx.running(started.port, started.gevent_port, proxy):
                yield FixtureServer(started, proxy, token)
        finally:
            server.stop(started)
