"""Finding the rows of one record: what assistants did to it."""

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import SQL

# The latest changes of a record that are looked up in the journal.
MOST_CHANGES = 500


class McpAuditLog(models.Model):
    _inherit = "mcp.audit.log"

    request = fields.Char(compute="_compute_request", help="The tool that was called, otherwise the method.")
    about = fields.Char(
        string="Record",
        compute="_compute_about",
        search="_search_about",
        help="Search it like res.partner,14.",
    )

    _record_ids = models.Index("USING gin (string_to_array(record_ids, ',')) WHERE record_ids IS NOT NULL")

    @api.depends("tool", "method")
    def _compute_request(self):
        for row in self:
            row.request = row.tool or row.method

    @api.depends("model", "record_ids")
    def _compute_about(self):
        for row in self:
            row.about = f"{row.model},{row.record_ids}" if row.model and row.record_ids else False

    def _search_about(self, operator, value):
        if operator != "in":
            return NotImplemented
        return Domain.OR(self._about(reference) for reference in value if isinstance(reference, str))

    def _about(self, reference: str) -> Domain:
        """Return the condition for the rows of `model,id`: those that list it, and those that changed it.

        A row lists the first ids of one model; the journal has every record that a call changed.
        """
        model, _comma, res_id = (part.strip() for part in reference.partition(","))
        if not res_id.isdecimal():
            return Domain.FALSE

        def listed(_model, alias, _query) -> SQL:
            # OFFSET 0 keeps PostgreSQL from walking the whole table by id for the few rows that the index finds.
            return SQL(
                """
                %s IN (SELECT id FROM mcp_audit_log
                        WHERE model = %s AND record_ids IS NOT NULL
                          AND string_to_array(record_ids, ',') @> ARRAY[%s]::varchar[]::text[] OFFSET 0)
                """,
                SQL.identifier(alias, "id"),
                model,
                res_id,
            )

        return Domain.custom(to_sql=listed) | Domain("id", "in", self._changing(model, int(res_id)))

    def _changing(self, model: str, res_id: int) -> list[int]:
        """Return the ids of the rows whose calls changed the record."""
        # By date, which is indexed: a change and its row are written in one transaction.
        self.env.cr.execute(
            SQL(
                """
                SELECT l.id
                  FROM (SELECT request_id, date FROM mcp_change WHERE model = %s AND res_id = %s
                         ORDER BY id DESC LIMIT %s) AS c
                  JOIN mcp_audit_log AS l ON l.request_id = c.request_id
                       AND l.date BETWEEN c.date - interval '1 minute' AND c.date + interval '5 minutes'
                """,
                model,
                res_id,
                MOST_CHANGES,
            )
        )
        return [row[0] for row in self.env.cr.fetchall()]

    @api.model
    def action_open_for_record(self, model: str, res_id: int) -> dict:
        """Return the action that shows what assistants did to a record; for the cog menu of every form."""
        if not self.env.user.has_group("mcp_endpoint.group_mcp_admin"):
            raise AccessError(self.env._("Only an MCP Administrator sees what the assistants of others did."))
        records = self.env[model].browse(int(res_id))
        records.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Assistants and %s", records.display_name),
            "res_model": "mcp.audit.log",
            "views": [(False, "list"), (False, "form"), (False, "graph"), (False, "pivot")],
            "domain": [("about", "=", f"{records._name},{records.id}")],
            "context": {"create": False},
            "help": self.env._("No assistant has read or changed this record as far back as the audit log goes."),
        }


class McpOauthClient(models.Model):
    _inherit = "mcp.oauth.client"

    def action_open_audit_log(self):
        """Smart button *Audit Log*: what this application was used for."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("mcp_endpoint.action_mcp_audit_log")
        return {**action, "domain": [("token_id.oauth_client_id", "=", self.id)], "name": self.name}
