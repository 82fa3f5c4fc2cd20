# Run in `odoo shell` on a new template: nothing may call out, the log must stay clean.
chatty = env["ir.module.module"].search([("name", "in", ["partner_autocomplete"]), ("state", "=", "installed")])
if chatty:
    chatty.button_immediate_uninstall()
    env = env(context=dict(env.context))
publisher = env.ref("mail.ir_cron_module_update_notification", raise_if_not_found=False)
if publisher:
    publisher.active = False
env["ir.config_parameter"].set_param("iap.endpoint", "http://127.0.0.1:9")
env.cr.commit()
