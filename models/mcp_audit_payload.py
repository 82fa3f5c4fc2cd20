"""What calls were given and answered, where a profile has it kept: masked, bounded, for a time of its own."""

import json
import re

from odoo import api, fields, models, tools
from odoo.tools import SQL

from ..services import redaction, safe_patterns
from ..services.exchange import Exchange
from ..services.guardrails import model_is_unreachable
from .retention import purge_old

DEFAULT_RETENTION_DAYS = 14
# Characters of all texts of the arguments, and of the result; what comes after is left out.
LONGEST_PAYLOAD = 32_000
# Time for masking each of the two.
SECONDS = 0.25
PATTERNS = "mcp_endpoint.redact_patterns"
EMAILS = "mcp_endpoint.redact_emails"


class McpAuditPayload(models.Model):
    _name = "mcp.audit.payload"
    _inherit = ["mcp.audit"]
    _description = "MCP Audit Payload"
    _log_access = False
    _order = "id desc"
    _rec_name = "date"

    log_id = fields.Many2one("mcp.audit.log", required=True, readonly=True, index=True, ondelete="cascade")
    date = fields.Datetime(required=True, readonly=True, index=True)
    # Shown on the row of the log, as far as the reader may read what they are about.
    request = fields.Text(string="Arguments", readonly=True, groups=fields.NO_ACCESS)
    response = fields.Text(string="Result", readonly=True, groups=fields.NO_ACCESS)

    def _insert(self, log_id: int, date, payload: tuple[str, str | None]) -> None:
        self.env.cr.execute(
            SQL(
                "INSERT INTO mcp_audit_payload (log_id, date, request, response) VALUES (%s, %s, %s, %s)",
                log_id,
                date,
                *payload,
            )
        )

    @api.autovacuum
    def _gc_old_payloads(self):
        """Delete what is past its retention time; the rows of the log stay."""
        return purge_old(self, "mcp_endpoint.payload_days", DEFAULT_RETENTION_DAYS)

    @api.model
    def _masked(self, value: object) -> str:
        """Return a value as JSON text with secrets masked. The value itself is left as it is."""
        # sudo: parameters say what to mask, whoever calls.
        parameters = self.env["ir.config_parameter"].sudo()
        patterns = list(safe_patterns.compiled(parameters.get_param(PATTERNS, "") or ""))
        if parameters.get_param(EMAILS):
            patterns.append(redaction.EMAIL)
        masked = redaction.redact(
            value, keys=self._secret_fields(), patterns=patterns, max_total=LONGEST_PAYLOAD, seconds=SECONDS
        )
        return json.dumps(masked, ensure_ascii=False, indent=1, default=str).replace("\0", "")

    @api.model
    @tools.ormcache()
    def _secret_fields(self) -> frozenset[str]:
        """Return the names of fields that nobody may read in Odoo, of models that assistants could reach."""
        return frozenset(
            name
            for model, cls in self.env.registry.items()
            if not model_is_unreachable(model)
            for name, field in cls._fields.items()
            if field.groups == fields.NO_ACCESS
        )


class McpAuditLog(models.Model):
    _inherit = "mcp.audit.log"

    payload_ids = fields.One2many("mcp.audit.payload", "log_id", readonly=True)
    payload_request = fields.Text(string="Arguments", compute="_compute_payload")
    payload_response = fields.Text(string="Result", compute="_compute_payload")
    payload_hidden = fields.Boolean(compute="_compute_payload")

    @api.depends("payload_ids")
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_payload(self):
        for row in self:
            # sudo: shown only where `_shows_payload` agrees.
            payload = row.sudo().payload_ids[:1]
            row.payload_hidden = bool(payload) and not row._shows_payload(payload)
            is_shown = payload and not row.payload_hidden
            row.payload_request = payload.request if is_shown else False
            row.payload_response = payload.response if is_shown else False

    def _shows_payload(self, payload) -> bool:
        """Say whether the reader could read in Odoo what a call was given and answered: as its own user, as somebody
        who may read all that it names, or as an administrator of the settings.
        """
        user = self.env.user
        if self.env.su or self.user_id == user or user.has_group("base.group_system"):
            return True
        # Other calls (a batch, a full-text search) may be about anything.
        if self.model not in self.env or self.model != _named_model(payload.request):
            return False
        if not self.env[self.model].has_access("read"):
            return False
        records = self.env[self.model].browse(map(int, (self.record_ids or "").split(",")) if self.record_ids else ())
        if self.record_count > len(records) or len(records._filtered_access("read")) < len(records):
            return False
        text = f"{payload.request} {payload.response}"
        closed = {name for name, field in records._fields.items() if self._is_closed(records, field)}
        # Behind a dot: values of other records, which the rules of their model may hide.
        linked = {name for name, field in records._fields.items() if field.relational}
        return closed.isdisjoint(re.findall(r"\w+", text)) and linked.isdisjoint(re.findall(r"(\w+)\.\w", text))

    def _is_closed(self, records, field) -> bool:
        if not records._has_field_access(field, "read"):
            return True
        other = field.comodel_name if field.relational else None
        return other in self.env and not self.env[other].has_access("read")

    def _payload(self, exchange: Exchange, arguments: object, result: object) -> tuple[str, str | None] | None:
        if not exchange.credential.token_id:
            return None
        if not self.env["mcp.profile"]._compiled_for(exchange.credential).capture:
            return None
        if arguments is None:
            params = exchange.message.params
            arguments = {name: value for name, value in params.items() if name != "_meta"}
        payloads = self.env["mcp.audit.payload"]
        return payloads._masked(arguments), None if result is None else payloads._masked(_essence(result))


def _essence(result: object) -> object:
    """Return what a `CallToolResult` says, once: its text repeats the structured content."""
    if isinstance(result, dict) and result.get("structuredContent"):
        return result["structuredContent"]
    return result


def _named_model(request: str) -> object:
    """Return the model that the arguments of a call name, None where they name none."""
    given = json.loads(request)
    arguments = given.get("arguments", given) if isinstance(given, dict) else None
    return arguments.get("model") if isinstance(arguments, dict) else None
