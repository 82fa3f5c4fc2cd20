import secrets
from collections.abc import Collection
from dataclasses import asdict, replace
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..services import jsonrpc
from ..services.errors import InternalError
from ..services.exchange import Exchange, Message, Narrowing
from ..services.jsonrpc import ClientResponse
from ..services.outlet import NOTHING_TOLD
from .outbox_outlet import OutboxOutlet
from .retention import purge

LIFE = timedelta(minutes=15)
# So long after its answer a call that nobody runs is taken for dead; its lock tells of those that are being run.
GRACE = timedelta(seconds=10)
MOST_OF_A_SESSION = 20


class McpPendingCall(models.Model):
    """A call of the handshake era that has asked its client something, and was rolled back.

    The answers arrive on any worker, as responses to our requests; with the last one the call is run again. Who holds
    this row's lock is running it.
    """

    _name = "mcp.pending.call"
    _description = "MCP Call Waiting for an Answer"
    _log_access = False

    session_id = fields.Many2one("mcp.session", required=True, index=True, ondelete="cascade")
    stream = fields.Char(index="btree_not_null", help="Where the response goes. Empty: a connection waits for it.")
    is_shared = fields.Boolean(help="Other responses go to the stream too: it goes on after this one.")
    message = fields.Json(required=True)
    narrowing = fields.Json(required=True)
    request_id = fields.Char(required=True)
    asked = fields.Json(required=True, help="The questions' keys by the ids of our requests.")
    answers = fields.Json(help="Results by key, of earlier questions too.")
    told = fields.Float(help="The progress that the client has heard of.")
    refused = fields.Boolean(help="The client has answered with an error: it cannot ask.")
    answered_at = fields.Datetime()
    expires_at = fields.Datetime(required=True, index=True)

    @api.model
    def _open(self, exchange: Exchange, requests: dict[str, dict], stream: str | None, **facts: object):
        """Store a call that has to ask, and return it, as superuser; None when its session has asked too much.

        :param requests: what to ask, by key, as `services.input_requests` has it
        :param facts: further fields
        """
        # sudo: nobody has access to the model; the row is bound to the session, which was checked.
        calls = self.sudo()
        waiting = [("session_id", "=", exchange.session_id), ("expires_at", ">", fields.Datetime.now())]
        if calls.search_count(waiting, limit=MOST_OF_A_SESSION) >= MOST_OF_A_SESSION:
            return None
        message, narrowing = exchange.message, exchange.narrowing
        sets = {"toolsets": narrowing.toolsets and sorted(narrowing.toolsets), "exclude": sorted(narrowing.exclude)}
        return calls.create(
            {
                "session_id": exchange.session_id,
                "stream": stream,
                "message": {"method": message.method, "params": message.params, "id": message.id},
                "narrowing": {**asdict(narrowing), **sets},
                "request_id": exchange.request_id,
                "asked": {_new_id(): key for key in requests},
                "answers": dict(exchange.answers),
                "told": exchange.outlet.told if exchange.outlet else NOTHING_TOLD,
                "expires_at": fields.Datetime.now() + LIFE,
                **facts,
            }
        )

    def _requests(self, requests: dict[str, dict]) -> list[dict]:
        """Return what was asked as JSON-RPC requests with the ids of this row."""
        return [{"jsonrpc": "2.0", "id": asked_as, **requests[key]} for asked_as, key in self.asked.items()]

    @api.model
    def _answer(self, session_id: int, response: ClientResponse):
        """Store a client's answer and return the call, as superuser, locked; none if nothing was waiting for it."""
        # sudo: as above.
        calls = self.sudo()
        query = SQL(
            "SELECT id FROM mcp_pending_call"
            " WHERE session_id = %s AND asked ? %s AND answered_at IS NULL AND expires_at > %s FOR UPDATE",
            session_id,
            str(response.id),
            fields.Datetime.now(),
        )
        self.env.cr.execute(query)
        found = calls.browse(row_id for (row_id,) in self.env.cr.fetchall())
        if not found or found.asked[response.id] in (found.answers or {}):
            return calls
        if response.error is not None:
            found.write({"refused": True, "answered_at": fields.Datetime.now()})
            return found
        found.answers = {**(found.answers or {}), found.asked[response.id]: response.result}
        if set(found.asked.values()) <= set(found.answers):
            found.answered_at = fields.Datetime.now()
        return found

    @property
    def _is_ready(self) -> bool:
        """Whether all is answered, and no connection of the client waits for it."""
        return bool(self.answered_at and self.stream)

    def _ask_more(self, requests: dict[str, dict], answers: dict[str, object], told: float) -> None:
        """Ask further questions on the same stream. :param told: the progress that the client has heard of"""
        asked = {_new_id(): key for key in requests}
        expires = fields.Datetime.now() + LIFE
        self.write(
            {"asked": asked, "answers": answers, "told": told, "answered_at": False, "expires_at": expires}
        )
        for request in self._requests(requests):
            self.env["mcp.stream.event"]._append(self.stream, self.session_id.id, request)

    def _exchange(self, current: Exchange) -> Exchange:
        """Return the call with its answers, and the way to tell on its stream how far it is.

        :param current: any exchange of the same session, of now: it says who asks and what they may
        """
        stored = self.narrowing
        toolsets = stored["toolsets"]
        narrowing = Narrowing(
            toolsets=None if toolsets is None else frozenset(toolsets),
            exclude=frozenset(stored["exclude"]),
            readonly=stored["readonly"],
            schema=stored["schema"],
        )
        call = replace(
            current,
            message=Message(**self.message),
            narrowing=narrowing,
            request_id=self.request_id,
            answers=self.answers or {},
            takes_questions=not self.refused,
        )
        return replace(call, outlet=OutboxOutlet(self.env.cr.dbname, self.stream, call, self.told))

    @api.model
    def _cancel(self, session_id: int, message_id: str | int) -> None:
        """Forget the call with this id of the client's, as it does not want it any more."""
        # sudo: as above.
        for call in self.sudo().search([("session_id", "=", session_id), ("stream", "!=", False)]):
            # One that is being run is cancelled as other running calls are.
            if call.message["id"] == message_id and call.try_lock_for_update():
                call._forget()

    @api.model
    def _settle(self, streams: Collection[str]) -> None:
        """Answer, on these streams, calls that will not be answered otherwise: too late, or their worker has died."""
        now = fields.Datetime.now()
        dead = fields.Domain("answered_at", "<", now - GRACE)
        late = fields.Domain("answered_at", "=", False) & fields.Domain("expires_at", "<", now)
        # sudo: as above.
        for call in self.sudo().search(fields.Domain("stream", "in", list(streams)) & (dead | late)):
            if not call.try_lock_for_update():
                # It is being run.
                continue
            why = "Its server was stopped in the middle." if call.answered_at else "Nobody has answered in time."
            error = InternalError(f"{why} Nothing was done. Call again if it is still wanted.")
            call._reply(jsonrpc.failure(call.message["id"], error))

    def _reply(self, envelope: dict) -> None:
        """Put the response on the stream and forget the call."""
        self.env["mcp.stream.event"]._append(self.stream, self.session_id.id, envelope)
        self._forget()

    def _forget(self) -> None:
        if not self.is_shared:
            self.env["mcp.stream.event"]._finish(self.stream, self.session_id.id)
        self.unlink()

    @api.autovacuum
    def _gc_pending_calls(self):
        return purge(self, SQL("expires_at < %s", fields.Datetime.now() - LIFE))


def _new_id() -> str:
    return f"ask-{secrets.token_hex(8)}"
