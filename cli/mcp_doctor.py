"""`odoo mcp_doctor -c odoo.conf -d DATABASE`: check the connection from the command line."""

import sys

from odoo import api
from odoo.cli import Command
from odoo.modules.registry import Registry
from odoo.tools import config

SECONDS = 60.0


class McpDoctor(Command):
    """Check every hop between an AI assistant and this database, and say what to change.

    Takes Odoo's own options: -c, -d, --addons-path and so on. Give the configuration file that the server runs with.
    It ends with 1 when a check has failed.
    """

    name = "mcp_doctor"

    def run(self, args):
        """Print the report."""
        config.parser.prog = self.prog
        config.parse_config([*args, "--no-http"], setup_logging=True)
        names = config["db_name"]
        if len(names) != 1:
            sys.exit("Name one database: odoo mcp_doctor -c odoo.conf -d DATABASE")
        with Registry(names[0]).cursor() as cr:
            env = api.Environment(cr, api.SUPERUSER_ID, {})
            if "mcp.doctor" not in env:
                sys.exit(f"The app MCP Server is not installed in {names[0]}.")
            report, is_failed = env["mcp.doctor"]._report(SECONDS)
        sys.stdout.write(report)
        if is_failed:
            sys.exit(1)
