"""Makes tools of records, for the tests of `mcp.tool` and of what such tools do."""

from odoo.fields import Command

from .common import McpCase


class CustomToolCase(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partners = cls.env["res.partner"].create(
            [
                {"name": "Azure Kiosk", "email": "azure@example.com", "city": "Bergen", "color": 3},
                {"name": "Beryl Kiosk", "email": "beryl@example.com", "city": "Bergen", "color": 5},
                {"name": "Coral Kiosk", "city": "Oslo", "color": 7},
            ]
        )

    @classmethod
    def make(cls, name, source, origin, *arguments, user=None, **values):
        """Return a new tool. Each argument is `(name, kind, more values)`."""
        field = {
            "action": "server_action_id", "filter": "filter_id", "report": "report_id", "template": "template_id",
        }[source]  # fmt: skip
        lines = [
            Command.create({"name": argument, "kind": kind, "description": f"The {argument}", **more})
            for argument, kind, more in arguments
        ]
        tools = cls.env["mcp.tool"]
        return (tools.with_user(user) if user else tools).create(
            {
                "name": name, "source": source, field: origin.id, "argument_ids": lines,
                "description": "Does something useful with contacts.", **values,
            }
        )  # fmt: skip

    @classmethod
    def server_action(cls, code, model="res.partner", **values):
        model_id = cls.env["ir.model"]._get_id(model)
        return cls.env["ir.actions.server"].create(
            {"name": "Paint", "model_id": model_id, "state": "code", "code": code, **values}
        )

    @classmethod
    def saved_filter(cls, domain="[]", model="res.partner", **values):
        return cls.env["ir.filters"].create(
            {"name": "Kiosks", "model_id": model, "domain": domain, "user_ids": False, **values}
        )

    @classmethod
    def template(cls, **values):
        model_id = cls.env["ir.model"]._get_id("res.partner")
        return cls.env["mail.template"].create(
            {
                "name": "Welcome", "model_id": model_id, "subject": "Welcome, {{ object.name }}",
                "body_html": "<p>Dear <t t-out='object.name'/>, welcome.</p>", "partner_to": "{{ object.id }}",
                "use_default_to": False, **values,
            }
        )  # fmt: skip

    def confirmed(self, tool, **arguments):
        """Call a tool that asks first, agree, and return the structured content."""
        asked = self.ok(tool, **arguments)
        self.assertEqual(asked["status"], "confirmation_required", asked)
        return self.ok(tool, **arguments, confirm_token=asked["confirm_token"])

    def listed(self, **options):
        exchange = self.exchange(method="tools/list", **options)
        return {tool["name"]: tool for tool in self.registry_as()._listing(exchange)}
