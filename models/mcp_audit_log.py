import functools
import json
import time

from odoo import api, fields, models

from ..services.errors import ToolError
from ..services.exchange import Credential, Exchange
from ..services.flood_gate import FloodGate
from ..services.seal import payload_digest
from .rehearsal import WITHOUT_WAITING, unsent

OUTCOMES = [
    ("ok", "Done"),
    ("error", "Error"),
    ("refused", "Refused"),
    ("asked", "Asked for confirmation"),
    ("cancelled", "Cancelled by the client"),
]
# What is kept of one call's record ids and of an error's text; the rest is in the count.
LISTED_IDS = 50
LONGEST_REASON = 500
MAX_INTEGER = 2**31 - 1

_refusals = FloodGate()


class McpAuditLog(models.Model):
    _name = "mcp.audit.log"
    _inherit = ["mcp.audit"]
    _description = "MCP Audit Log"
    _order = "id desc"
    _log_access = False
    _rec_name = "request"
    _rec_names_search = ["tool", "method"]

    date = fields.Datetime(required=True, readonly=True, index=True)
    user_id = fields.Many2one("res.users", readonly=True, ondelete="restrict")
    token_id = fields.Many2one("mcp.token", readonly=True, index="btree_not_null", ondelete="set null")
    session_id = fields.Many2one("mcp.session", readonly=True, index="btree_not_null", ondelete="set null")
    # Tokens and sessions are deleted one day, which empties the two fields above. These two stay, and are sealed.
    token_number = fields.Integer(readonly=True, aggregator=None)
    session_number = fields.Integer(readonly=True, aggregator=None)
    client = fields.Char(readonly=True, help="As the client names itself; not verified.")
    client_version = fields.Char(readonly=True)
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
    repeats = fields.Integer(
        string="Not Listed",
        readonly=True,
        help="So many refusals or notifications of the same token came before this one in too short a time to be "
        "listed one by one.",
    )
    duration_ms = fields.Float(string="Duration (ms)", readonly=True, digits=(16, 1), aggregator="avg")
    request_size = fields.Integer(string="Request (bytes)", readonly=True, aggregator="sum")
    response_size = fields.Integer(string="Answer (characters)", readonly=True, aggregator="sum")
    request_id = fields.Char(string="Request ID", readonly=True)
    trace = fields.Char(readonly=True, help="The client's own trace (W3C Trace Context), to find it in its logs.")
    payload_digest = fields.Char(readonly=True, help="SHA-256 of the arguments and the result that were kept.")

    _user_date = models.Index("(user_id, id DESC)")

    @api.model
    def _record(
        self,
        exchange: Exchange,
        *,
        outcome: str,
        duration_ms: float,
        tool: str | None = None,
        reason: str | ToolError | None = None,
        model: str | None = None,
        record_ids=(),
        dry_run: bool = False,
        response_size: int = 0,
        durable: bool = True,
        arguments: object = None,
        result: object = None,
    ) -> None:
        """Write the row of one request, in the transaction of what it reports.

        :param reason: the error where there is one: what it says may name records, and is kept apart
        :param durable: False for a request that has changed nothing: its commit need not wait for the disk
        :param record_ids: ids the call read or changed; the first 50 are listed, all are counted
        :param arguments: what it was given, where that is not what the message says
        :param result: what it answered; both are kept only where the profile says so
        """
        name, version = _client_name(exchange)
        reason, message = _told(reason) if isinstance(reason, ToolError) else (reason, None)
        values = {
            **_who(exchange.credential),
            "session_id": exchange.session_id,
            "session_number": exchange.session_id,
            "client": name,
            "client_version": version,
            "protocol": exchange.version.name,
            "transport": exchange.transport,
            "method": exchange.message.method[:64],
            "tool": tool,
            "model": model,
            "record_ids": ",".join(map(str, record_ids[:LISTED_IDS])) or None,
            "record_count": len(record_ids),
            "outcome": outcome,
            "reason": reason and reason[:LONGEST_REASON],
            "message": message and message[:LONGEST_REASON],
            "dry_run": dry_run,
            "duration_ms": round(duration_ms, 1),
            "request_size": exchange.size,
            "response_size": response_size,
            "request_id": exchange.request_id,
            "trace": exchange.trace,
        }
        payload = self._payload(exchange, arguments, result)
        thinned = outcome == "refused" or (exchange.message.is_notification and not durable)
        self._insert(values, durable=durable, thinned=thinned, payload=payload)

    def _payload(self, exchange: Exchange, arguments: object, result: object) -> tuple[str, str | None] | None:
        """Return the texts of arguments and result that are to be kept with the row, None for none."""
        return None

    @api.model
    def _record_event(
        self, *, method: str, outcome: str, user_id: int, token_id: int | None, ip: str, client: str, reason: str
    ) -> None:
        """Write the row of something that happened outside any call, in the transaction of the event.

        :param method: what stands for the MCP method, like `oauth/token`
        :param client: the user agent
        """
        values = {
            "date": fields.Datetime.now(),
            "user_id": user_id,
            "token_id": token_id,
            "token_number": token_id,
            "client": _clean(client),
            "transport": "http",
            "ip": ip or None,
            "method": method,
            "outcome": outcome,
            "reason": reason[:LONGEST_REASON],
        }
        self._insert(values, durable=True)

    @api.model
    def _record_unheard(
        self,
        credential: Credential,
        *,
        method: str,
        outcome: str,
        reason: str,
        size: int,
        request_id: str,
        trace: str | None,
        duration_ms: float,
    ) -> None:
        """Write the row of an authenticated request without a message that could be heard.

        :param method: the message's, where it could be read; else that of HTTP, like `http/POST`
        """
        values = {
            **_who(credential),
            "client": _clean(credential.user_agent),
            "transport": "http",
            "method": _clean(method[:64]),
            "outcome": outcome,
            "reason": _clean(reason, LONGEST_REASON),
            "duration_ms": round(duration_ms, 1),
            "request_size": min(size, MAX_INTEGER),
            "request_id": request_id,
            "trace": trace,
        }
        self._insert(values, durable=False, thinned=True)

    def _insert(
        self,
        values: dict[str, object],
        *,
        durable: bool,
        thinned: bool = False,
        payload: tuple[str, str | None] | None = None,
    ) -> None:
        """Write a row. :param thinned: of many such rows of one token in a short time, only some are written"""
        cr = self.env.cr
        ended = unsent(cr)
        if thinned:
            repeats = _refusals.admit((cr.dbname, values.get("token_number")), time.monotonic())
            if repeats is None:
                if ended:
                    cr.execute(ended)
                return
            values["repeats"] = repeats
        if payload:
            values["payload_digest"] = payload_digest(*payload)
        cr.execute(_insertion(ended, tuple(values), durable), tuple(values.values()))
        if payload:
            self.env["mcp.audit.payload"]._insert(cr.fetchone()[0], values["date"], payload)


@functools.lru_cache(maxsize=64)
def _insertion(before: str, names: tuple[str, ...], durable: bool) -> str:
    """Return the statements that write a row with these columns.

    Straight SQL: the row has no computed field, no default and no rule, and `create` would double the cost of a small
    read.

    :param before: what ends a read, which is not waited for either
    """
    statements = [before] if before else []
    if not durable and not before:
        statements.append(WITHOUT_WAITING)
    columns, places = ", ".join(f'"{name}"' for name in names), ", ".join(["%s"] * len(names))
    statements.append(f"INSERT INTO mcp_audit_log ({columns}) VALUES ({places}) RETURNING id")
    return "; ".join(statements)


def _who(credential: Credential) -> dict[str, object]:
    return {
        "date": fields.Datetime.now(),
        "user_id": credential.user_id,
        "token_id": credential.token_id,
        "token_number": credential.token_id,
        "ip": credential.ip,
    }


def _client_name(exchange: Exchange) -> tuple[str | None, str | None]:
    """Return the client's own name and version, or its user agent and none."""
    name, version = exchange.client.get("name"), exchange.client.get("version")
    if not isinstance(name, str) or not name:
        return _clean(exchange.credential.user_agent), None
    return _clean(name), _clean(version) if isinstance(version, str) else None


def _clean(text: str, longest: int = 100) -> str | None:
    # As JSON text: no control characters and no invalid surrogates reach the database.
    return json.dumps(text[:longest], ensure_ascii=True)[1:-1] or None


def _told(error: ToolError) -> tuple[str, str | None]:
    """Return the reason that everybody reads who reads the row, and what may name records."""
    code = error.details.get("rule") or error.code
    return (f"{code}: {error.message}", None) if error.outcome == "refused" else (code, error.message)
