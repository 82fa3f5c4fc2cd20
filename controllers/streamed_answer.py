import dataclasses
from functools import partial

from odoo.api import Environment
from odoo.http import Response
from odoo.modules.registry import Registry
from odoo.service.model import retrying

from ..models.mcp_cancellation import call_watch
from ..services import sse
from ..services.errors import AskOnStream, HttpRefusal, ProtocolError
from ..services.exchange import Exchange
from .stream_outlet import StreamOutlet


class StreamedAnswer(Response):
    """The answer to one call that is run while it is sent, so that its client hears of it meanwhile.

    Odoo's request has ended when this is called: its transaction is committed, its cursor closed. The call has a cursor
    of its own, and is retried and answered as any other. It becomes an event stream when the call sends something
    before its result, and else is the plain answer with its status. Where the call has to ask, see `AskOnStream`.
    """

    def __init__(self, dispatcher, endpoint, exchange: Exchange) -> None:
        super().__init__()
        self.headers.remove("Content-Type")
        self._dispatcher = dispatcher
        self._endpoint = endpoint
        env = dispatcher.request.env
        self._exchange = dataclasses.replace(exchange, takes_questions=env["mcp.server"]._may_ask(exchange))
        self._database = env.cr.dbname
        self._uid, self._context = env.uid, env.context

    def __call__(self, environ, start_response):
        def start():
            headers = [*self.headers, ("Content-Type", sse.CONTENT_TYPE), *sse.HEADERS]
            return start_response("200 OK", headers)

        outlet = StreamOutlet(start, self._exchange.running)
        self._exchange.running.beat = outlet.beat
        try:
            response = self._converse(outlet, dataclasses.replace(self._exchange, outlet=outlet))
        except Exception as exc:
            # Odoo logs it and answers with this; by itself it would begin a second answer.
            exc.error_response = _Ending(outlet, self._dispatcher.handle_error(exc))
            raise
        response.headers.extend(self.headers)
        return _Ending(outlet, response)(environ, start_response)

    def _converse(self, outlet: StreamOutlet, exchange: Exchange) -> Response:
        while exchange is not None:
            try:
                return self._attempt(exchange)
            except AskOnStream as question:
                with call_watch.watching(exchange.running):
                    exchange = question.proceed(outlet, exchange)
        return Response(content_type=sse.CONTENT_TYPE, headers=sse.HEADERS)

    def _attempt(self, exchange: Exchange) -> Response:
        """Run the call as Odoo runs a request: in a transaction that is retried, then committed."""
        request = self._dispatcher.request
        with Registry(self._database).cursor() as cr:
            request.registry = Registry(self._database).check_signaling(cr)
            # What Odoo's own code finds of the request is what it would find in an ordinary one.
            request.env = Environment(cr, self._uid, self._context)
            request.env.transaction.default_env = request.env
            response = retrying(partial(self._reply, exchange), request.env)
        # Where it fails it is kept, for the answer to the failure.
        request.env = None
        return response

    def _reply(self, exchange: Exchange) -> Response:
        exchange.outlet.begin_attempt()
        try:
            return self._dispatcher.reply(self._endpoint, exchange)
        except (HttpRefusal, ProtocolError) as error:
            return self._dispatcher.refused(error)


class _Ending:
    """The last of an answer: an event where the stream is open, else all of it."""

    def __init__(self, outlet: StreamOutlet, response: Response) -> None:
        self._outlet = outlet
        self._response = response

    def __call__(self, environ, start_response):
        data = self._response.get_data()
        if data and self._response.mimetype != sse.CONTENT_TYPE:
            data = sse.event(data)
        if self._outlet.finish(data):
            return []
        return self._response(environ, start_response)
