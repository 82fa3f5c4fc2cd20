from dataclasses import replace

from odoo import api, models
from odoo.tools import hmac

from ..services import canonical, input_requests, request_state
from ..services.exchange import Exchange
from ..services.request_state import RequestState


class McpServer(models.AbstractModel):
    """MRTR: the questions go out as the result of a request, the answers come back with the same request."""

    _inherit = "mcp.server"

    @api.model
    def _answered(self, exchange: Exchange) -> Exchange:
        """Return a request with the answers it brings.

        :raises InvalidParams: a state that we have not made for this request, or answers that are no object
        """
        params = exchange.message.params
        offered = input_requests.responses(params.get("inputResponses"))
        if params.get("requestState") is None:
            return replace(exchange, offered=offered) if offered else exchange
        state = request_state.verify(params["requestState"], **self._state_binding(exchange))
        answers = {**state.answers, **{key: offered[key] for key in state.keys if key in offered}}
        return replace(exchange, answers=answers, offered=offered, state=state)

    @api.model
    def _input_required(self, call, requests: dict[str, dict]) -> dict:
        """Return the result that asks. What was answered so far travels in its state."""
        exchange = call.exchange
        answers = {key: answer for key, answer in call.answers.items() if key not in requests}
        chain = {"chain": exchange.state.chain} if exchange.state else {}
        state = RequestState(tuple(requests), answers, **chain)
        return {
            "resultType": "input_required",
            "inputRequests": requests,
            "requestState": request_state.sign(state, **self._state_binding(exchange)),
        }

    def _state_binding(self, exchange: Exchange) -> dict:
        params, credential = exchange.message.params, exchange.credential
        what = {"name": params.get("name") or params.get("uri"), "arguments": params.get("arguments") or {}}
        # sudo: derives a key from the database's secret; the secret itself stays inside.
        key = hmac(self.env(su=True), "mcp_endpoint.request_state", exchange.message.method)
        digest = canonical.digest(exchange.message.method, what)
        return {"key": key.encode(), "binding": [credential.user_id, credential.token_id, digest]}
