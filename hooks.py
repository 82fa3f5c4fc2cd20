def uninstall_hook(env):
    """Remove what has no external id, because it was made while the addon was used: settings, filters, files."""
    env["ir.config_parameter"].search([("key", "=like", r"mcp\_endpoint.%")]).unlink()
    ours = [name for name, model in env.registry.items() if model._original_module == "mcp_endpoint"]
    env["ir.filters"].with_context(active_test=False).search([("model_id", "in", ours)]).unlink()
    # The condition on `id` also finds the attachments behind binary fields, which a search leaves out otherwise.
    env["ir.attachment"].search([("res_model", "in", ours), ("id", "!=", False)]).unlink()
