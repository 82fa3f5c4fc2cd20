import logging
import secrets
import time
from collections.abc import Callable
from functools import cached_property, partial

import psycopg2
from odoo.api import Environment
from odoo.exceptions import AccessDenied, ConcurrencyError, UserError
from odoo.http import Dispatcher, Response
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools.json import json_default
from werkzeug.exceptions import HTTPException

from ..models.mcp_cancellation import call_watch
from ..models.stream_questions import resume
from ..services import http_gate, jsonrpc, protocol, sse, trace_context
from ..services.errors import HttpRefusal, InternalError, ProtocolError, RateLimited
from ..services.exchange import Exchange, Message
from ..services.jsonrpc import ClientResponse
from . import listen_queue
from .event_streams import PROBE, answer_get, answer_listen, probed
from .held_answer import RefusalResponse
from .legacy_messages import LegacyInbound, PostedAnswer, inbound_of
from .mcp_inbound import LISTEN, McpInbound, method_not_allowed
from .streamed_answer import StreamedAnswer

_logger = logging.getLogger(__name__)

OWN_METHODS = ("POST", "GET", "DELETE", "OPTIONS")


class McpDispatcher(Dispatcher):
    """Routes of `type="mcp"`: HTTP and JSON-RPC in, `Exchange` to the endpoint, result object out.

    It answers every method of its URL, and every failure, with JSON (or an event stream) of its own: no redirect,
    no HTML page and no cookie ever leaves it.
    """

    routing_type = "mcp"
    mimetypes = ("application/json",)

    def __init__(self, request):
        super().__init__(request)
        self.request_id = secrets.token_hex(8)
        self.accepts_json = True
        self.inbound: McpInbound | None = None
        # Whom to answer when the request fails as a whole.
        self.open_ids: list[str | int] = []
        self.is_batch = False
        self.started = time.perf_counter()
        self.method = f"http/{request.httprequest.method}"
        # Whether the endpoint has a message, and with it the audit log what became of it.
        self.is_heard = False

    @classmethod
    def is_compatible_with(cls, request):
        # Odoo's own 415 is an HTML page, raised before this dispatcher is in charge. `check_post` refuses instead.
        return True

    def pre_dispatch(self, rule, args):
        # Nothing of the inherited method: its CORS answer lacks the headers that MCP needs.
        self.request.session.can_save = False
        listen_queue.widen()

    def dispatch(self, endpoint, args):
        # Other addons read them when the answer is ready (`utm`), also where no message was handled.
        self.request.params = {}
        inbound = self.inbound = inbound_of(self.request, self._policy, self.request_id)
        self.accepts_json = inbound.accepts_json
        try:
            inbound.check_source()
            if PROBE in inbound.http.headers:
                return probed(inbound)
            match self.request.httprequest.method:
                case "OPTIONS":
                    asked = inbound.http.headers.get("Access-Control-Request-Headers", "")
                    return self._empty(204, http_gate.preflight_headers(asked))
                case "GET":
                    return answer_get(inbound, self._record)
                case "POST":
                    return self._post(endpoint, inbound)
                case "DELETE":
                    inbound.end_session()
                    self._record("ok", "The client ended its session.")
                    return self._empty(204)
            raise method_not_allowed()
        except RateLimited as refusal:
            # Of a GET: what the endpoint refuses it has recorded itself.
            self._record("refused", f"{refusal.reason}: {refusal.message}")
            return self._for_now_refused(refusal)
        except (HttpRefusal, ProtocolError) as error:
            # Raised further, Odoo would log a traceback for a client's mistake.
            if not self.is_heard:
                self._record("refused", error.message)
            return self.refused(error)

    def post_dispatch(self, response):
        result = super().post_dispatch(response)
        # Other addons set cookies on every answer (visitor tracking). A client of ours must never hold one.
        response.headers.remove("Set-Cookie")
        response.headers.extend(self._cors_headers())
        return result

    def handle_error(self, exc: Exception) -> Callable:
        env = self.request.env
        if env is not None and not env.cr.closed:
            # The request has failed. What follows may read settings, which an aborted transaction cannot.
            env.cr.rollback()
        if self.request.httprequest.method not in OWN_METHODS:
            response = self.refused(method_not_allowed())
        elif isinstance(exc, HTTPException):
            response = exc.response or self.refused(HttpRefusal(exc.code, f"{exc.name}."))
        elif isinstance(exc, AccessDenied):
            response = self.refused(HttpRefusal(403, "Access denied."))
        else:
            response = self._failed(exc)
        response.headers.extend(self._cors_headers())
        return response

    def _post(self, endpoint, inbound: McpInbound) -> Response:
        inbound.check_post()
        payload = jsonrpc.parse(self.request.httprequest.get_data())
        if isinstance(payload, list):
            return self._post_batch(endpoint, inbound, payload)
        self._expect([payload])
        message = jsonrpc.read(payload)
        if isinstance(message, ClientResponse):
            inbound.check_response()
            return self._heard(inbound, message)
        exchange = inbound.exchange(message)
        inbound.check_place(message)
        if isinstance(inbound, LegacyInbound) and not message.is_notification:
            return PostedAnswer(self, endpoint, exchange, inbound.stream)
        if self.request.env["mcp.server"]._may_stream(exchange) and inbound.accepts_stream:
            return StreamedAnswer(self, endpoint, exchange)
        return self.reply(endpoint, exchange)

    def _heard(self, inbound: McpInbound, message: ClientResponse) -> Response:
        """Take the answer to a question of ours. The call that it lets go on is run when the client has its 202."""
        response = self._empty(202)
        call = inbound.answered_call(message)
        if not call:
            self._record("ok", "A response that nothing was waiting for.")
        elif call._is_ready:
            env = self.request.env
            exchange = call._exchange(inbound.exchange(Message(**call.message)))
            response.call_on_close(partial(resume, env.cr.dbname, env.uid, env.context, call.id, exchange))
        return response

    def reply(self, endpoint, exchange: Exchange) -> Response:
        """Let the endpoint handle one message that came alone.

        :raises McpError: a refusal, for `refused`
        """
        try:
            answer, status = self._answer(endpoint, exchange)
        except RateLimited as refusal:
            return self._for_now_refused(refusal)
        if answer is None:
            return self._empty(202)
        if exchange.running is not None and exchange.running.stopped and self.inbound.accepts_stream:
            # Nobody waits for a response any more, and clients complain about one: a stream may end without.
            return Response(content_type=sse.CONTENT_TYPE, headers=sse.HEADERS)
        if exchange.message.method == LISTEN and "result" in answer:
            return answer_listen(self.request.env, exchange, answer["result"])
        opened = exchange.message.method == "initialize" and "result" in answer
        return self._json(answer, status, [("Mcp-Session-Id", exchange.session_key)] if opened else [])

    def _post_batch(self, endpoint, inbound: McpInbound, payloads: list) -> Response:
        inbound.check_batch(payloads)
        self.is_batch = True
        self._expect(payloads)
        answers = []
        for number, payload in enumerate(payloads):
            self.is_heard = False
            try:
                message = jsonrpc.read(payload)
                if isinstance(message, Message):
                    answer, _status = self._answer(endpoint, inbound.exchange(message, number))
                    answers.extend([answer] if answer else [])
                elif not inbound.answered_call(message):
                    self._record("ok", "A response that nothing was waiting for.")
            except RateLimited as refusal:
                answers.append(_refusal_envelope(jsonrpc.readable_id(payload), refusal))
            except (HttpRefusal, ProtocolError) as error:
                # Of this message alone: what came before it is done, and its answers must reach the client.
                if not self.is_heard:
                    self._record("refused", error.message)
                answers.append(jsonrpc.failure(jsonrpc.readable_id(payload), error))
        # A read may have asked to commit without waiting for the disk; another message of the batch may have written.
        self.request.env.cr.execute("SET LOCAL synchronous_commit TO DEFAULT")
        return self._json(answers, 200) if answers else self._empty(202)

    def _answer(self, endpoint, exchange: Exchange) -> tuple[dict | None, int]:
        """Let the endpoint handle one message; return the envelope, None for a notification, and the HTTP status."""
        self.request.params = {"exchange": exchange}
        self.method = exchange.message.method
        self.is_heard = True
        message_id = exchange.message.id
        try:
            with call_watch.watching(exchange.running):
                result = self.request.registry["ir.http"]._dispatch(endpoint)
        except RateLimited:
            raise
        except ProtocolError as error:
            return jsonrpc.failure(message_id, error), protocol.http_status(error, exchange.version)
        return (None if result is None else jsonrpc.success(message_id, result)), 200

    def _expect(self, payloads: list) -> None:
        found = (jsonrpc.readable_id(payload) for payload in payloads if isinstance(payload, dict))
        self.open_ids = [message_id for message_id in found if message_id is not None]

    @cached_property
    def _policy(self) -> http_gate.HttpPolicy:
        return self.request.env["mcp.server"]._http_policy()

    def _cors_headers(self) -> list[tuple[str, str]]:
        if self.request.env is None:
            return []
        return self._policy.cors_headers(self.request.httprequest.headers.get("Origin"))

    def refused(self, error: HttpRefusal | ProtocolError) -> Response:
        """Return the answer to a request that was refused as a whole."""
        headers = error.headers if isinstance(error, HttpRefusal) else {}
        message_id = self.open_ids[0] if self.open_ids and not self.is_batch else None
        return self._json(jsonrpc.failure(message_id, error), error.http_status, list(headers.items()))

    def _for_now_refused(self, refusal: RateLimited) -> Response:
        data = jsonrpc.dump(_refusal_envelope(self.open_ids[0] if self.open_ids else None, refusal))
        headers = [("Retry-After", str(refusal.retry_after))]
        if self.accepts_json or refusal.http_status >= 400:
            content_type = "application/json"
        else:
            data, content_type = sse.event(data), sse.CONTENT_TYPE
            headers += sse.HEADERS
        return RefusalResponse(data, status=refusal.http_status, headers=headers, content_type=content_type)

    def _failed(self, exc: Exception) -> Response:
        """Answer every open message of a request that failed as a whole, without a word of the cause."""
        if isinstance(exc, (*PG_CONCURRENCY_EXCEPTIONS_TO_RETRY, ConcurrencyError)):
            error = InternalError("Others are changing the same records right now. Nothing was done; retry later.")
        elif isinstance(exc, UserError):
            error = InternalError(str(exc.args[0]) if exc.args else "The operation was refused.")
        else:
            _logger.error("MCP request %s failed", self.request_id, exc_info=exc)
            error = InternalError(f"Internal error. Nothing was done. Reference: {self.request_id}")
        self._record_failure(error)
        answers = [jsonrpc.failure(message_id, error) for message_id in self.open_ids]
        if not answers:
            return self._json(jsonrpc.failure(None, error), 500)
        return self._json(answers if self.is_batch else answers[0], error.http_status)

    def _record(self, outcome: str, reason: str, env: Environment | None = None) -> None:
        """Write the audit row of a request whose message never reached the endpoint, if it is known whose it is."""
        credential = getattr(self.request, "mcp_credential", None)
        if credential is None:
            return
        http = self.request.httprequest
        (env or self.request.env)["mcp.audit.log"]._record_unheard(
            credential,
            method=self.method,
            outcome=outcome,
            reason=reason,
            size=http.content_length or 0,
            request_id=self.request_id,
            trace=trace_context.traceparent(http.headers.get(trace_context.HEADER)),
            duration_ms=(time.perf_counter() - self.started) * 1000,
        )

    def _record_failure(self, error: InternalError) -> None:
        """Write the audit row of a request that failed as a whole; its own transaction is gone, this is another."""
        registry, env = self.request.registry, self.request.env
        if registry is None or env is None or getattr(self.request, "mcp_credential", None) is None:
            return
        try:
            with registry.cursor() as cr:
                self._record("error", error.message, env(cr=cr))
        except psycopg2.OperationalError:
            # The database is what has failed: there is nowhere to write it down but the log.
            _logger.warning("MCP request %s failed and could not be written to the audit log", self.request_id)

    def _json(self, body: object, status: int, headers: list[tuple[str, str]] = ()) -> Response:
        data = jsonrpc.dump(body, json_default)
        if self.accepts_json or status >= 400:
            return Response(data, status=status, headers=headers, content_type="application/json")
        return Response(sse.event(data), status=status, headers=[*headers, *sse.HEADERS], content_type=sse.CONTENT_TYPE)

    def _empty(self, status: int, headers: list[tuple[str, str]] = ()) -> Response:
        response = Response(status=status, headers=headers)
        response.headers.remove("Content-Type")
        return response


def _refusal_envelope(message_id: str | int | None, refusal: RateLimited) -> dict:
    if refusal.result is not None:
        return jsonrpc.success(message_id, refusal.result)
    return jsonrpc.failure(message_id, refusal)
