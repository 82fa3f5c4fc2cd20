import json

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..services.exchange import Exchange
from .retention import purge_old

OUTCOMES = [
    ("ok", "Done"),
    ("error", "Error"),
    ("refused", "Refused"),
    ("asked", "Asked for confirmation"),
]
# What is kept of one call's record ids and of an error's text; the rest is in the count.
LISTED_IDS = 50
LONGEST_REASON = 500
DEFAULT_RETENTION_DAYS = 90


class McpAuditLog(models.Model):
    _name = "mcp.audit.log"
    _description = "MCP Audit Log"
    _order = "id desc"
    _log_access = False
    _rec_name = "tool"

    date = fields.Datetime(required=True, readonly=True, index=True)
    user_id = fields.Many2one("res.users", readonly=True, ondelete="restrict")
    token_id = fields.Many2one("mcp.token", readonly=True, index="btree_not_null", ondelete="set null")
    session_id = fields.Many2one("mcp.session", readonly=True, index="btree_not_null", ondelete="set null")
    client = fields.Char(readonly=True, help="As the client names itself; not verified.")
    protocol = fields.Char(readonly=True)
    transport = fields.Char(readonly=True)
    ip = fields.Char(string="Address", readonly=True)
    method = fields.Char(readonly=True)
    tool = fields.Char(readonly=True)
    model = fields.Char(readonly=True)
    record_ids = fields.Char(string="Records", readonly=True)
    record_count = fields.Integer(readonly=True, aggregator="sum")
    outcome = fields.Selection(OUTCOMES, readonly=True)
    reason = fields.Char(readonly=True)
    dry_run = fields.Boolean(readonly=True)
    duration_ms = fields.Float(string="Duration (ms)", readonly=True, digits=(16, 1), aggregator="avg")
    request_size = fields.Integer(string="Request (bytes)", readonly=True, aggregator="sum")
    response_size = fields.Integer(string="Answer (characters)", readonly=True, aggregator="sum")
    request_id = fields.Char(readonly=True)

    _user_date = models.Index("(user_id, id DESC)")

    @api.model
    def _record(
        self,
        exchange: Exchange,
        *,
        outcome: str,
        duration_ms: float,
        tool: str | None = None,
        reason: str | None = None,
        model: str | None = None,
        record_ids=(),
        dry_run: bool = False,
        response_size: int = 0,
        durable: bool = True,
    ) -> None:
        """Write the row of one request, in the transaction of what it reports.

        :param durable: False for a request that has changed nothing: its commit need not wait for the disk
        :param record_ids: ids the call read or changed; the first 50 are listed, all are counted
        """
        values = {
            "date": fields.Datetime.now(),
            "user_id": exchange.credential.user_id,
            "token_id": exchange.credential.token_id,
            "session_id": exchange.session_id,
            "client": _client_name(exchange),
            "protocol": exchange.version.name,
            "transport": exchange.transport,
            "ip": exchange.credential.ip,
            "method": exchange.message.method[:64],
            "tool": tool,
            "model": model,
            "record_ids": ",".join(map(str, record_ids[:LISTED_IDS])) or None,
            "record_count": len(record_ids),
            "outcome": outcome,
            "reason": reason and reason[:LONGEST_REASON],
            "dry_run": dry_run,
            "duration_ms": round(duration_ms, 1),
            "request_size": exchange.size,
            "response_size": response_size,
            "request_id": exchange.request_id,
        }
        self._insert(values, durable=durable)

    @api.model
    def _record_event(
        self, *, method: str, outcome: str, user_id: int, token_id: int | None, ip: str, client: str, reason: str
    ) -> None:
        """Write the row of something that happened to a token outside any call, in the transaction of the event.

        :param method: what stands for the MCP method, like `oauth/token`
        :param client: the user agent
        """
        values = {
            "date": fields.Datetime.now(),
            "user_id": user_id,
            "token_id": token_id,
            "client": _clean(client),
            "transport": "http",
            "ip": ip or None,
            "method": method,
            "outcome": outcome,
            "reason": reason[:LONGEST_REASON],
        }
        self._insert(values, durable=True)

    def _insert(self, values: dict[str, object], *, durable: bool) -> None:
        # A reading tool's statements had a time limit; this one and those that follow have none.
        # Straight SQL: the row has no computed field, no default and no rule, and `create` would double the cost of
        # a small read.
        self.env.cr.execute(
            SQL(
                "SET LOCAL statement_timeout TO DEFAULT; %s INSERT INTO mcp_audit_log (%s) VALUES %s",
                SQL("" if durable else "SET LOCAL synchronous_commit = off;"),
                SQL(", ").join(SQL.identifier(name) for name in values),
                tuple(values.values()),
            )
        )

    def write(self, vals):
        raise UserError(self.env._("The audit log cannot be changed."))

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("The audit log cannot be deleted; it is purged after its retention time."))

    @api.autovacuum
    def _gc_old_rows(self):
        """Delete rows past the retention time."""
        return purge_old(self, "mcp_endpoint.audit_days", DEFAULT_RETENTION_DAYS)


def _client_name(exchange: Exchange) -> str | None:
    """Return the client's own name and version, or its user agent."""
    name, version = exchange.client.get("name"), exchange.client.get("version")
    if not isinstance(name, str) or not name:
        return exchange.credential.user_agent or None
    return _clean(f"{name} {version if isinstance(version, str) else ''}".strip())


def _clean(text: str) -> str | None:
    # As JSON text: no control characters and no invalid surrogates reach the database.
    return json.dumps(text[:100], ensure_ascii=True)[1:-1] or None
