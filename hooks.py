from odoo.tools import config

from .controllers import database_routing, stream_gate


def post_load():
    """Let requests for streams wait in their process, and choose databases by name where the configuration loads this
    addon before there is a database."""
    stream_gate.install()
    if "mcp_endpoint" in config["server_wide_modules"]:
        database_routing.install()


def post_init_hook(env):
    """Keep the issuer if the address of this database is known already, and look whether metadata can be fetched."""
    env["mcp.oauth.server"]._keep_issuer()
    env.ref("mcp_endpoint.cron_check_egress")._trigger()


def uninstall_hook(env):
    """Remove what has no external id, because it was made while the addon was used: settings and saved filters."""
    env["ir.config_parameter"].search([("key", "=like", r"mcp\_endpoint.%")]).unlink()
    ours = [name for name, model in env.registry.items() if model._original_module == "mcp_endpoint"]
    env["ir.filters"].with_context(active_test=False).search([("model_id", "in", ours)]).unlink()
