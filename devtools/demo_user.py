"""The person of the demo: Marc Demo, with the rights of somebody who works in the whole company."""

LOGIN = "demo"
PASSWORD = "demo"

# Run in `odoo shell`.
PREPARE = """
groups = (
    "base.group_user", "base.group_partner_manager", "mcp_endpoint.group_mcp_user", "sales_team.group_sale_manager",
    "account.group_account_invoice", "stock.group_stock_user", "purchase.group_purchase_user",
    "project.group_project_user", "hr.group_hr_user", "hr_holidays.group_hr_holidays_user",
)
user = env["res.users"].search([("login", "=", "demo")])
found = [env.ref(name, raise_if_not_found=False) for name in groups]
user.write({"group_ids": [(4, group.id) for group in found if group]})
env.cr.commit()
"""
