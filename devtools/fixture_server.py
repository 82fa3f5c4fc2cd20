"""A server on the small database with the fixture addons: for what needs tools that no real database has."""

from contextlib import contextmanager
from dataclasses import dataclass

from . import databases, server, tokens
from .console import step

FIXTURES = "mcp_endpoint_fixture,mcp_endpoint_example"
PORT = 18469


@dataclass(frozen=True)
class FixtureServer:
    """A running server, and a token of its administrator with full access."""

    server: server.Server
    token: str

    @property
    def database(self):
        """The name of its database."""
        return self.server.database


@contextmanager
def running(purpose, *, workers=2):
    """Such a server for the time of a block."""
    with databases.temporary("small", purpose) as database:
        with step(f"server with the fixture addon ({purpose})"):
            databases.run_odoo(database, "-i", FIXTURES, "--stop-after-init", fixtures=True)
            databases.lift_limits(database)
            (token,) = tokens.issue(database, tokens.Wanted("admin", "full"))
            started = server.start(
                database, port=PORT, workers=workers, fixtures=True, options=("--max-cron-threads=0",),
            )
        try:
            yield FixtureServer(started, token)
        finally:
            server.stop(started)
