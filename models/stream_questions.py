"""Asking a client of the handshake era, on the event stream of the call that needs to know.

Nothing waits for a human inside a transaction. A client of 2025-11-25 is sent away and comes back for the answer
(specification 2025-11-25, basic/transports, and server-initiated disconnects); an older one cannot, so its stream is
held, for a bounded time and in a bounded number of workers.
"""

import contextlib
import functools
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial

from odoo import api, fields, models
from odoo.api import Environment
from odoo.modules.registry import Registry
from odoo.service.model import retrying
from odoo.tools import SQL, config

from ..services import jsonrpc
from ..services.call_slots import CallSlots, NoSlot
from ..services.errors import AskOnStream, Cancelled, HttpRefusal, NeedsInput, ProtocolError, RateLimited
from ..services.exchange import Exchange
from ..services.input_requests import Abilities
from ..services.outlet import Stream
from .mcp_cancellation import call_watch

# After so long a client comes back for what has happened meanwhile. The stream that it then gets has a longer time for
# it (`stream_hub.RETRY_MS`), which official clients take from there.
RETRY_MS = 1000
DEFAULT_HOLD_SECONDS = 20
LONGEST_HOLD_SECONDS = 60
POLL_SECONDS = 0.2
# Where there are no workers, so many streams may be held.
THREADED_HOLDS = 2


class McpServer(models.AbstractModel):
    _inherit = "mcp.server"

    @api.model
    def _may_stream(self, exchange: Exchange) -> bool:
        return super()._may_stream(exchange) or self._may_ask(exchange)

    @api.model
    def _may_ask(self, exchange: Exchange) -> bool:
        """Say whether a call of the handshake era could ask its client something, and the client be asked."""
        if exchange.version.modern or exchange.session_id is None or exchange.message.method != "tools/call":
            return False
        abilities = Abilities.of(exchange.version, exchange.capabilities)
        if not (abilities.forms or abilities.urls or abilities.sampling):
            return False
        name = exchange.message.params.get("name")
        spec = self.env["mcp.tool.registry"]._specs().get(name) if isinstance(name, str) else None
        # Reading tools of ours never ask. What a tool of another addon does, its declaration does not tell.
        return spec is not None and (spec.access != "read" or spec.handler is None)

    def _rpc_tools_call(self, exchange: Exchange) -> dict:
        try:
            return super()._rpc_tools_call(exchange)
        except NeedsInput as needed:
            if not isinstance(exchange.outlet, Stream):
                # A job, or a call that goes on after an answer.
                raise
            raise AskOnStream(partial(_ask, self.env.cr.dbname, self.env.uid, needed)) from needed

    @api.model
    def _heard(self, exchange: Exchange) -> None:
        message_id = exchange.message.params.get("requestId")
        if exchange.message.method == "notifications/cancelled" and exchange.session_id and message_id is not None:
            self.env["mcp.pending.call"]._cancel(exchange.session_id, message_id)
        return super()._heard(exchange)

    @api.model
    def _hold_seconds(self) -> int:
        # sudo: a system parameter that users may not read in general.
        text = self.env["ir.config_parameter"].sudo().get_param("mcp_endpoint.hold_seconds") or ""
        return min(int(text), LONGEST_HOLD_SECONDS) if text.isdecimal() else DEFAULT_HOLD_SECONDS


class McpStreamEvent(models.Model):
    _inherit = "mcp.stream.event"

    @api.model
    def _stored(self, event_id: str, session_id: int):
        found = super()._stored(event_id, session_id)
        if found.events or found.is_finished:
            return found
        stream, _last = self._parsed(event_id, session_id)
        self.env["mcp.pending.call"]._settle([stream])
        return super()._stored(event_id, session_id)


def resume(database: str, uid: int, context: dict, call_id: int, exchange: Exchange) -> None:
    """Run a call that was answered, in a transaction of its own, and put its response on its stream."""
    with Registry(database).cursor() as cr:
        Registry(database).check_signaling(cr)
        env = Environment(cr, uid, context)
        env.transaction.default_env = env
        with call_watch.watching(exchange.running):
            retrying(partial(_resumed, env, call_id, exchange), env)


def _resumed(env: Environment, call_id: int, exchange: Exchange) -> None:
    # sudo: nobody has access to the model; the answer that made it ready came from its own session.
    call = env["mcp.pending.call"].sudo().browse(call_id)
    # Held to the end: who finds it unlocked knows that nobody is running it.
    if not call.try_lock_for_update():
        return
    message_id = exchange.message.id
    try:
        envelope = jsonrpc.success(message_id, env["mcp.server"]._handle(exchange))
    except NeedsInput as needed:
        call._ask_more(needed.requests, needed.answers, exchange.outlet.told)
        return
    except RateLimited as refusal:
        envelope = jsonrpc.failure(message_id, refusal)
        if refusal.result is not None:
            envelope = jsonrpc.success(message_id, refusal.result)
    except (ProtocolError, HttpRefusal) as error:
        envelope = jsonrpc.failure(message_id, error)
    # With what the call has done, or not at all.
    call._reply(envelope)


def _ask(database: str, uid: int, needed: NeedsInput, stream: Stream, exchange: Exchange) -> Exchange | None:
    """See `AskOnStream`."""
    exchange = replace(exchange, answers=needed.answers)
    if exchange.version.polling_close:
        return _send_away(database, uid, needed, stream, exchange)
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(_held_slot())
        except NoSlot:
            return _unasked(exchange)
        return _hold(database, uid, needed, stream, exchange)


def ask_in_outbox(database: str, uid: int, needed: NeedsInput, exchange: Exchange, stream: str) -> Exchange | None:
    """Ask a client of the first transport on its one stream. It holds no worker: the answer is posted as any message.

    :return: None; or the call to run at once, as that of a client that cannot be asked
    """
    with _environment(database, uid) as env:
        exchange = replace(exchange, answers=needed.answers)
        call = env["mcp.pending.call"]._open(exchange, needed.requests, stream, is_shared=True)
        if not call:
            return _unasked(exchange)
        for request in call._requests(needed.requests):
            env["mcp.stream.event"]._append(stream, exchange.session_id, request)
        _audit(env, exchange)
    return None


def _send_away(database: str, uid: int, needed: NeedsInput, stream: Stream, exchange: Exchange) -> Exchange | None:
    with _environment(database, uid) as env:
        events = env["mcp.stream.event"]
        name = events._new_stream(exchange.session_id)
        call = env["mcp.pending.call"]._open(exchange, needed.requests, name)
        if not call:
            return _unasked(exchange)
        requests = call._requests(needed.requests)
        sent = [(events._append(name, exchange.session_id, request), request) for request in requests]
        _audit(env, exchange)
    stream.push(None, event_id=f"{name}_0", retry=RETRY_MS)
    for event_id, request in sent:
        stream.push(request, event_id=event_id)
    return None


def _hold(database: str, uid: int, needed: NeedsInput, stream: Stream, exchange: Exchange) -> Exchange | None:
    with _environment(database, uid) as env:
        seconds = env["mcp.server"]._hold_seconds()
        expires = fields.Datetime.now() + timedelta(seconds=seconds + LONGEST_HOLD_SECONDS)
        calls = env["mcp.pending.call"]
        call = calls._open(exchange, needed.requests, None, expires_at=expires) if seconds else None
        if not call:
            return _unasked(exchange)
        call_id, requests = call.id, call._requests(needed.requests)
        _audit(env, exchange)
    end = time.monotonic() + seconds
    try:
        for request in requests:
            stream.push(request)
        while not _is_answered(database, uid, call_id) and time.monotonic() < end:
            time.sleep(POLL_SECONDS)
            stream.check()
    except Cancelled:
        # The client expects no response.
        exchange = None
    with _environment(database, uid) as env:
        query = "DELETE FROM mcp_pending_call WHERE id = %s RETURNING answers, refused OR answered_at IS NULL"
        env.cr.execute(SQL(query, call_id))
        [(answers, in_vain)] = env.cr.fetchall() or [({}, True)]
    if exchange is None or in_vain:
        return exchange and _unasked(exchange)
    return replace(exchange, answers=answers or {})


def _is_answered(database: str, uid: int, call_id: int) -> bool:
    with _environment(database, uid) as env:
        env.cr.execute(SQL("SELECT answered_at IS NOT NULL FROM mcp_pending_call WHERE id = %s", call_id))
        return env.cr.fetchone() in (None, (True,))


def _unasked(exchange: Exchange) -> Exchange:
    """Return the call as that of a client that cannot be asked on its stream."""
    return replace(exchange, takes_questions=False)


@contextlib.contextmanager
def _environment(database: str, uid: int) -> Iterator[Environment]:
    with Registry(database).cursor() as cr:
        env = Environment(cr, uid, {})
        env.transaction.default_env = env
        yield env


@contextlib.contextmanager
def _held_slot() -> Iterator[None]:
    """Hold one of the few streams that may wait for a human. :raises NoSlot: none is left"""
    workers = config["workers"]
    # One worker in four, and one where there are several; the only one there is must not wait.
    capacity = max(workers // 4, workers > 1) if workers else THREADED_HOLDS
    with _holds().held(os.getppid() if workers else os.getpid(), capacity, "", 0, 0):
        yield


@functools.cache
def _holds() -> CallSlots:
    return CallSlots("questions")


def _audit(env: Environment, exchange: Exchange) -> None:
    # What the call itself has written was rolled back.
    name = exchange.message.params.get("name")
    env["mcp.audit.log"]._record(exchange, tool=name[:64], outcome="asked", duration_ms=0, durable=False)
