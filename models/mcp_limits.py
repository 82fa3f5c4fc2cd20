import contextlib
import os
from collections.abc import Iterator, Sequence

from odoo import api, models, tools
from odoo.tools import config

from ..services import call_limits
from ..services.call_limits import DEFAULTS, Limits
from ..services.call_slots import NoSlot
from ..services.errors import InvalidParams, RateLimited
from ..services.exchange import Credential, Exchange
from ..services.rate_window import Budget, Verdict
from .call_counting import Counting, counting_of, machine_slots
from .tool_answer import error_answer

# Where there are no worker processes, calls share one: so many at a time.
THREADED_CALLS = 4


class McpLimits(models.AbstractModel):
    """What an assistant may ask of this server: so many calls in a minute, so many at a time, for so long."""

    _name = "mcp.limits"
    _description = "MCP Limits"

    @api.model
    @tools.ormcache(cache="stable")
    def _settings(self) -> Limits:
        # sudo: these parameters are read to be enforced, whoever the user is.
        parameters = self.env["ir.config_parameter"].sudo()
        return Limits.from_parameters({name: parameters.get_param(f"mcp_endpoint.{name}") or "" for name in DEFAULTS})

    @api.model
    @tools.ormcache(cache="stable")
    def _counting(self) -> Counting:
        # sudo: the id is no secret. With the name, as copies of a database have the same one.
        database_id = self.env["ir.config_parameter"].sudo().get_param("database.uuid")
        return counting_of(self.env.cr.dbname, f"{database_id}:{self.env.cr.dbname}")

    @api.model
    def _count(self, exchange: Exchange) -> Verdict | None:
        """Count a request; None where nothing limits it.

        :raises RateLimited: a budget is used up
        """
        credential = exchange.credential
        if exchange.message.method in call_limits.OPENING:
            self._count_opening(credential, exchange.request_id)
        if exchange.message.method not in call_limits.COUNTED:
            return None
        limits = self._settings()
        budgets = call_limits.budgets(
            limits,
            token_id=credential.token_id,
            user_id=credential.user_id,
            profile_calls=self.env["mcp.profile"]._compiled_for(credential).calls_per_minute,
            **self._kind(exchange),
        )
        return self._taken(limits, exchange.request_id, budgets)

    @api.model
    def _count_opening(self, credential: Credential, request_id: str, *, resumed: bool = False) -> None:
        """Count a request that opens a session, a stream or a subscription.

        :param resumed: a stream for the answer to a call
        :raises RateLimited: a budget is used up
        """
        limits = self._settings()
        if resumed:
            budgets = call_limits.resuming_budgets(limits, token_id=credential.token_id)
        else:
            budgets = call_limits.opening_budgets(limits, token_id=credential.token_id, user_id=credential.user_id)
        self._taken(limits, request_id, budgets)

    def _taken(self, limits: Limits, request_id: str, budgets: Sequence[Budget]) -> Verdict | None:
        if not budgets:
            return None
        verdict = self._counting().take(limits, request_id, budgets)
        if not verdict.allowed:
            raise call_limits.used_up(verdict)
        return verdict

    def _kind(self, exchange: Exchange) -> dict[str, bool]:
        """Return whether a request changes something, and whether it is heavy."""
        if exchange.message.method == "tools/call":
            with contextlib.suppress(InvalidParams):
                spec = self.env["mcp.tool.registry"]._called(exchange)[0]
                return {"is_write": spec.access != "read", "is_heavy": spec.heavy}
        return {"is_write": False, "is_heavy": False}

    @api.model
    @contextlib.contextmanager
    def _slot(self, exchange: Exchange) -> Iterator[None]:
        """Hold one of the places for calls that run at the same time.

        :raises RateLimited: there is none
        """
        limits = self._settings()
        workers = config["workers"]
        capacity = limits.concurrent or (max(workers - 1, 1) if workers else THREADED_CALLS)
        server = os.getppid() if workers else os.getpid()
        try:
            with machine_slots().held(
                server, capacity, self.env.cr.dbname, exchange.credential.token_id, limits.concurrent_token
            ):
                yield
        except NoSlot as error:
            raise call_limits.busy("this connection" if error.whose == "token" else "assistants") from None

    @api.model
    def _refused(self, exchange: Exchange, refusal: RateLimited, duration_ms: float) -> RateLimited:
        """Log a refusal, if it is not one of many, and return it in the form that this client survives.

        The Python SDK before 2 ends the whole connection at any HTTP status from 400 on, and it has the handshake's
        sessions. There a tool's refusal is a result that the model reads, and everything is HTTP 200. A client of the
        stateless revision reads errors at any status, and who speaks HTTP without either wants the status.
        """
        if count := self._counting().note_refusal(exchange.credential.token_id):
            name = exchange.message.params.get("name")
            self.env["mcp.audit.log"]._record(
                exchange,
                outcome="refused",
                tool=name[:64] if exchange.message.method == "tools/call" and isinstance(name, str) else None,
                reason=f"{refusal.reason}: {refusal.message} Refused in the last minute: {count}.",
                duration_ms=duration_ms,
                durable=False,
            )
        if not exchange.version.modern and exchange.session_id:
            refusal.http_status = 200
            if exchange.message.method == "tools/call":
                refusal.result = error_answer(call_limits.as_tool_error(refusal))
        return refusal
